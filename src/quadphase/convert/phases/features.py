"""`StackFeatures`: everything the phase assignment may look at, one value per stack, and nothing else.

Whoever reads headers fills it; the assignment never opens a file. A missing attribute is None (or an empty text),
never a guess: blank headers are the rule in public data. `EnhancementMeasures` is what `enhancement.measure` saw in
the pixels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["EnhancementMeasures", "StackFeatures"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnhancementMeasures:
    """What the image of one stack says about contrast, in HU; None where it could not be measured.

    Measured at the places the stacks of one exam share, so values of two stacks may be compared tissue by tissue.
    """

    aorta_hu: float | None = None
    liver_hu: float | None = None
    cortex_hu: float | None = None
    """Renal cortex: brightest part of the kidneys."""
    medulla_hu: float | None = None
    """Renal medulla: darker inner part of the kidneys."""
    pelvis_hu: float | None = None
    """Brightest percent inside the kidneys and just medial of them: excreted contrast in the delayed phase."""
    bright_fraction: float | None = None
    """Share of soft-tissue voxels (bone excluded) above 150 HU."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackFeatures:
    """One stack of slices of an exam, as a candidate for a phase.

    Parameters
    ----------
    index : int
        Position of the stack in the caller's list, 0-based; results refer to it.
    series : str
        Keyed hash of the SeriesInstanceUID plus the stack's number within it; free of identity, named in `phases.csv`.
    series_group : str
        The same for all stacks of one series, e.g. the hash without the stack's number; empty if unknown.
    texts : mapping of attribute keyword to str or bytes
        SeriesDescription, ProtocolName, StudyDescription, ImageComments, AcquisitionProtocolName, ContrastBolusAgent
        … Raw bytes where possible (encodings are repaired here), otherwise what pydicom decoded. Never the patient's
        name.
    charset : str or None
        SpecificCharacterSet as declared, backslash-separated; None if absent.
    acquisition_s : float or None
        Start of acquisition on the scanner's clock, seconds since any midnight common to the exam.
    contrast_start_s : float or None
        ContrastBolusStartTime on the same clock.
    series_number, acquisition_number : int or None
    instance_range : (int, int) or None
        Smallest and largest InstanceNumber, inclusive.
    n_slices : int
    z_extent_mm : (float, float)
        Lowest and highest slice position along the slice normal, RAS millimetres.
    slice_spacing_mm : float
        From positions.
    kernel : str or None
    contrast_agent : str or None
        ContrastBolusAgent; None if the attribute is absent, ``""`` if it is there and blank.
    contrast_route : str or None
        ContrastBolusRoute, same rule; ``Oral`` alone does not mean intravenous contrast.
    contrast_volume_ml : float or None
    image_type : tuple of str
    enhancement : EnhancementMeasures or None
        See `enhancement.with_enhancement`.
    """

    index: int
    series: str = ""
    series_group: str = ""
    texts: Mapping[str, str | bytes] = field(default_factory=dict, repr=False)
    charset: str | None = None
    acquisition_s: float | None = None
    contrast_start_s: float | None = None
    series_number: int | None = None
    acquisition_number: int | None = None
    instance_range: tuple[int, int] | None = None
    n_slices: int = 0
    z_extent_mm: tuple[float, float] = (0.0, 0.0)
    slice_spacing_mm: float = 0.0
    kernel: str | None = None
    contrast_agent: str | None = None
    contrast_route: str | None = None
    contrast_volume_ml: float | None = None
    image_type: tuple[str, ...] = ()
    enhancement: EnhancementMeasures | None = None
