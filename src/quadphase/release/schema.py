"""What every column of every table means: the one source for `datapackage.json`, `croissant.json`, README and the spec.

The columns of `geometry.csv` and `lesions.csv` are checked against the dataclasses that write them (tested), so a
column
without a meaning cannot be released.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from quadphase.io.release_rows import TABLE_NAME
from quadphase.io.release_tables import GEOMETRY_NAME, LESIONS_NAME
from quadphase.release.splits import SPLITS_NAME

__all__ = ["TABLES", "Column", "TableSchema"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: its type, whether NA may stand in it, its meaning with unit and index base."""

    name: str
    kind: Literal["string", "integer", "number"]
    meaning: str
    nullable: bool = False
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSchema:
    """One table of a release."""

    file: str
    meaning: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]


def _c(
    name: str,
    kind: Literal["string", "integer", "number"],
    meaning: str,
    *,
    nullable: bool = False,
    values: tuple[str, ...] = (),
) -> Column:
    return Column(name=name, kind=kind, meaning=meaning, nullable=nullable, values=values)


_PHASES: Final = ("P", "C1", "C2", "C3")
_ID: Final = _c("patient_id", "string", "Pseudonym of the subject: its number is drawn at random and means nothing.")
_PHASE: Final = _c("phase", "string", "Contrast phase: P plain, C1 arterial, C2 venous, C3 delayed.", values=_PHASES)

TABLES: Final[tuple[TableSchema, ...]] = (
    TableSchema(
        file=TABLE_NAME,
        meaning="One row for each CT volume, with the paths of the volume and of its masks.",
        key=("patient_id", "phase"),
        columns=(
            _ID,
            _c(
                "age",
                "integer",
                "Age at the exam, completed years; where the birth date is unknown, as the clinical table gives it. "
                "90 stands for 90 and above.",
                nullable=True,
            ),
            _c("gender", "string", "Sex as recorded.", nullable=True, values=("male", "female")),
            _PHASE,
            _c(
                "cancer_type",
                "string",
                "HCC hepatocellular carcinoma, ICC intrahepatic cholangiocarcinoma, CHCC combined, CN control.",
                values=("HCC", "ICC", "CHCC", "CN"),
            ),
            _c("ct_path", "string", "CT volume: HU, NIfTI-1, path relative to this table."),
            _c(
                "mask_path", "string", "Lesion mask, 0 and 1, on the grid of the volume; NA: none drawn.", nullable=True
            ),
            _c("liver_mask_path", "string", "Liver mask with its lesions, 0 and 1, on the grid of the volume."),
        ),
    ),
    TableSchema(
        file=GEOMETRY_NAME,
        meaning="One row for each CT volume: where it is in space, what was kept of its source, what it measures.",
        key=("patient_id", "phase"),
        columns=(
            _ID,
            _PHASE,
            _c("voxels_i", "integer", "Voxels along the first axis."),
            _c("voxels_j", "integer", "Voxels along the second axis."),
            _c("voxels_k", "integer", "Slices."),
            _c("spacing_i_mm", "number", "Distance of voxel centres along the first axis, mm."),
            _c("spacing_j_mm", "number", "Distance of voxel centres along the second axis, mm."),
            _c("slice_spacing_mm", "number", "Distance of slice centres from the slice positions, mm."),
            _c("orientation", "string", "Directions the axes run towards, such as LPS: left, posterior, superior."),
            _c("origin_x_mm", "number", "Centre of voxel (0, 0, 0), RAS+ x, mm."),
            _c("origin_y_mm", "number", "Centre of voxel (0, 0, 0), RAS+ y, mm."),
            _c("origin_z_mm", "number", "Centre of voxel (0, 0, 0), RAS+ z, mm."),
            _c("source_slices", "integer", "Slices of the volume before cropping.", nullable=True),
            _c("first_slice", "integer", "First slice kept, 0-based in the source.", nullable=True),
            _c("stop_slice", "integer", "Slice after the last one kept, 0-based in the source.", nullable=True),
            _c("window_lower_hu", "integer", "Values below were set to this; NA: full range.", nullable=True),
            _c("window_upper_hu", "integer", "Values above were set to this; NA: full range.", nullable=True),
            _c("minimum_hu", "number", "Smallest value in the volume, HU."),
            _c("maximum_hu", "number", "Largest value in the volume, HU."),
            _c("liver_volume_ml", "number", "Volume of the liver mask, ml.", nullable=True),
            _c("lesion_count", "integer", "26-connected components of the lesion mask; NA: no mask.", nullable=True),
            _c("lesion_volume_ml", "number", "Volume of the lesion mask, ml; NA: no mask.", nullable=True),
            _c(
                "lesion_max_diameter_mm",
                "number",
                "Greatest 3-D distance between two voxel centres of one lesion, mm; NA: no mask, or an empty one.",
                nullable=True,
            ),
            _c("lesion_slices", "integer", "Slices with a lesion voxel; NA: no mask.", nullable=True),
            _c("manufacturer", "string", "Of the scanner, as in its headers.", nullable=True),
            _c("model", "string", "Of the scanner, as in its headers.", nullable=True),
            _c("kernel", "string", "Reconstruction kernel.", nullable=True),
            _c("kvp", "number", "Tube voltage, kV.", nullable=True),
            _c("slice_thickness_mm", "number", "Slice thickness the header claims, mm.", nullable=True),
            _c("seconds_after_first", "number", "Time since the exam's first released phase, s.", nullable=True),
            _c(
                "data_type",
                "string",
                "Of the volume's voxels; float32 where HU are fractional or exceed int16.",
                nullable=True,
                values=("int16", "float32"),
            ),
            _c("liver_source", "string", "What made the liver mask: a backend of quadphase, or person.", nullable=True),
            _c(
                "liver_voxels_from_lesions",
                "integer",
                "Voxels of the liver mask that only the lesion mask has: both were united; NA: no lesion mask.",
                nullable=True,
            ),
            _c(
                "range_source",
                "string",
                "What chose the slices kept: the liver mask, or a person, whose range may be wider or narrower.",
                nullable=True,
                values=("liver", "person"),
            ),
            _c(
                "resampling",
                "string",
                "What was resampled, because the protocol asked for it and the stack needed it; NA: nothing.",
                nullable=True,
            ),
        ),
    ),
    TableSchema(
        file=LESIONS_NAME,
        meaning="One row for each lesion in each lesion mask; a lesion is a 26-connected component.",
        key=("patient_id", "phase", "lesion"),
        columns=(
            _ID,
            _PHASE,
            _c("lesion", "integer", "1 for the largest of its mask. Numbers do not match between phases."),
            _c("voxels", "integer", "Voxels of the lesion."),
            _c("volume_ml", "number", "Volume, ml."),
            _c("max_diameter_mm", "number", "Greatest 3-D distance between two voxel centres, mm."),
            _c("slices", "integer", "Slices that hold a voxel of the lesion."),
            _c("first_slice", "integer", "First slice, 0-based in the released volume."),
            _c("stop_slice", "integer", "Slice after the last one, 0-based in the released volume."),
            _c("centroid_x_mm", "number", "Mean of the voxel centres, RAS+ x, mm."),
            _c("centroid_y_mm", "number", "Mean of the voxel centres, RAS+ y, mm."),
            _c("centroid_z_mm", "number", "Mean of the voxel centres, RAS+ z, mm."),
        ),
    ),
    TableSchema(
        file=SPLITS_NAME,
        meaning="One row for each subject: its frozen fold, balanced on diagnosis, sex and age.",
        key=("patient_id",),
        columns=(_ID, _c("fold", "integer", "Fold, 0-based; every image of a subject shares it.")),
    ),
)
