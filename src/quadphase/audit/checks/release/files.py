"""Every file is named by something, and every file named is there (missing images are found when they are read).

What lies in a folder that may not be listed could be anything, so such a folder is an error. A file that may not be
read is one, too: it is said here, for images when they are measured, and other checks pass over it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from quadphase.audit.checks.release.checksums import MANIFEST
from quadphase.audit.checks.release.layout import is_ours, is_specified
from quadphase.audit.contexts import ReleaseContext
from quadphase.model import Finding, Severity

__all__ = ["check"]

IMAGE_ENDINGS: Final = (".nii", ".nii.gz", ".dcm", ".nrrd", ".mha", ".mhd", ".itksnap", ".npz", ".npy")


def check(context: ReleaseContext) -> Iterator[Finding]:
    if context.table_only:
        yield Finding.of(
            "images-absent", context.release.table.name, f"{len(context.release.rows)} rows, no image here"
        )
        return
    for path in sorted(context.closed):
        yield Finding.of("folder-closed", path, "may not be listed: nothing is known about what is in it")
    ours = is_ours(context)
    named = {path for row in context.release.rows for path in (row.ct_path, row.mask_path, row.liver_mask_path) if path}
    for path in sorted(context.files - named):
        try:
            with (context.root / path).open("rb") as stream:
                stream.read(1)
        except OSError as error:
            yield Finding.of("file-corrupt", path, f"it cannot be read: {error.strerror}")
        if ours and not is_specified(path):
            message = "a release must hold no file that its specification does not name"
            yield Finding.of("file-unlisted", path, message, severity=Severity.ERROR)
            continue
        if path == MANIFEST:
            continue
        hidden = any(part.startswith(".") for part in path.split("/"))
        in_manifest = context.manifest is not None and path in context.manifest
        if path.lower().endswith(IMAGE_ENDINGS) or hidden or (context.manifest is not None and not in_manifest):
            yield Finding.of("file-unlisted", path, "neither the table nor the manifest names it")
