"""`quadphase deidentify scan|dicom|score`: prove that a release is clean, clean DICOM, judge cleaned DICOM."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quadphase.cli.output import JsonOption, counted, emit, guard, progress

if TYPE_CHECKING:
    from quadphase.deidentify import ScanReport
    from quadphase.deidentify.folder import DicomReport
    from quadphase.deidentify.scorer import Score
    from quadphase.model.source import Identifier

__all__ = ["register"]

app = typer.Typer(help="Prove that a release is clean; clean DICOM for sharing.", no_args_is_help=True)

StudyOption = Annotated[Path, typer.Option("--study", help="Study whose ledger knows the identifiers.")]


@app.command()
def scan(
    path: Annotated[Path, typer.Argument(help="File or folder about to be released.")],
    study: StudyOption,
    allow: Annotated[list[str] | None, typer.Option("--allow", help="Text that is public on purpose.")] = None,
    json: JsonOption = False,
) -> None:
    """Search every byte of PATH for every identifier of the study. Exit code 5 when one is found."""
    with guard():
        from quadphase.deidentify import scan as scan_bytes
        from quadphase.errors import ExitCode, InputError
        from quadphase.io.ledger import Ledger
        from quadphase.io.study import Study

        home = Study(study)
        if not (home.restricted / "ledger.sqlite").is_file():
            raise InputError(
                "no-ledger", f"There is no ledger in {study}", "Name the study folder the release came from"
            )
        with Ledger(home.ledger_url) as ledger:
            identifiers = ledger.identifiers()
        if not identifiers:
            raise InputError(
                "empty-ledger", f"The ledger of {study} knows no identifiers", "Run `quadphase cohort` first"
            )
        with progress("Files and folders", quiet=json) as update:
            public = (*(allow or ()), *home.protocol.deidentify.public_texts)
            report = scan_bytes(path, identifiers, allow=public, progress=update)
        emit(report.to_dict(), json=json, text=lambda: _show(report))
        if not report.is_clean:
            raise typer.Exit(int(ExitCode.PRIVACY_STOP))


def _show(report: ScanReport) -> None:
    for finding in report.findings:
        typer.echo(f"{finding.severity.value:7} {finding.code}: {finding.location}: {finding.message}")
    verdict = "clean" if report.is_clean else "NOT clean: do not release"
    typer.echo(
        f"{counted(report.files, 'file')}, {report.bytes / 1e6:.1f} MB, "
        f"{counted(report.identifiers, 'identifier')} searched: {verdict}."
    )


@app.command()
def dicom(
    source: Annotated[Path, typer.Argument(metavar="IN", help="Folder of DICOM files; it is not changed.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="New folder.")],
    study: Annotated[Path | None, typer.Option("--study", help="Study whose key and pseudonyms are used.")] = None,
    key_file: Annotated[Path | None, typer.Option("--key-file", help="64 hex digits, made if missing.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing; say what would be refused.")] = False,
    json: JsonOption = False,
) -> None:
    """De-identify DICOM for sharing (PS3.15 Annex E); images with text in their pixels are refused."""
    with guard():
        from quadphase.deidentify.folder import deidentify_folder
        from quadphase.errors import ExitCode, InputError
        from quadphase.io.ledger import Ledger
        from quadphase.io.study import Study

        if (study is None) == (key_file is None):
            raise InputError("no-key", "Name either --study or --key-file", "The same key gives the same pseudonyms")
        made: Path | None = None
        pseudonyms: dict[str, str] = {}
        identifiers: tuple[Identifier, ...] = ()
        if study is not None:
            home = Study(study)
            key = home.key
            if (home.restricted / "ledger.sqlite").is_file():  # opening it would make it
                with Ledger(home.ledger_url) as ledger:
                    pseudonyms, identifiers = ledger.cases(), ledger.identifiers()
        else:
            assert key_file is not None  # noqa: S101 (for the type checker)
            made = key_file if not dry_run and not key_file.exists() else None
            key = _key(key_file, write=not dry_run)
        with _undone(made), progress("Cleaning", quiet=json) as update:
            report = deidentify_folder(
                source, out, key, pseudonyms=pseudonyms, identifiers=identifiers, dry_run=dry_run, progress=update
            )
        emit(report.to_dict(), json=json, text=lambda: _show_dicom(report, out, dry_run=dry_run))
        if report.refused or report.closed_folders:
            raise typer.Exit(int(ExitCode.SOME_CASES_FAILED))


def _key(path: Path, *, write: bool) -> bytes:
    """Key of a file; a new one where there is none, written unless this is a dry run."""
    import secrets

    from quadphase.errors import InputError
    from quadphase.io import atomic

    if not path.exists():
        new = secrets.token_hex(32)
        if write:
            atomic.write_text(path, new + "\n", overwrite=False)
            path.chmod(0o600)
        return bytes.fromhex(new)
    try:
        key = bytes.fromhex(path.read_text("ascii").strip())
    except (OSError, ValueError):
        key = b""
    if len(key) < 16:
        raise InputError("bad-key", f"{path} is not a key of 64 hex digits", "Name another file; a new one is made")
    return key


@contextmanager
def _undone(made: Path | None) -> Iterator[None]:
    """Take back a key file made for a run that then came to nothing."""
    try:
        yield
    except BaseException:
        if made is not None:
            made.unlink(missing_ok=True)
        raise


def _show_dicom(report: DicomReport, out: Path, *, dry_run: bool) -> None:
    for finding in report.findings:
        typer.echo(f"{finding.severity.value:7} {finding.code}: {finding.location} {finding.message}")
    verb = "would be written" if dry_run else f"written to {out}"
    typer.echo(
        f"{counted(report.written, 'file')} of {counted(report.subjects, 'patient')} {verb}, {report.refused} refused, "
        f"{counted(report.ignored, 'other file')} ignored."
    )
    if report.changed:
        counts = ", ".join(f"{keyword} {count}" for keyword, count in sorted(report.changed.items()))
        typer.echo(f"Texts that were no plain codes were shortened or dropped: {counts}.")
    if report.proof is not None:
        typer.echo(f"Searched for {report.proof.identifiers} identifiers: none found.")


@app.command()
def score(
    answer_key: Annotated[Path, typer.Argument(help="JSON list of task, instance, path, value.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder of de-identified DICOM.")],
    instance_tag: Annotated[str, typer.Option("--instance-tag", help="Keyword that tells instances apart.")] = (
        "InstanceNumber"
    ),
    json: JsonOption = False,
) -> None:
    """Judge de-identified DICOM by the ten actions of MIDI-B. Exit code 1 below 100 %."""
    with guard():
        from quadphase.deidentify.scorer import answer_key_from
        from quadphase.deidentify.scorer import score as judge
        from quadphase.errors import ExitCode

        result = judge(answer_key_from(answer_key), out, instance_tag=instance_tag)
        emit(result.to_dict(), json=json, text=lambda: _show_score(result))
        if result.percent < 100.0:
            raise typer.Exit(int(ExitCode.FINDINGS))


def _show_score(result: Score) -> None:
    for task, (passed, count) in result.by_task().items():
        typer.echo(f"{task:18} {passed:6} of {count}")
    typer.echo(f"{result.percent:.2f} % of {len(result.checks)} checks")


@app.command()
def predictability(
    release: Annotated[Path, typer.Argument(help="Release folder, or its table.")],
    json: JsonOption = False,
) -> None:
    """Test whether ids, order, file times or splits of a release tell the diagnosis. Exit code 1 if one does."""
    with guard():
        from quadphase.deidentify.predictability import judge_release
        from quadphase.errors import ExitCode

        report = judge_release(release)
        lines = [
            f"{name:12} " + ("not there, not tested" if p is None else f"p = {p:.2g}")
            for name, p in report.p_values.items()
        ]
        lines += [f"{f.severity.value:7} {f.code}: {f.message}" for f in report.findings]
        emit(report.to_dict(), json=json, text="\n".join(lines))
        if any(finding.code == "label-predictable" for finding in report.findings):
            raise typer.Exit(int(ExitCode.FINDINGS))


def register(parent: typer.Typer) -> None:
    parent.add_typer(app, name="deidentify")
