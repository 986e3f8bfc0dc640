"""Open a PDF: each stream unpacked where it is packed, and everything else as text."""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Iterator

from quadphase.deidentify.regions import TOO_LARGE, Flaw, Nature, Part, Region
from quadphase.deidentify.streams import inflate

__all__ = ["is_pdf", "open_pdf"]


def is_pdf(data: bytes) -> bool:
    return data[:5] == b"%PDF-"


def open_pdf(data: bytes, place: str) -> Iterator[Part]:
    """Streams inflated where they are compressed; the rest, with the document information, as text."""
    where = f"{place} > PDF".removeprefix(" > ")
    outer, at = [], 0
    for number, match in enumerate(re.finditer(rb"stream\r?\n", data), start=1):
        if match.start() < at or data[max(0, match.start() - 3) : match.start()] == b"end":
            continue
        stop = data.find(b"endstream", match.end())
        if stop < 0:
            break
        body = data[match.end() : stop]
        outer.append(data[at : match.end()])
        at = stop
        yield from _stream(body, f"{where} stream {number}")
    # Its own beginning is no other file in what is left.
    text = b"".join((*outer, data[at:])).replace(b"%PDF-", b"%pdf-")
    yield Region(data=text, nature=Nature.TEXT, place=where)


def _stream(body: bytes, where: str) -> Iterator[Part]:
    """Contents of a stream of a PDF, packed or not, and what follows them."""
    packed = body.strip()
    try:
        if packed.endswith(b"~>"):
            packed = base64.a85decode(packed.removeprefix(b"<~").removesuffix(b"~>"))
        contents, rest = inflate(packed)
    except (zlib.error, EOFError, ValueError):
        yield body, where
    except OverflowError:
        yield Flaw(place=where, reason=TOO_LARGE)
    else:
        yield contents, where
        yield rest, where
