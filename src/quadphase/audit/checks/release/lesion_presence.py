"""Controls have no lesion, cancers have one."""

from __future__ import annotations

from collections.abc import Iterator

from quadphase.audit.contexts import ReleaseContext
from quadphase.model import Finding, Severity

__all__ = ["check"]


def check(context: ReleaseContext) -> Iterator[Finding]:
    facts = {volume.row.line: volume for volume in context.volumes}
    for subject in context.release:
        rows = [phase.row for phase in subject.phases]
        if subject.diagnosis is None or not rows:
            continue
        if subject.diagnosis.is_cancer:
            blank = [row.phase.value for row in rows if row.mask_path is None and row.phase]
            if blank:
                # Our protocol allows cases nobody has read; a release that says so contradicts nothing.
                severity = Severity.INFO if context.description else None
                message = f"no lesion mask in {', '.join(blank)}"
                yield Finding.of("cancer-without-lesion", subject.name, message, severity=severity)
            continue
        drawn = []
        for row in rows:
            volume = facts.get(row.line)
            listed = row.mask_path is not None
            voxels = volume.lesion.voxels if volume is not None and volume.lesion is not None else 0
            if row.phase and (voxels or (listed and context.table_only)):
                drawn.append(row.phase.value)
        if drawn:
            yield Finding.of("control-with-lesion", subject.name, f"lesion mask in {', '.join(drawn)}")
