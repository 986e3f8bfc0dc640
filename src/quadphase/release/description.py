"""`dataset_description.json`: which specification a release follows, and the settings it was made with."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from quadphase.errors import InputError
from quadphase.io.json_file import load_json, save_json
from quadphase.model import Protocol
from quadphase.release.facts import ReleaseFacts

__all__ = [
    "DESCRIPTION_NAME",
    "SPECIFICATION",
    "description",
    "is_release",
    "load_description",
    "load_identity",
    "stated_readers",
    "stated_window",
    "title_of",
    "write_description",
]

DESCRIPTION_NAME: Final = "dataset_description.json"

SPECIFICATION: Final = {"name": "quadphase-release", "version": "1"}
"""Documented in docs/spec/release-v1.md."""


def title_of(protocol: Protocol) -> str:
    """Title of the release; the study's name where none was given."""
    return protocol.release.title or protocol.study.name


def description(protocol: Protocol, facts: ReleaseFacts, *, software: str) -> dict[str, Any]:
    """The content of the file."""
    return {
        "name": title_of(protocol),
        "version": protocol.release.version,
        "license": protocol.release.license,
        "specification": SPECIFICATION,
        "generated_by": {"name": "quadphase", "version": software},
        "phases": [phase.value for phase in facts.phases],
        "subjects": facts.subjects,
        "images": facts.images,
        "window_hu": list(facts.window_hu) if facts.window_hu else None,
        "margin_mm": protocol.localize.margin_mm,
        "splits": {"folds": protocol.splits.folds, "seed": protocol.splits.seed},
        "readers": len(protocol.annotate.readers),
    }


def write_description(root: Path, protocol: Protocol, facts: ReleaseFacts, *, software: str) -> None:
    """Write the file into the release folder."""
    save_json(root / DESCRIPTION_NAME, description(protocol, facts, software=software))


def stated_readers(value: Mapping[str, Any]) -> int:
    """Number of readers a description states; 0 where it says nothing.

    Raises
    ------
    InputError
        ``"bad-description"``.
    """
    readers = value.get("readers", 0)
    if isinstance(readers, bool) or not isinstance(readers, int) or readers < 0:
        raise _bad("readers must be a count")
    return readers


def stated_window(value: Mapping[str, Any]) -> tuple[int, int] | None:
    """The window a description states, in whole HU; None for the full range.

    Raises
    ------
    InputError
        ``"bad-description"``.
    """
    window = value.get("window_hu")
    if window is None:
        return None
    match window:
        case [int(lower) | float(lower), int(upper) | float(upper)] if -math.inf < lower < upper < math.inf:
            return round(lower), round(upper)
    raise _bad("window_hu must be two ascending numbers or null")


def _bad(what: str) -> InputError:
    return InputError("bad-description", f"{DESCRIPTION_NAME}: {what}", "Make the release again, or audit it")


def load_identity(root: Path) -> tuple[str, str]:
    """(name, version) of a release.

    Raises
    ------
    InputError
        ``"missing-file"``, ``"bad-json"``, ``"bad-description"``.
    """
    value = load_json(root / DESCRIPTION_NAME)
    name, version = (value.get("name"), value.get("version")) if isinstance(value, dict) else (None, None)
    if not isinstance(name, str) or not isinstance(version, str):
        raise InputError("bad-description", f"{root / DESCRIPTION_NAME} names no dataset and version", "Make it again")
    return name, version


def is_release(root: Path) -> bool:
    """Whether a folder is a release made by quadphase: the only kind of folder ``--overwrite`` may remove."""
    try:
        return load_description(root) is not None
    except InputError:
        return False


def load_description(root: Path) -> dict[str, Any] | None:
    """The whole description of a release that follows our specification; None for any other."""
    if not (root / DESCRIPTION_NAME).is_file():
        return None
    value = load_json(root / DESCRIPTION_NAME)
    ours = isinstance(value, dict) and isinstance(value.get("specification"), dict)
    return value if ours and value["specification"].get("name") == SPECIFICATION["name"] else None
