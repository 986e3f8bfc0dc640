"""Rows of `geometry.csv` and `lesions.csv` of one released image."""

from __future__ import annotations

import numpy as np

from quadphase.imaging.lesions import LesionMeasures
from quadphase.io.release_tables import GeometryRow, LesionRow
from quadphase.model import Mask, Phase, Volume
from quadphase.model.vocabulary.plain_code import plain_code
from quadphase.release.source import PhaseSource

__all__ = ["geometry_row", "lesion_rows"]


def geometry_row(
    case: str,
    source: PhaseSource,
    volume: Volume,
    liver: Mask,
    lesions: LesionMeasures | None,
    *,
    slices: tuple[int, int, int],
    added: int | None,
) -> GeometryRow:
    """Row of `geometry.csv` of one image.

    Parameters
    ----------
    volume, liver : Volume, Mask
        As released: cropped and windowed, the liver with its lesions.
    lesions : LesionMeasures or None
        None without a lesion mask.
    slices : tuple of int
        Slices of the converted volume; first and stop (0-based, half-open) of those that were kept.
    added : int or None
        Voxels that the lesions added to the liver mask.
    """
    record = source.record
    seconds = record.seconds_after_first
    i, j, k = volume.grid.shape
    si, sj, sk = volume.grid.spacing_mm
    x, y, z = volume.grid.origin_mm
    limits = volume.window_hu or (None, None)
    low, high = volume.hu.min(), volume.hu.max()
    number = float if volume.hu.dtype == np.float32 else int
    return GeometryRow(
        patient_id=case,
        phase=record.phase.value,
        voxels_i=i,
        voxels_j=j,
        voxels_k=k,
        spacing_i_mm=si,
        spacing_j_mm=sj,
        slice_spacing_mm=sk,
        orientation="".join(volume.grid.axis_codes),
        origin_x_mm=x,
        origin_y_mm=y,
        origin_z_mm=z,
        source_slices=slices[0],
        first_slice=slices[1],
        stop_slice=slices[2],
        window_lower_hu=limits[0],
        window_upper_hu=limits[1],
        minimum_hu=number(low),
        maximum_hu=number(high),
        liver_volume_ml=liver.volume_ml,
        lesion_count=None if lesions is None else lesions.count,
        lesion_volume_ml=None if lesions is None else lesions.volume_ml,
        lesion_max_diameter_mm=None if lesions is None else lesions.max_diameter_mm,
        lesion_slices=None if lesions is None else lesions.slices,
        manufacturer=_thing(record.manufacturer),
        model=_thing(record.model),
        kernel=_thing(record.kernel),
        kvp=record.kvp,
        slice_thickness_mm=record.slice_thickness_mm,
        seconds_after_first=None if seconds is None or source.first_s is None else round(seconds - source.first_s, 3),
        data_type=volume.hu.dtype.name,
        liver_source=source.liver_source,
        liver_voxels_from_lesions=added,
        range_source=source.range_source,
        resampling="; ".join(f.message for f in record.findings if f.code == "resampled") or None,
    )


def lesion_rows(case: str, phase: Phase, measures: LesionMeasures) -> tuple[LesionRow, ...]:
    """Rows of `lesions.csv` of one image."""
    return tuple(
        LesionRow(
            patient_id=case,
            phase=phase.value,
            lesion=lesion.number,
            voxels=lesion.voxels,
            volume_ml=lesion.volume_ml,
            max_diameter_mm=lesion.max_diameter_mm,
            slices=lesion.slices,
            first_slice=lesion.first,
            stop_slice=lesion.stop,
            centroid_x_mm=lesion.centroid_mm[0],
            centroid_y_mm=lesion.centroid_mm[1],
            centroid_z_mm=lesion.centroid_mm[2],
        )
        for lesion in measures.lesions
    )


def _thing(text: str | None) -> str | None:
    """What names a scanner or a kernel (``Br40d\\3`` are two values), and nothing that somebody typed beside it."""
    return "\\".join(map(plain_code, text.split("\\"))).strip("\\") or None if text else None
