"""`quadphase pack RELEASE ARCHIVE`: one deterministic archive of a release."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from quadphase.cli.output import JsonOption, counted, emit, guard, progress

__all__ = ["register"]


def pack(
    source: Annotated[Path, typer.Argument(help="Folder of a release.")],
    archive: Annotated[
        Path | None, typer.Argument(help="NAME.tar.gz or NAME.zip; by default title-version.tar.gz.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing archive.")] = False,
    json: JsonOption = False,
) -> None:
    """Check a release against its checksums and pack it: the same release gives the same archive, byte for byte."""
    with guard():
        from quadphase.release.description import load_identity
        from quadphase.release.pack import archive_prefix, pack_release

        prefix = archive_prefix(*load_identity(source))
        target = archive if archive is not None else Path(f"{prefix}.tar.gz")
        with progress("check", quiet=json) as report:
            packed = pack_release(source, target, prefix=prefix, overwrite=overwrite, progress=report)
        emit(
            {
                "archive": str(packed.path),
                "files": packed.files,
                "size_bytes": packed.size_bytes,
                "sha256": packed.sha256,
                "prefix": prefix,
            },
            json=json,
            text=f"{packed.path}: {counted(packed.files, 'file')}, {packed.size_bytes / 1e6:.1f} MB\n"
            f"sha256 {packed.sha256}",
        )


def register(app: typer.Typer) -> None:
    app.command()(pack)
