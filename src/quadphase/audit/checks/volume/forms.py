"""qform and sform must place an image alike: ITK reads one first, nibabel the other, and a mask then lies elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from quadphase.audit.facts import HeaderFacts, VolumeFacts
from quadphase.model import Finding

__all__ = ["check"]

SLACK_MM: Final = 0.1
"""Quaternions are float32; over 500 mm that is some hundredths of a millimetre."""


def check(volume: VolumeFacts) -> Iterator[Finding]:
    yield from _judge(volume.location, volume.header)
    for name, mask in volume.masks():
        yield from _judge(f"{volume.location}/{name}", mask.header)


def _judge(location: str, header: HeaderFacts) -> Iterator[Finding]:
    if header.forms_apart_mm > SLACK_MM:
        message = f"corner voxels are up to {header.forms_apart_mm:.1f} mm apart"
        yield Finding.of("forms-disagree", location, message)
