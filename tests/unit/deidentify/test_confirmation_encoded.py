"""Short identifiers occur in base64 by chance; the picture behind it is decoded and searched instead."""

from __future__ import annotations

import base64
import random
from pathlib import Path

import pytest

from quadphase.deidentify import scan
from quadphase.model.source import Identifier


def page(payload: bytes) -> str:
    return f'<img src="data:application/octet-stream;base64,{base64.b64encode(payload).decode()}">'


def test_chance_hits_in_an_embedded_picture_are_not_identifiers(tmp_path: Path) -> None:
    noise = random.Random(1).randbytes(2_000_000)
    (tmp_path / "report.html").write_text(page(noise))
    identifiers = [Identifier(kind="patient_id", value=f"HCC_{n:03d}") for n in range(1, 10)]
    assert scan(tmp_path, identifiers).findings == ()


def test_the_identifier_itself_is_found_in_the_page_and_in_what_it_embeds(tmp_path: Path) -> None:
    identifier = Identifier(kind="patient_id", value="HCC_007")
    for name, text in (("plain", "<p>HCC_007</p>"), ("embedded", page(b"some text with HCC_007 in it, as text " * 3))):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "report.html").write_text(text)
        assert [f.code for f in scan(folder, [identifier]).findings] == ["identifier-found"]


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("name", "Zhang Wei", "<b>Zhang</b><i>Wei</i>"),
        ("name", "Zhang Wei", '{"family": "Zhang", "given": "Wei"}'),
        ("birth_date", "1961-05-03", "<td>03/05/61</td>"),
    ],
)
@pytest.mark.parametrize("order", ["{text}{picture}", "{picture}{text}"])
def test_what_stands_beside_an_embedded_picture_is_read_in_every_way(
    tmp_path: Path, kind: str, value: str, text: str, order: str
) -> None:
    noise = random.Random(2).randbytes(30_000)
    page_with_text = order.format(text=text, picture=page(noise))
    (tmp_path / "report.html").write_text(page_with_text)
    found = scan(tmp_path, [Identifier(kind=kind, value=value)]).findings
    assert "identifier-found" in {finding.code for finding in found}
