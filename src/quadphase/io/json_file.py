"""JSON files of quadphase: sorted, indented, UTF-8, one trailing newline; pydantic records in and out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from quadphase.errors import InputError
from quadphase.io import atomic
from quadphase.io.access import unreadable

__all__ = ["load_json", "load_record", "save_json", "save_record"]

R = TypeVar("R", bound=BaseModel)


def save_json(path: Path, value: Any, *, overwrite: bool = True) -> Path:
    """Write `value` as JSON; the same value gives the same bytes."""
    text = json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True, allow_nan=False)
    return atomic.write_text(path, text + "\n", overwrite=overwrite)


def save_record(path: Path, record: BaseModel, *, overwrite: bool = True) -> Path:
    """Write a pydantic record as JSON."""
    return save_json(path, record.model_dump(mode="json"), overwrite=overwrite)


def load_json(path: Path) -> Any:
    """Read a JSON file.

    Raises
    ------
    InputError
        ``"missing-file"``, ``"not-readable"``, ``"bad-json"``.
    """
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise unreadable(error, path, hint="Run the stage that writes it") from None
    except (ValueError, UnicodeDecodeError) as error:
        raise InputError(
            "bad-json", f"{path} is not valid JSON: {error}", "Remove it and run that stage again"
        ) from None


def load_record(path: Path, kind: type[R]) -> R:
    """Read a pydantic record.

    Raises
    ------
    InputError
        ``"missing-file"``, ``"not-readable"``, ``"bad-json"``, ``"bad-record"``.
    """
    value = load_json(path)
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(
            "bad-record", f"{path}: {where}: {first['msg']}", "Remove it and run that stage again"
        ) from None
