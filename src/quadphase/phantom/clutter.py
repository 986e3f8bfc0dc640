"""What a PACS export holds besides the four phases: localizer, dose report, reformats, stray files.

None of it may become a phase of a case; a tool that trips over it is not ready for a hospital.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydicom.uid import CTImageStorage, SecondaryCaptureImageStorage

from quadphase.model import Grid, Phase, Volume
from quadphase.phantom.dicom import PIXELS, base_dataset, save_dataset, slices_of, write_slices
from quadphase.phantom.exam import Exam, uid_of
from quadphase.phantom.scanners import SCANNER_TAGS

__all__ = ["write_dose_report", "write_localizer", "write_reformat", "write_stray_files"]


def write_localizer(exam: Exam, volume: Volume, folder: Path, name: str) -> Path:
    """A frontal scout: the mean of the volume along the rays, one LOCALIZER image in the coronal plane."""
    hu = volume.hu.mean(axis=1)[:, ::-1]  # (I, K) from head to foot
    di, _, dk = volume.grid.spacing_mm
    x, _, z = volume.grid.world_from_index((0, 0, volume.grid.shape[2] - 1))
    affine = np.array([[-di, 0, 0, x], [0, 0, 1, 0], [0, -dk, 0, z], [0, 0, 0, 1.0]])
    grid = Grid((*hu.shape, 1), affine)
    flat = Volume(hu=hu[:, :, None].astype(np.int16), grid=grid)
    tags = exam.tags(None, series_number=1) | {
        "ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"],
        "SeriesDescription": "Scanogram" if exam.scanner.value == "canon" else "Surview",
        "ScanOptions": "SURVIEW",
    }
    slices = [s.but(tags={"RescaleType": None}) for s in slices_of(flat, pixels=PIXELS[exam.scanner])]
    return write_slices(slices, folder, tags=tags, name=lambda _: name)[0]


def write_dose_report(exam: Exam, folder: Path, name: str) -> Path:
    """A screenshot of the dose page: secondary capture, 8 bit; bars in its pixels stand for the burned-in text."""
    page = np.zeros((256, 256), dtype=np.uint8)
    rng = np.random.default_rng(len(exam.accession_number))
    for row in range(24, 232, 16):  # bars where text would be
        page[row : row + 6, 16 : 40 + int(rng.integers(20, 180))] = 220
    tags = exam.tags(None, series_number=999)
    acquired = set(SCANNER_TAGS[exam.scanner]) - {"Manufacturer", "ManufacturerModelName", "StationName"}
    for keyword in ("FrameOfReferenceUID", "PositionReferenceIndicator", "KVP", "AcquisitionNumber", *acquired):
        tags.pop(keyword, None)
    tags |= {
        "ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"],
        "SeriesDescription": "Dose Report",
        "ConversionType": "WSD",
        "BurnedInAnnotation": "YES",
        "PatientOrientation": "",
        "InstanceNumber": 1,
        "SOPInstanceUID": uid_of("dose", exam.study_uid),
    }
    data = base_dataset(tags, SecondaryCaptureImageStorage)
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.Rows, data.Columns = page.shape
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 8, 8, 7, 0
    data.add_new("PixelData", "OB", page.tobytes())
    return save_dataset(data, folder / name)


def write_reformat(exam: Exam, volume: Volume, phase: Phase, folder: Path, stem: str, *, images: int = 6) -> list[Path]:
    """A coronal reformat of one phase: DERIVED, a few thick slabs, same study and frame of reference."""
    n_i, n_j, n_k = volume.grid.shape
    rows = np.linspace(n_j * 0.3, n_j * 0.7, images).astype(int)
    world = volume.grid.affine
    affine = np.eye(4)
    affine[:3, 0] = world[:3, 0]
    affine[:3, 1] = -world[:3, 2]
    affine[:3, 2] = world[:3, 1] * float(rows[1] - rows[0])
    affine[:3, 3] = volume.grid.world_from_index((0, int(rows[0]), n_k - 1))
    hu = volume.hu[:, rows, ::-1].transpose(0, 2, 1)
    coronal = Volume(hu=np.ascontiguousarray(hu), grid=Grid((n_i, n_k, images), affine))
    tags = exam.tags(phase, series_number=300 + phase.order)
    tags |= {
        "ImageType": ["DERIVED", "SECONDARY", "MPR"],
        "SeriesDescription": "MPR " + str(tags["SeriesDescription"]),
        "SOPClassUID": CTImageStorage,
    }
    return write_slices(
        slices_of(coronal, pixels=PIXELS[exam.scanner]), folder, tags=tags, name=lambda n: f"{stem}{n:03d}"
    )


def write_stray_files(pacs: Path) -> None:
    """Files that are not DICOM, or not images: what people and viewers leave in an export."""
    (pacs / "DICOMDIR").write_bytes(b"\x00" * 128 + b"DICM" + b"\x00" * 64)
    (pacs / "readme.txt").write_text(
        "Export from PACS, copy 2 of 3. Call ext. 4471 if a disc is unreadable.\n", "utf-8"
    )
    (pacs / "Thumbs.db").write_bytes(bytes(range(256)) * 4)
    (pacs / "autorun.inf").write_text("[autorun]\nopen=viewer.exe\n", "ascii")
    (pacs / "empty").write_bytes(b"")
