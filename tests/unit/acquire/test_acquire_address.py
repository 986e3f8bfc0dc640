"""SOURCE as people type it."""

from __future__ import annotations

from pathlib import Path

import pytest

from quadphase.acquire.address import DimseAddress, FolderAddress, WebAddress, parse_address
from quadphase.errors import InputError


def test_folders() -> None:
    assert parse_address("/data/x") == FolderAddress(path=Path("/data/x"))
    assert parse_address(Path("http://x")) == FolderAddress(path=Path("http://x"))


def test_dimse_with_everything() -> None:
    address = parse_address("dimse://PACS@[::1]:4242?calling=ME&retrieve=move&listen_port=11112&tls=1")
    assert address == DimseAddress(
        called="PACS", host="::1", port=4242, calling="ME", retrieve="move", listen_port=11112, tls=True
    )
    assert str(address) == "dimse://PACS@[::1]:4242"


def test_dimse_port_defaults_to_the_registered_one() -> None:
    address = parse_address("dimse://PACS@host")
    assert isinstance(address, DimseAddress)
    assert address.port == 104


def test_web() -> None:
    assert parse_address("https://h:8443/dicom-web/") == WebAddress(url="https://h:8443/dicom-web")


@pytest.mark.parametrize(
    "text",
    [
        "ftp://h/x", "dimse://host:104", "dimse://A@h:x", "dimse://A@h/path", "dimse://A@h?call=B",
        "dimse://A@h?retrieve=push", "dimse://A@h?listen_port=0", "dimse://SEVENTEENLETTERSX@h", "dimse://A@h?calling=",
        "http://", "http://h/x?y=1",
    ],
)  # fmt: skip
def test_bad_addresses_are_one_line(text: str) -> None:
    if text.endswith("calling="):
        assert isinstance(parse_address(text), DimseAddress)  # an empty option is none
        return
    with pytest.raises(InputError) as caught:
        parse_address(text)
    assert "\n" not in str(caught.value)


def test_password_in_the_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(InputError) as caught:
        parse_address("https://alice:hunter2@h/dicom-web")
    assert "hunter2" not in str(caught.value)
