"""`Protocol`: every setting of a study, loaded from `protocol.toml`.

`TEMPLATE` is the commented file `quadphase init` writes; it parses to exactly the defaults (tested).
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from quadphase.errors import ProtocolError
from quadphase.model.protocol import sections as s

__all__ = ["TEMPLATE", "Protocol"]

TEMPLATE = Path(__file__).with_name("template.toml")


class Protocol(s.Section):
    """All sections. Immutable; every default is the paper's value."""

    study: s.StudySection = Field(default_factory=s.StudySection)
    columns: s.ColumnsSection = Field(default_factory=s.ColumnsSection)
    cohort: s.CohortSection = Field(default_factory=s.CohortSection)
    pacs: s.PacsSection = Field(default_factory=s.PacsSection)
    convert: s.ConvertSection = Field(default_factory=s.ConvertSection)
    phases: s.PhasesSection = Field(default_factory=s.PhasesSection)
    localize: s.LocalizeSection = Field(default_factory=s.LocalizeSection)
    window: s.WindowSection = Field(default_factory=s.WindowSection)
    annotate: s.AnnotateSection = Field(default_factory=s.AnnotateSection)
    deidentify: s.DeidentifySection = Field(default_factory=s.DeidentifySection)
    release: s.ReleaseSection = Field(default_factory=s.ReleaseSection)
    splits: s.SplitsSection = Field(default_factory=s.SplitsSection)

    @classmethod
    def load(cls, path: Path) -> Protocol:
        """Read `protocol.toml`.

        Raises
        ------
        ProtocolError
            ``"no-protocol"``, ``"no-study"`` (a file where the study folder should be), ``"not-readable"``,
            ``"bad-toml"``, ``"bad-protocol"`` (unknown key, wrong value), each in one line.
        """
        try:
            text = path.read_bytes()
        except FileNotFoundError:
            raise ProtocolError(
                "no-protocol", f"There is no {path.name} in {path.parent}", "Run `quadphase init` there first"
            ) from None
        except NotADirectoryError:
            raise ProtocolError(
                "no-study", f"{path.parent} is not a folder", "Name the folder of a study, made by `quadphase init`"
            ) from None
        except IsADirectoryError:
            raise ProtocolError("not-readable", f"{path} is a folder, not a file", "Move it, then init again") from None
        except PermissionError:
            raise ProtocolError("not-readable", f"Not allowed to read {path}", "Ask for the right to read it") from None
        except OSError as error:
            raise ProtocolError("not-readable", f"Cannot read {path}: {error.strerror}", "Check the disk") from None
        try:
            values: dict[str, Any] = tomllib.loads(text.decode("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ProtocolError("bad-toml", f"{path} is not valid TOML: {error}", "Correct that line") from None
        return cls.of(values, where=str(path))

    @classmethod
    def of(cls, values: dict[str, Any], *, where: str = "protocol") -> Protocol:
        """Validate a mapping of sections; see `load` for the errors."""
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"])
            if first["type"] == "extra_forbidden":
                message = f"{where}: unknown key '{key}'"
                hint = "Remove it, or compare with the file `quadphase init` writes"
            else:
                message, hint = f"{where}: {key}: {first['msg']}", "Correct the value"
            raise ProtocolError("bad-protocol", message, hint) from None
