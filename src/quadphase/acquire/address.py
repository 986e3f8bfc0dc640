"""What the user typed as SOURCE, taken apart. Addresses shown or stored never hold credentials."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from urllib.parse import SplitResult, parse_qs, urlsplit

from quadphase.errors import InputError

__all__ = ["Address", "DimseAddress", "FolderAddress", "WebAddress", "parse_address"]

DIMSE_PORT: Final = 104
"""Registered port of DICOM (IANA ``acr-nema``)."""
_SPELLINGS: Final = "A source is a folder, dimse://CALLED_AET@host:port or http(s)://host/dicom-web"


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderAddress:
    """A tree of files."""

    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class DimseAddress:
    """A PACS that speaks DIMSE.

    Parameters
    ----------
    called : str
        Its AE title.
    calling : str or None
        Ours; None: the protocol's.
    host : str
    port : int
    retrieve : "auto", "get", "move" or None
        None: the protocol's.
    listen_port : int or None
    tls : bool
    """

    called: str
    host: str
    port: int
    calling: str | None = None
    retrieve: Literal["auto", "get", "move"] | None = None
    listen_port: int | None = None
    tls: bool = False

    def __str__(self) -> str:
        return f"dimse://{self.called}@{_bracketed(self.host)}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebAddress:
    """A DICOMweb service root, without a slash at its end."""

    url: str

    def __str__(self) -> str:
        return self.url


Address = FolderAddress | DimseAddress | WebAddress


def parse_address(source: str | Path) -> Address:
    """Take SOURCE apart.

    Raises
    ------
    InputError
        ``"bad-source"``.

    Examples
    --------
    >>> str(parse_address("dimse://ORTHANC@10.0.0.5:4242?calling=ME"))
    'dimse://ORTHANC@10.0.0.5:4242'
    """
    text = str(source)
    scheme, colon, _ = text.partition("://")
    if isinstance(source, Path) or not colon:
        return FolderAddress(path=Path(source))
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise InputError("bad-source", "The address of the source is malformed", _SPELLINGS) from None
    if scheme.lower() in ("http", "https"):
        return _web(parts)
    if scheme.lower() == "dimse":
        return _dimse(parts, port or DIMSE_PORT)
    raise InputError("bad-source", f"'{scheme}://' is no kind of source", _SPELLINGS)


def _web(parts: SplitResult) -> WebAddress:
    if parts.username or parts.password:
        raise InputError(
            "bad-source",
            "The address holds a user name or password, which would stay in shell history and logs",
            "Put them into QUADPHASE_DICOMWEB_USER and QUADPHASE_DICOMWEB_PASSWORD, or QUADPHASE_DICOMWEB_TOKEN",
        )
    if not parts.hostname or parts.query or parts.fragment:
        raise InputError("bad-source", "The DICOMweb address needs a host and no query", _SPELLINGS)
    return WebAddress(url=f"{parts.scheme.lower()}://{parts.netloc}{parts.path.rstrip('/')}")


def _dimse(parts: SplitResult, port: int) -> DimseAddress:
    if not parts.hostname or not parts.username or parts.password or parts.path.strip("/"):
        raise InputError("bad-source", "A dimse address is dimse://CALLED_AET@host:port", _SPELLINGS)
    options = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    unknown = sorted(options.keys() - {"calling", "retrieve", "listen_port", "tls"})
    if unknown:
        raise InputError("bad-source", f"Unknown option '{unknown[0]}' in the address", "Known: calling, retrieve, "
                         "listen_port, tls")  # fmt: skip
    retrieve = options.get("retrieve")
    if retrieve not in (None, "auto", "get", "move"):
        raise InputError("bad-source", "retrieve is auto, get or move", _SPELLINGS)
    listen = options.get("listen_port", "")
    if listen and not (listen.isdecimal() and 0 < int(listen) < 65536):
        raise InputError("bad-source", "listen_port is a number from 1 to 65535", _SPELLINGS)
    for title in (parts.username, options.get("calling", "x")):
        if not 0 < len(title.strip()) <= 16 or not title.isascii() or "\\" in title:
            raise InputError("bad-source", "An AE title has 1 to 16 ASCII characters (PS3.5 6.2)", _SPELLINGS)
    return DimseAddress(
        called=parts.username,
        host=parts.hostname,
        port=port,
        calling=options.get("calling"),
        retrieve=retrieve,  # type: ignore[arg-type]
        listen_port=int(listen) if listen else None,
        tls=options.get("tls", "0").lower() in ("1", "true", "yes"),
    )


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
