"""Sections of `protocol.toml`, one pydantic model each; the defaults are the paper's protocol (Luo et al. 2025).

Unknown keys are refused: a misspelt setting must not silently fall back to its default.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from quadphase.model.phase import Diagnosis, Phase

__all__ = [
    "AnnotateSection",
    "CohortSection",
    "ColumnsSection",
    "ConvertSection",
    "DeidentifySection",
    "LocalizeSection",
    "PacsSection",
    "PhasesSection",
    "ReleaseSection",
    "Section",
    "SplitsSection",
    "StudySection",
    "WindowSection",
]


class Section(BaseModel):
    """Base of all sections."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class StudySection(Section):
    """Name of the study; it titles reports and the release."""

    name: str = "quadphase study"
    hospital: str = ""
    ethics_approval: str = ""


class ColumnsSection(Section):
    """Names of the hospital's own columns, by our name; an absent optional column is left as it is named here."""

    patient_id: str = "patient_id"
    name: str = "name"
    sex: str = "sex"
    birth_date: str = "birth_date"
    age: str = "age"
    diagnosis_date: str = "diagnosis_date"
    morphology_code: str = "morphology_code"
    pathology_confirmed: str = "pathology_confirmed"
    surgery_date: str = "surgery_date"
    prior_treatment: str = "prior_treatment"
    icd10: str = "icd10"
    accession_number: str = "accession_number"
    group: str = "group"


class CohortSection(Section):
    """Inclusion and exclusion as data. Code lists are ICD-10 prefixes (``C22`` matches ``C22.0``)."""

    minimum_age_years: int = 18
    morphology: dict[str, Diagnosis] = Field(
        default_factory=lambda: {"8170/3": Diagnosis.HCC, "8160/3": Diagnosis.ICC, "8180/3": Diagnosis.CHCC}
    )
    require_pathology: bool = True
    exclude_prior_treatment: bool = True
    first_date: date | None = None
    last_date: date | None = None
    """Surgery (controls: diagnosis) from `first_date` to `last_date`, both inclusive; None leaves the side open."""
    maximum_days_before_surgery: int = Field(default=14, ge=0)
    minimum_exam_images: int = Field(default=20, ge=1)
    """An exam with fewer CT images is passed over: a localizer or a dose report alone."""
    own_tumour_codes: tuple[str, ...] = ("C22", "C77", "C78", "C79")
    other_malignancy_codes: tuple[str, ...] = ("C", "C78.7")
    """Codes of another malignancy, leukaemia and lymphoma (C81-C96) among them. The longest matching prefix decides:
    metastases (C77-C79) are no second primary, but a secondary tumour of the liver (C78.7) is no primary one."""
    liver_disease_codes: dict[str, tuple[str, ...]] = Field(
        default_factory=lambda: dict[str, tuple[str, ...]](
            {
                "haemochromatosis": ("E83.1",),
                "Wilson disease": ("E83.0",),
                "autoimmune hepatitis": ("K75.4",),
                "primary biliary cholangitis": ("K74.3",),
                "primary sclerosing cholangitis": ("K83.0",),
                "Budd-Chiari syndrome": ("I82.0",),
                "schistosomal liver disease": ("B65",),
            }
        )
    )
    autoimmune_codes: tuple[str, ...] = (
        "M05",
        "M06",
        "M08",
        "M30",
        "M31",
        "M32",
        "M33",
        "M34",
        "M35",
        "M45",
        "D86",
        "L40.5",
    )
    """Rheumatic and autoimmune diseases."""
    severe_disease_codes: dict[str, tuple[str, ...]] = Field(
        default_factory=lambda: {
            "heart": ("I21", "I50"),
            "brain": ("I60", "I61", "I62", "I63"),
            "lung": ("J44", "J96"),
            "kidney": ("N17", "N18", "N19"),
        }
    )
    hepatobiliary_codes: tuple[str, ...] = (
        "B15",
        "B16",
        "B17",
        "B18",
        "B19",
        "C22",
        "D13.4",
        "K70",
        "K71",
        "K72",
        "K73",
        "K74",
        "K75",
        "K76",
        "K77",
        "K80",
        "K81",
        "K82",
        "K83",
    )
    """Excluded in controls."""


class PhasesSection(Section):
    """Which phases a case must have, and the delays the phases are expected at (seconds after injection)."""

    required: tuple[Phase, ...] = (Phase.P, Phase.C1, Phase.C2, Phase.C3)
    delay_s: dict[Phase, float] = Field(default_factory=lambda: {Phase.C1: 30.0, Phase.C2: 60.0, Phase.C3: 180.0})
    minimum_margin: float = 1.0
    """An assignment that wins by less goes to a person; log10 of the odds, so 1 is ten to one."""

    @model_validator(mode="after")
    def _ordered(self) -> PhasesSection:
        if not self.required or len(set(self.required)) != len(self.required):
            raise ValueError("required must name at least one phase, each once")
        return self


class ConvertSection(Section):
    """What `convert` accepts as a phase, and what it may do to an uneven stack when asked."""

    minimum_slices: int = 10
    spacing_tolerance_mm: float = Field(default=0.01, ge=0.0)
    deskew: bool = False
    resample_mm: float | None = Field(default=None, gt=0.0)
    fill_gaps: bool = False


class LocalizeSection(Section):
    """Which liver finder, and how much is kept around the liver."""

    backend: str = "builtin"
    command: str = ""
    """For ``backend = "command"``: a command line with ``{ct}`` and ``{mask}``."""
    margin_mm: float = Field(default=0.0, ge=0.0)
    """Kept above and below the liver; the paper keeps only slices that contain liver."""
    minimum_confidence: float = Field(default=0.5, ge=0.0, le=1.0)


class WindowSection(Section):
    """Intensity window of the released volumes; the paper clips to -200...200 HU."""

    enabled: bool = True
    lower_hu: int = Field(default=-200, ge=-32768, le=32767)
    upper_hu: int = Field(default=200, ge=-32768, le=32767)
    """Both of int16, as the voxels are."""

    @model_validator(mode="after")
    def _ordered(self) -> WindowSection:
        if self.lower_hu >= self.upper_hu:
            raise ValueError("lower_hu must be below upper_hu")
        return self


class AnnotateSection(Section):
    """The readers, and whether a case may be released without lesion masks."""

    readers: tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,32}$")], ...] = Field(
        default=("A", "B"), min_length=1
    )
    """Plain names: each is a folder of `readings/`, and none may stand for two persons."""
    require_lesion_masks: bool = False
    """False: a cancer case without readings is released with NA lesion masks."""

    @model_validator(mode="after")
    def _distinct(self) -> AnnotateSection:
        # Some disks take "a" and "A" for one folder.
        if len({reader.casefold() for reader in self.readers}) != len(self.readers):
            raise ValueError("readers must name each reader once; capitals make no other reader")
        return self


class DeidentifySection(Section):
    """How pseudonyms look, and which texts of a release are public."""

    prefix: str = Field(default="P", pattern=r"^[A-Za-z]{1,8}$")
    digits: int = Field(default=4, ge=3, le=9)
    public_texts: tuple[Annotated[str, Field(min_length=2)], ...] = ()
    """Texts that are in a release on purpose although a patient is called the same, e.g. an author's name: the search
    for identifiers passes over what lies inside one of them. Nothing is public unless it is named here."""


class SplitsSection(Section):
    """Frozen patient-level folds."""

    folds: int = Field(default=5, ge=2)
    seed: int = 0


class PacsSection(Section):
    """Settings of network sources (`dimse://`, DICOMweb)."""

    ae_title: str = Field(default="QUADPHASE", min_length=1, max_length=16)
    retrieve: Literal["auto", "get", "move"] = "auto"
    """``auto`` is C-GET, and C-MOVE where the archive does not offer C-GET and `listen_port` is set."""
    listen_port: int | None = Field(default=None, ge=1, le=65535)
    """C-MOVE: the port the archive sends to, as its administrator registered it."""
    listen_address: str = ""
    """C-MOVE: address to listen on; empty: every interface of this machine."""
    night_window: str = Field(default="", pattern=r"^$|^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$")
    """``"22:00-06:00"`` allows retrieval only then (local time); empty: always."""
    maximum_instances_per_second: float | None = Field(default=None, gt=0.0)
    retries: int = Field(default=5, ge=0)
    retry_wait_s: float = Field(default=2.0, ge=0.0)
    """Pause before the first retry of a series; it doubles with each, up to five minutes."""
    timeout_s: float = Field(default=60.0, gt=0.0)
    """Silence after which a connection counts as lost."""
    all_dates: bool = False
    """True: every CT of a patient, not only those the cohort's rule on days before surgery allows."""
    modalities: tuple[str, ...] = ("CT",)
    skip_series: tuple[str, ...] = (
        "localizer", "scout", "topogram", "surview", "scanogram", "dose report", "dose record", "patient protocol",
        "定位像", "剂量报告",
    )  # fmt: skip
    """Series whose description contains one of these words, in any case, are not fetched."""
    minimum_images: int = Field(default=3, ge=1)
    """A series with fewer images is no volume (localizers have one or two); unknown counts are fetched."""
    tls: bool = False
    """DIMSE over TLS. DICOMweb uses TLS when the address begins with https."""
    tls_ca_file: str = ""
    """Certificates to trust (PEM); empty: those of the system."""
    tls_certificate_file: str = ""
    """Our own certificate (PEM), where the archive asks for one."""
    tls_key_file: str = ""


class ReleaseSection(Section):
    """What the metadata of a release says; computed facts are added, open answers are named as open."""

    title: str = ""
    version: str = "1.0.0"
    license: str = "CC-BY-4.0"
    creators: tuple[str, ...] = ()
    publisher: str = ""
    """Who publishes the release, e.g. the repository."""
    contact: str = ""
    doi: str = ""
    url: str = ""
    description: str = ""
    publication_year: int | None = None
    answers: dict[str, str] = Field(default_factory=dict)
    """Answers for the datasheet, by question key."""
