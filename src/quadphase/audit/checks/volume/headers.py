"""Places of a NIfTI file where identifiers have been found: text fields, extensions, the gzip header.

The text itself is never shown. `quadphase deidentify scan` searches every byte for the identifiers of a study's ledger.
"""

from __future__ import annotations

from collections.abc import Iterator

from quadphase.audit.facts import HeaderFacts, VolumeFacts
from quadphase.model import Finding

__all__ = ["check"]


def check(volume: VolumeFacts) -> Iterator[Finding]:
    yield from _judge(volume.location, volume.header)
    for name, mask in volume.masks():
        yield from _judge(f"{volume.location}/{name}", mask.header)


def _judge(location: str, header: HeaderFacts) -> Iterator[Finding]:
    plain = [name for name in header.texts if name not in header.suspicious]
    if header.suspicious:
        yield Finding.of("header-identifier", location, f"field {', '.join(header.suspicious)}")
    if plain:
        yield Finding.of("header-text", location, f"field {', '.join(plain)} is not empty")
    if header.extension_bytes:
        yield Finding.of(
            "header-extension",
            location,
            f"bytes before or behind the voxels that are not zero: {header.extension_bytes}",
        )
    if header.gzip:
        yield Finding.of("gzip-name-time", location, f"gzip file holds {', '.join(header.gzip)}")
