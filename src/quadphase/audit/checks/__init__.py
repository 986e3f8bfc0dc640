"""The registry: every check the audit runs. To add one, write a file and name it here."""

from __future__ import annotations

from typing import Final

from quadphase.audit.checks.case import enhancement, liver_masks, overlap, slice_order
from quadphase.audit.checks.release import (
    checksums,
    confounding,
    description,
    duplicates,
    files,
    frames,
    geometry_table,
    identifiers,
    kept_slices,
    label_leaks,
    layout,
    lesion_presence,
    lesion_table,
    metadata,
    splits,
    subjects,
    table,
    table1,
    windows,
)
from quadphase.audit.checks.volume import (
    components,
    field_of_view,
    finite,
    forms,
    grids,
    headers,
    hounsfield,
    lesion_outside,
    liver_content,
    liver_gap,
    liver_volume,
    mask_values,
    nominal_geometry,
    orientation,
    slice_spacing,
)
from quadphase.audit.contexts import CaseCheck, ReleaseCheck, VolumeCheck

__all__ = ["CASE_CHECKS", "RELEASE_CHECKS", "VOLUME_CHECKS"]

VOLUME_CHECKS: Final[tuple[VolumeCheck, ...]] = (
    components.check,
    finite.check,
    nominal_geometry.check,
    field_of_view.check,
    slice_spacing.check,
    orientation.check,
    hounsfield.check,
    grids.check,
    forms.check,
    mask_values.check,
    liver_gap.check,
    liver_volume.check,
    liver_content.check,
    lesion_outside.check,
    headers.check,
)

CASE_CHECKS: Final[tuple[CaseCheck, ...]] = (
    liver_masks.check,
    overlap.check,
    slice_order.check,
    enhancement.check,
)

RELEASE_CHECKS: Final[tuple[ReleaseCheck, ...]] = (
    table.check,
    subjects.check,
    lesion_presence.check,
    label_leaks.check,
    confounding.check,
    frames.check,
    duplicates.check,
    files.check,
    checksums.check,
    layout.check,
    identifiers.check,
    description.check,
    metadata.check,
    kept_slices.check,
    windows.check,
    geometry_table.check,
    lesion_table.check,
    table1.check,
    splits.check,
)
