"""What phase assignment may know of a stack: `StackFeatures` from headers, names only as keyed hashes."""

from __future__ import annotations

from quadphase.convert.exam import Stack
from quadphase.convert.phases import StackFeatures
from quadphase.io.pseudonyms import keyed_hash
from quadphase.model import lps_from_ras

__all__ = ["features_of", "first_acquired_s", "series_name"]


def series_name(stack: Stack, key: bytes) -> str:
    """Name of a stack, which no other of its exam has: keyed hashes of its series and form, and its part.

    E.g. ``3f2a….c9a4-2``. The form is what `stacks.group_slices` tells stacks of one series apart by (frame of
    reference, kernel, image type, matrix, pixel spacing, orientation); parts of one form are told apart by number.
    """
    first = stack.headers[0]
    plane, frame = first.plane, first.origin.frame_of_reference_uid
    matrix = (plane.rows, plane.columns, round(plane.row_spacing_mm, 4), round(plane.column_spacing_mm, 4))
    # + 0.0: what rounds to minus zero is zero.
    cosines = [round(x, 4) + 0.0 for x in (*plane.row_direction, *plane.column_direction)]
    form = repr((frame, first.acquisition.kernel, first.acquisition.image_type[:3], matrix, cosines))
    series = keyed_hash(key, "series", stack.series_identity)
    return f"{series}.{keyed_hash(key, 'form', form, digits=4)}-{stack.part}"


def first_acquired_s(stack: Stack) -> float | None:
    """Start of acquisition in seconds from a fixed day; only differences mean anything."""
    times = [h.acquisition.acquisition_time_s for h in stack.headers]
    known = [t for t in times if t is not None]
    return min(known) if len(known) == len(times) else None


def features_of(stack: Stack, key: bytes) -> StackFeatures:
    """Features of a usable stack; the image's own measures are added by `phases.enhancement`."""
    a = stack.headers[len(stack.headers) // 2].acquisition
    numbers = [h.acquisition.instance_number for h in stack.headers]
    known = [n for n in numbers if n is not None]
    grid = stack.proved_grid
    low = float(stack.geometry.along_mm[0])
    high = float(stack.geometry.along_mm[-1])
    if lps_from_ras(grid.affine)[2, 2] < 0:
        low, high = -high, -low
    return StackFeatures(
        index=stack.index,
        series=series_name(stack, key),
        series_group=keyed_hash(key, "series", stack.series_identity),
        texts=dict(a.texts),
        charset=a.character_set or None,
        acquisition_s=first_acquired_s(stack),
        contrast_start_s=a.contrast_start_s,
        series_number=a.series_number,
        acquisition_number=a.acquisition_number,
        instance_range=(min(known), max(known)) if known else None,
        n_slices=grid.shape[2],
        z_extent_mm=(low, high),
        slice_spacing_mm=grid.spacing_mm[2],
        kernel=a.kernel or None,
        contrast_agent=a.contrast_agent,
        contrast_route=a.contrast_route,
        contrast_volume_ml=a.contrast_volume_ml,
        image_type=a.image_type,
    )
