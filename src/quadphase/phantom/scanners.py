"""The two scanners of the paper: what their consoles write into every header, and their phase timing.

Timing as in Luo et al. 2025: arterial 8 s after the bolus trigger (180 HU Canon, 150 HU Philips), venous 60 s,
delayed 180 s (Canon) or 155 s (Philips) after the injection. No private attributes are written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from quadphase.phantom.patient import Scanner

__all__ = ["ARRIVAL_S", "DELAYED_S", "DESCRIPTIONS", "PROTOCOL", "SCANNER_TAGS"]

ARRIVAL_S: Final = {Scanner.CANON: 21.0, Scanner.PHILIPS: 19.0}
"""Seconds from injection until the aorta reaches the trigger threshold (180 HU Canon, 150 HU Philips)."""

DELAYED_S: Final = {Scanner.CANON: 180.0, Scanner.PHILIPS: 155.0}

DESCRIPTIONS: Final[dict[str, tuple[str, str, str, str]]] = {
    # words a console writes for P, C1, C2, C3
    "canon-en": ("Abdomen Plain 5.0", "Abdomen A 5.0", "Abdomen PV 5.0", "Abdomen Delay 5.0"),
    "canon-zh": ("上腹部平扫 5.0", "上腹部动脉期 5.0", "上腹部门脉期 5.0", "上腹部延迟期 5.0"),
    "philips-en": ("C-, iDose (3)", "ARTERIAL, iDose (3)", "VENOUS, iDose (3)", "DELAY, iDose (3)"),
    "philips-zh": ("平扫, iDose (3)", "动脉期, iDose (3)", "静脉期, iDose (3)", "平衡期, iDose (3)"),
    "bare": ("Body 5.0", "Body 5.0 CE", "Body 5.0 CE", "Body 5.0 CE"),
}
"""Series descriptions in the styles met in practice; ``bare`` says nothing about the phase."""

PROTOCOL: Final = {Scanner.CANON: "Liver 3 phase", Scanner.PHILIPS: "Liver_multiphase /Abdomen"}

SCANNER_TAGS: Final[dict[Scanner, Mapping[str, Any]]] = {
    Scanner.CANON: {
        "Manufacturer": "CANON_MEC",
        "ManufacturerModelName": "Aquilion PRIME",
        "StationName": "TSX-303A",
        "DeviceSerialNumber": "DCA1512345",
        "SoftwareVersions": "V8.40ER003",
        "ScanOptions": "HELICAL_CT",
        "DataCollectionDiameter": "500.00",
        "ReconstructionDiameter": "400.00",
        "GantryDetectorTilt": "+0.0",
        "TableHeight": "+96.00",
        "RotationDirection": "CW",
        "ExposureTime": "500",
        "XRayTubeCurrent": "290",
        "Exposure": "145",
        "FilterType": "LARGE",
        "FocalSpots": "1.6\\1.4",
        "ConvolutionKernel": "FC18",
        "RevolutionTime": 0.5,
        "SingleCollimationWidth": 0.5,
        "TotalCollimationWidth": 40.0,
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
    },
    Scanner.PHILIPS: {
        "Manufacturer": "Philips",
        "ManufacturerModelName": "Brilliance iCT",
        "StationName": "HOST-7654321",
        "DeviceSerialNumber": "300123",
        "SoftwareVersions": "4.1.6.22118",
        "ScanOptions": "HELIX",
        "DataCollectionDiameter": "500",
        "ReconstructionDiameter": "400",
        "GantryDetectorTilt": "0",
        "TableHeight": "142.5",
        "RotationDirection": "CW",
        "ExposureTime": "663",
        "XRayTubeCurrent": "301",
        "Exposure": "200",
        "FilterType": "IB",
        "ConvolutionKernel": "B",
        "SpiralPitchFactor": 0.914,
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL", "HELIX"],
        "WindowCenter": [60, 40],
        "WindowWidth": [360, 350],
    },
}
