"""`Study`: where everything of a study lies on disk, and the few files every stage opens.

The layout is `docs/reference/study-layout.md`. Stages ask this class for paths and never join names themselves.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from quadphase.errors import InputError, OutputError
from quadphase.io import atomic
from quadphase.io.access import unreadable
from quadphase.model import Phase, Protocol
from quadphase.model.protocol import TEMPLATE

__all__ = ["Study"]


@dataclass(frozen=True)
class Study:
    """A study folder. Creating the object touches nothing.

    Parameters
    ----------
    root : Path
    """

    root: Path

    @classmethod
    def create(cls, root: Path) -> Study:
        """Make the folder with a commented `protocol.toml` and a private `restricted/` (mode 0700) with a new key.

        Raises
        ------
        OutputError
            ``"exists"`` if there is a protocol already; as `atomic.write_bytes`.
        """
        study = cls(root)
        if study.protocol_path.exists():
            raise OutputError("exists", f"{study.protocol_path} exists already", "Edit it, or name a new folder")
        atomic.write_bytes(study.protocol_path, TEMPLATE.read_bytes())
        study.make_restricted()
        return study

    def make_restricted(self) -> None:
        """Make `restricted/` (0700) and the study's key (0600, 32 random bytes in hex), where they do not exist.

        Raises
        ------
        OutputError
            As `atomic.write_bytes`.
        """
        try:
            self.restricted.mkdir(parents=True, exist_ok=True)
            self.restricted.chmod(0o700)
        except OSError as error:
            raise atomic.explain(error, self.restricted) from None
        if not self.key_path.exists():
            atomic.write_text(self.key_path, secrets.token_hex(32) + "\n")
            self.key_path.chmod(0o600)

    @cached_property
    def protocol(self) -> Protocol:
        """The protocol, read once; see `Protocol.load` for errors."""
        return Protocol.load(self.protocol_path)

    @cached_property
    def key(self) -> bytes:
        """Secret of the keyed pseudonyms and UID hashes.

        Raises
        ------
        InputError
            ``"no-key"``, ``"not-readable"``, ``"bad-key"``.
        """
        try:
            return bytes.fromhex(self.key_path.read_text("ascii").strip())
        except FileNotFoundError:
            raise InputError("no-key", f"There is no key in {self.restricted}", "Run `quadphase init` first") from None
        except OSError as error:
            raise unreadable(error, self.key_path) from None
        except ValueError:
            raise InputError("bad-key", f"{self.key_path} is not a key of 64 hex digits", "Restore it") from None

    @property
    def protocol_path(self) -> Path:
        return self.root / "protocol.toml"

    @property
    def restricted(self) -> Path:
        return self.root / "restricted"

    @property
    def key_path(self) -> Path:
        return self.restricted / "pseudonym.key"

    @property
    def ledger_url(self) -> str:
        """SQLAlchemy URL of the ledger."""
        return f"sqlite:///{self.restricted / 'ledger.sqlite'}"

    @property
    def parts(self) -> tuple[Path, ...]:
        """What a study is made of: its protocol and every folder a stage or a person writes; no output goes there."""
        names = ("cases", "livers", "readings", "consensus", "reports", "overrides")
        return (self.protocol_path, self.restricted, *(self.root / name for name in names))

    @property
    def downloads(self) -> Path:
        """Where network sources put DICOM files."""
        return self.restricted / "dicom"

    @property
    def reports(self) -> Path:
        return self.root / "reports"

    def exam_report(self, case: str) -> Path:
        """What was seen in every stack of a case's exam, also of one that is held back; written by `convert`."""
        return self.reports / "exams" / f"{case}.json"

    @property
    def cases(self) -> Path:
        return self.root / "cases"

    def case(self, case: str) -> Path:
        """Folder of one case, written by `convert`."""
        return self.cases / case

    def case_record(self, case: str) -> Path:
        return self.case(case) / "case.json"

    def ct(self, case: str, phase: Phase) -> Path:
        return self.case(case) / phase.value / "ct.nii.gz"

    def slices(self, case: str, phase: Phase) -> Path:
        return self.case(case) / phase.value / "slices.csv"

    @property
    def livers(self) -> Path:
        return self.root / "livers"

    def liver(self, case: str, phase: Phase) -> Path:
        """Liver mask on the grid of `ct`, written by `localize`."""
        return self.livers / case / f"{phase.value}.nii.gz"

    def liver_record(self, case: str) -> Path:
        return self.livers / case / "liver.json"

    @property
    def overrides(self) -> Path:
        """What people decided: ``phases.csv``, ``liver_range.csv``, ``livers/<case>/<phase>.nii.gz``."""
        return self.root / "overrides"

    def reading(self, reader: str, case: str) -> Path:
        """Folder of one reader's lesion masks of one case."""
        return self.root / "readings" / reader / case

    def consensus(self, case: str) -> Path:
        """Folder of the consensus lesion masks of one case."""
        return self.root / "consensus" / case

    def case_names(self) -> tuple[str, ...]:
        """Pseudonyms of the converted cases, sorted."""
        if not self.cases.is_dir():
            return ()
        finished = (p for p in self.cases.iterdir() if not p.name.startswith(atomic.TEMPORARY_PREFIX))
        return tuple(sorted(p.name for p in finished if (p / "case.json").is_file()))

    def relative(self, path: Path) -> str:
        """Study-relative POSIX path, as `StepRecord` names files."""
        return path.relative_to(self.root).as_posix()
