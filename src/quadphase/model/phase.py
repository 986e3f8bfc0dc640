"""The closed sets of the field: contrast phases, diagnoses, sexes, with the codes the paper publishes."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Diagnosis", "Phase", "Sex"]


class Phase(StrEnum):
    """Contrast phase of a liver CT, in the order of acquisition (P < C1 < C2 < C3).

    Codes as in PLC-CECT (Luo et al. 2025, doi:10.57760/sciencedb.12207).
    """

    P = "P"
    """Plain (non-contrast)."""
    C1 = "C1"
    """Arterial."""
    C2 = "C2"
    """(Portal) venous."""
    C3 = "C3"
    """Delayed (equilibrium)."""

    @property
    def order(self) -> int:
        """Rank in time, 0 for plain."""
        return list(Phase).index(self)

    @property
    def label(self) -> str:
        """The word a radiologist says: ``Plain``, ``Arterial``, ``Venous``, ``Delayed``."""
        return {"P": "Plain", "C1": "Arterial", "C2": "Venous", "C3": "Delayed"}[self.value]


class Diagnosis(StrEnum):
    """Label of a subject in a release, with the paper's spelling."""

    HCC = "HCC"
    """Hepatocellular carcinoma, ICD-O 8170/3."""
    ICC = "ICC"
    """Intrahepatic cholangiocarcinoma, ICD-O 8160/3."""
    CHCC = "CHCC"
    """Combined hepatocellular-cholangiocarcinoma, ICD-O 8180/3."""
    CN = "CN"
    """Control without hepatobiliary disease."""

    @property
    def is_cancer(self) -> bool:
        return self is not Diagnosis.CN

    @property
    def label(self) -> str:
        """Spelling used in tables of the paper."""
        return {"CHCC": "cHCC-CCA", "CN": "Normal"}.get(self.value, self.value)


class Sex(StrEnum):
    """Sex as published (`gender` column of `patient_data.csv`)."""

    MALE = "male"
    FEMALE = "female"
