"""`dataset_description.json`: every key is there, of its kind, and agrees with the tables (section 5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from quadphase.audit.checks.release.layout import is_ours
from quadphase.audit.contexts import ReleaseContext
from quadphase.errors import InputError
from quadphase.io.json_file import load_json
from quadphase.model import Finding, Phase

__all__ = ["NAME", "SPECIFICATION", "check"]

NAME: Final = "dataset_description.json"

SPECIFICATION: Final = {"name": "quadphase-release", "version": "1"}


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_window(value: Any) -> bool:
    return value is None or (
        isinstance(value, list) and len(value) == 2 and all(map(_is_number, value)) and value[0] < value[1]
    )


def _is_phases(value: Any) -> bool:
    known = [phase.value for phase in Phase]
    return isinstance(value, list) and bool(value) and all(name in known for name in value)


def _is_splits(value: Any) -> bool:
    return isinstance(value, dict) and _is_count(value.get("folds")) and _is_count(value.get("seed"))


KINDS: Final[Mapping[str, tuple[Callable[[Any], bool], str]]] = {
    "name": (_is_text, "text"),
    "version": (_is_text, "text"),
    "license": (_is_text, "an SPDX identifier"),
    "specification": (lambda v: v == SPECIFICATION, 'quadphase-release, version "1"'),
    "generated_by": (lambda v: isinstance(v, dict) and _is_text(v.get("name")), "an object with a name"),
    "phases": (_is_phases, "a list of P, C1, C2, C3"),
    "subjects": (_is_count, "a count"),
    "images": (_is_count, "a count"),
    "window_hu": (_is_window, "two ascending numbers or null"),
    "margin_mm": (lambda v: _is_number(v) and v >= 0, "a length"),
    "splits": (_is_splits, "an object with folds and seed"),
    "readers": (_is_count, "a count"),
}


def check(context: ReleaseContext) -> Iterator[Finding]:
    if not is_ours(context) or NAME not in context.files:
        return
    try:
        value = load_json(context.root / NAME)
    except InputError as error:
        if error.code != "not-readable":  # said by the check of the files
            yield Finding.of("contract-broken", NAME, "it is not JSON")
        return
    if not isinstance(value, dict):
        yield Finding.of("contract-broken", NAME, "it must be one object")
        return
    missing = [key for key in KINDS if key not in value]
    if missing:
        yield Finding.of("contract-broken", NAME, f"must hold {', '.join(missing)}")
    for key, (fits, words) in KINDS.items():
        if key in value and not fits(value[key]):
            yield Finding.of("contract-broken", NAME, f"{key} must be {words}")
    for key, counted in (("subjects", len(context.release)), ("images", len(context.release.rows))):
        if _is_count(value.get(key)) and value[key] != counted:
            yield Finding.of("contract-broken", NAME, f"says {value[key]} {key}, the table has {counted}")
