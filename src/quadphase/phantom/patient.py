"""Who lies on the table: everything about a synthetic patient that the images depend on, as frozen values.

Positions are in the *phantom frame*: millimetres, ``u`` towards the patient's left, ``v`` towards the back, ``w``
towards the head, origin in the midline at the level of the first lumbar vertebra, for a person of average build;
`PatientSpec.build` scales them. Random patients follow the demographics of the paper (Luo et al. 2025, Table 1:
cancers 67 % male, median age 59; controls 82 % female, median age 41).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from quadphase.model import Diagnosis, Phase, Sex

__all__ = ["LesionSpec", "LiverState", "PatientSpec", "Scanner", "random_patient"]


class Scanner(StrEnum):
    """The two CT scanners of the paper."""

    CANON = "canon"
    """Canon Aquilion PRIME TSX-303A, 64 rows."""
    PHILIPS = "philips"
    """Philips Brilliance iCT, 128 rows."""


class LiverState(StrEnum):
    """Background liver."""

    NORMAL = "normal"
    STEATOTIC = "steatotic"
    CIRRHOTIC = "cirrhotic"


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionSpec:
    """One tumour.

    Parameters
    ----------
    center_mm : (float, float, float)
        (u, v, w) in the phantom frame.
    radius_mm : float
        Mean radius before lobulation.
    kind : Diagnosis
        HCC, ICC or CHCC: decides the enhancement.
    necrosis : float
        Fraction of the radius that is a non-enhancing core, 0 to 0.7.
    """

    center_mm: tuple[float, float, float]
    radius_mm: float
    kind: Diagnosis
    necrosis: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientSpec:
    """A synthetic patient; the same spec always gives the same images.

    Parameters
    ----------
    seed : int
        Seed of everything random in the anatomy and the noise.
    diagnosis : Diagnosis
    sex : Sex
    age_years : int
    scanner : Scanner
    lesions : tuple of LesionSpec
        Empty for controls.
    liver_state : LiverState
    build : float
        In-plane scale of the body, about 0.9 to 1.12.
    fat_mm : float
        Mean thickness of subcutaneous fat.
    enhancement : float
        Factor on every enhancement (lighter patients enhance more), about 0.85 to 1.15.
    breathing_mm : tuple of four float
        Craniocaudal displacement of the upper abdominal organs in P, C1, C2, C3; positive is towards the head.
    table_position_mm : float
        World z (RAS and LPS agree) of the phantom frame's origin.
    """

    seed: int
    diagnosis: Diagnosis
    sex: Sex = Sex.MALE
    age_years: int = 59
    scanner: Scanner = Scanner.CANON
    lesions: tuple[LesionSpec, ...] = ()
    liver_state: LiverState = LiverState.NORMAL
    build: float = 1.0
    fat_mm: float = 16.0
    enhancement: float = 1.0
    breathing_mm: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    table_position_mm: float = 0.0

    def breath(self, phase: Phase) -> float:
        """Displacement of the upper abdomen in this phase, millimetres towards the head."""
        return self.breathing_mm[phase.order]

    def with_lesions(self, *lesions: LesionSpec) -> PatientSpec:
        """The same person with other tumours; for tests."""
        return replace(self, lesions=lesions)


_SITES: tuple[tuple[float, float, float, float], ...] = (
    # (u, v, w, largest radius that stays mostly inside the liver), by Couinaud segment
    (-92.0, -18.0, 72.0, 44.0),  # VIII / V
    (-88.0, 26.0, 66.0, 42.0),  # VII
    (-102.0, 18.0, 22.0, 30.0),  # VI
    (-86.0, -34.0, 30.0, 32.0),  # V
    (-44.0, -44.0, 66.0, 28.0),  # IV
    (34.0, -52.0, 70.0, 18.0),  # II / III
    (-58.0, 22.0, 92.0, 22.0),  # VII / VIII, dome
)
"""Places where a tumour may grow."""


def random_patient(rng: np.random.Generator, diagnosis: Diagnosis) -> PatientSpec:
    """Draw a patient with this diagnosis.

    Parameters
    ----------
    rng : numpy.random.Generator
        Consumed; the same state gives the same patient.
    diagnosis : Diagnosis

    Examples
    --------
    >>> random_patient(np.random.default_rng(3), Diagnosis.HCC).diagnosis
    <Diagnosis.HCC: 'HCC'>
    """
    cancer = diagnosis.is_cancer
    sex = Sex.MALE if rng.random() < (0.673 if cancer else 0.181) else Sex.FEMALE
    age = int(np.clip(rng.normal(59, 11) if cancer else rng.normal(43, 11), 19, 86))
    # Most HCC grow in cirrhosis (Forner et al. 2018, doi:10.1016/S0140-6736(18)30010-2); fat is common everywhere.
    weights = {
        Diagnosis.HCC: (0.35, 0.1, 0.55),
        Diagnosis.ICC: (0.7, 0.2, 0.1),
        Diagnosis.CHCC: (0.5, 0.15, 0.35),
        Diagnosis.CN: (0.75, 0.25, 0.0),
    }[diagnosis]
    state = list(LiverState)[int(rng.choice(3, p=weights))]
    breaths = rng.normal(0.0, 2.5, 4)
    return PatientSpec(
        seed=int(rng.integers(2**31)),
        diagnosis=diagnosis,
        sex=sex,
        age_years=age,
        scanner=Scanner.CANON if rng.random() < 0.5 else Scanner.PHILIPS,
        lesions=_random_lesions(rng, diagnosis) if cancer else (),
        liver_state=state,
        build=float(rng.uniform(0.93, 1.08) - (0.03 if sex is Sex.FEMALE else 0.0)),
        fat_mm=float(rng.uniform(9, 22) + (5 if sex is Sex.FEMALE else 0)),
        enhancement=float(rng.uniform(0.9, 1.12)),
        breathing_mm=tuple(round(float(b), 2) for b in np.clip(breaths, -6, 6)),  # type: ignore[arg-type]
        table_position_mm=round(float(rng.uniform(-1300, -900)), 1),
    )


def _random_lesions(rng: np.random.Generator, diagnosis: Diagnosis) -> tuple[LesionSpec, ...]:
    count = int(rng.choice([1, 2, 3, 5], p=[0.62, 0.2, 0.12, 0.06]))
    lesions = []
    for n, site in enumerate(rng.permutation(len(_SITES))[:count]):
        u, v, w, limit = _SITES[site]
        radius = float(rng.uniform(0.45, 1.0)) * limit if n == 0 else float(rng.uniform(3.0, 0.5 * limit))
        du, dv, dw = rng.uniform(-6, 6, 3)
        necrosis = float(rng.uniform(0.3, 0.6)) if radius > 24 and rng.random() < 0.5 else 0.0
        center = (round(u + float(du), 1), round(v + float(dv), 1), round(w + float(dw), 1))
        lesions.append(
            LesionSpec(center_mm=center, radius_mm=round(radius, 1), kind=diagnosis, necrosis=round(necrosis, 2))
        )
    return tuple(lesions)
