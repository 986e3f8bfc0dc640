"""How bright every tissue is in each of the four phases, with the literature it rests on.

Numbers are HU at 120 kV for 3 mL/s of iohexol, arterial scan 8 s after the trigger, venous 60 s and delayed 155-180
s (Luo et al. 2025). Enhancements of aorta (300 HU), spleen (100), liver (15-25), portal (75-104) and hepatic veins
(24-51) in the late arterial phase and of liver (59-63), spleen (73-82) and aorta (117-125) in the venous phase
follow Goshima et al., AJR 2006, "MDCT of the liver and hypervascular hepatocellular carcinomas" (bolus tracking, 4
mL/s), the aorta lowered for 3 mL/s in proportion to the injection rate (Bae, Radiology 2010;256:32-61,
doi:10.1148/radiol.10090908). Plain values: liver 55-65 HU, spleen about 10 HU lower, steatosis below 40 HU (Kodama
et al., AJR 2007;188:1307, doi:10.2214/AJR.06.0992).

Tumours: HCC is brighter than the liver in the arterial phase and darker in venous and delayed ("washout"), with an
enhancing capsule (ACR LI-RADS CT/MRI v2018; Lee et al., Br J Radiol 2012;85:e573, doi:10.1259/bjr/86767895).
Cholangiocarcinoma has an arterial rim and a centre that fills late (LI-RADS LR-M; Valls et al., Abdom Imaging
2000;25:490, doi:10.1007/s002610000079). The combined type shows both (Fowler et al., AJR 2013;201:332,
doi:10.2214/AJR.12.9488).
"""

from __future__ import annotations

from typing import Final

from quadphase.model import Phase
from quadphase.phantom.patient import LiverState, PatientSpec

__all__ = ["TISSUE_HU", "TUMOUR_OFFSET_HU", "liver_hu", "tissue_hu", "tumour_hu"]

TISSUE_HU: Final[dict[str, tuple[float, float, float, float]]] = {
    # tissue: plain, arterial, venous, delayed
    "liver": (59, 76, 116, 98),
    "spleen": (49, 132, 124, 102),
    "pancreas": (41, 108, 96, 78),
    "kidney cortex": (33, 182, 190, 160),
    "kidney medulla": (31, 66, 165, 168),
    "kidney pelvis": (4, 4, 10, 340),
    "aorta": (42, 282, 158, 122),
    "artery": (42, 255, 150, 118),
    "ivc upper": (41, 92, 148, 120),
    "ivc lower": (41, 48, 128, 118),
    "portal vein": (41, 126, 172, 126),
    "hepatic vein": (41, 68, 164, 122),
    "heart chamber": (42, 240, 156, 122),
    "myocardium": (46, 112, 118, 100),
    "muscle": (52, 56, 64, 64),
    "bowel wall": (38, 82, 92, 80),
    "gallbladder": (9, 9, 10, 11),
    "adrenal": (30, 70, 80, 65),
    "thyroid": (100, 160, 150, 130),
    "marrow": (165, 172, 182, 178),
    "necrosis": (21, 22, 24, 25),
}
"""HU in plain, arterial, venous, delayed."""

TUMOUR_OFFSET_HU: Final[dict[str, tuple[float, float, float, float]]] = {
    # compartment: HU minus that of normal liver in the same phase
    "hcc": (-13, 42, -22, -24),
    "hcc capsule": (-6, 4, 14, 16),
    "icc rim": (-17, 30, -6, -12),
    "icc core": (-21, -24, -26, 14),
}
"""Tumour compartments against normal liver, plain, arterial, venous, delayed."""

_STATE_OFFSET: Final[dict[LiverState, tuple[float, float, float, float]]] = {
    LiverState.NORMAL: (0, 0, 0, 0),
    LiverState.STEATOTIC: (-28, -28, -30, -29),
    LiverState.CIRRHOTIC: (-3, 2, -12, -4),
}
"""Fat lowers every phase; a cirrhotic liver gets less portal blood and enhances later (Bae 2010)."""

_LESION_SHARE_OF_FAT: Final = 0.75
"""Tumours in fatty livers are darker, too, but less than the liver around them."""


def tissue_hu(tissue: str, spec: PatientSpec, phase: Phase) -> float:
    """HU of a tissue of this patient in this phase."""
    curve = TISSUE_HU[tissue]
    return curve[0] + spec.enhancement * (curve[phase.order] - curve[0])


def liver_hu(spec: PatientSpec, phase: Phase) -> float:
    """HU of the liver's parenchyma, its state included."""
    return tissue_hu("liver", spec, phase) + _STATE_OFFSET[spec.liver_state][phase.order]


def tumour_hu(compartment: str, spec: PatientSpec, phase: Phase) -> float:
    """HU of a tumour compartment: ``hcc``, ``hcc capsule``, ``icc rim``, ``icc core`` or ``necrosis``."""
    if compartment == "necrosis":
        return tissue_hu("necrosis", spec, phase)
    offset = TUMOUR_OFFSET_HU[compartment][phase.order]
    state = _STATE_OFFSET[spec.liver_state][phase.order] * _LESION_SHARE_OF_FAT
    return tissue_hu("liver", spec, phase) + state + spec.enhancement * offset
