"""`checksums.sha256`: every file is in it and is what it says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from quadphase.audit.checks.release.derived import digest_of
from quadphase.audit.contexts import ReleaseContext
from quadphase.model import Finding

__all__ = ["MANIFEST", "check"]

MANIFEST: Final = "checksums.sha256"


def check(context: ReleaseContext) -> Iterator[Finding]:
    if context.table_only:
        return
    if context.manifest is None and MANIFEST in context.files:
        return  # it may not be read: said by the check of the files
    if context.manifest is None:
        yield Finding.of("checksums-absent", MANIFEST, "no manifest in the release")
        return
    known = {path: digest for volume in context.volumes for path, digest in volume.digests.items()}
    for path, digest in sorted(context.manifest.items()):
        if path not in context.files:
            yield Finding.of("file-missing", path, "listed in checksums.sha256, but does not exist")
        elif (known.get(path) or digest_of(context, path)) not in (digest, None):
            yield Finding.of("checksum-differs", path, "the SHA-256 is not the published one")
    for path in sorted(context.files - set(context.manifest) - {MANIFEST}):
        yield Finding.of("checksum-missing", path, "not in checksums.sha256")
