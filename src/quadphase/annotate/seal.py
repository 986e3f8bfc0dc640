"""Seals: after sealing, a reading is evidence. Its digests are written down and every later use checks them first."""

from __future__ import annotations

from datetime import UTC, datetime

from quadphase.annotate.readings import reading_files, reading_record, require_same_images
from quadphase.errors import InputError, OutputError
from quadphase.io.hashing import sha256_of
from quadphase.io.json_file import load_record, save_record
from quadphase.io.study import Study
from quadphase.model import SealRecord

__all__ = ["is_sealed", "seal_reading", "verify_seal"]


def is_sealed(study: Study, reader: str, case: str) -> bool:
    """Whether this reading has a seal; `verify_seal` tells whether it is unbroken."""
    return (study.reading(reader, case) / "seal.json").is_file()


def seal_reading(study: Study, reader: str, case: str, *, tool: str = "", now: datetime | None = None) -> SealRecord:
    """Seal one reading: digests, reader, time and tool go into ``seal.json``; the files become read-only.

    Parameters
    ----------
    tool : str
        What the reader drew with, e.g. ``"ITK-SNAP 4.2"``.
    now : datetime, optional
        Time of sealing; the clock by default.

    Raises
    ------
    InputError
        ``"no-reading"``; ``"reading-outdated"`` if the case was converted anew since the masks were imported.
    OutputError
        ``"sealed"`` if it is sealed already.
    """
    folder = study.reading(reader, case)
    files = reading_files(folder)
    if not files:
        raise InputError("no-reading", f"{case}: reader {reader} has no reading", "Run `quadphase annotate import`")
    if is_sealed(study, reader, case):
        raise OutputError("sealed", f"{case}: reader {reader}'s reading is sealed already", "Nothing to do")
    images = reading_record(study, reader, case).images
    require_same_images(study, reader, case, images)
    record = SealRecord(
        reader=reader,
        case=case,
        tool=tool,
        sealed_at=(now or datetime.now(UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        sha256={path.name: sha256_of(path) for path in files.values()},
        images={phase: images[phase] for phase in files},
    )
    for path in files.values():
        path.chmod(0o444)
    save_record(folder / "seal.json", record, overwrite=False)
    (folder / "seal.json").chmod(0o444)
    return record


def verify_seal(study: Study, reader: str, case: str) -> SealRecord:
    """Check that a reading is sealed and unchanged, and that the images it was drawn on are still there.

    Raises
    ------
    InputError
        ``"not-sealed"``, ``"broken-seal"``, ``"reading-outdated"``.
    """
    if not is_sealed(study, reader, case):
        raise InputError(
            "not-sealed", f"{case}: reader {reader}'s reading is not sealed", "Run `quadphase annotate seal`"
        )
    folder = study.reading(reader, case)
    record = load_record(folder / "seal.json", SealRecord)
    present = {path.name: sha256_of(path) for path in reading_files(folder).values()}
    if present != record.sha256:
        raise InputError(
            "broken-seal",
            f"{case}: reader {reader}'s reading is not what was sealed",
            "Restore the sealed files from a backup",
        )
    require_same_images(study, reader, case, record.images)
    return record
