"""Who is in the hospital: eligible patients, and one for every reason of the paper to leave someone out.

The inclusion and exclusion criteria are those of Luo et al. 2025 ("Sample collection"). Each `Admission` knows its
clinical facts and why it should be kept or dropped, so that tests can compare the cohort's decisions with the truth.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Final

import numpy as np

from quadphase.model import Diagnosis, Phase, Sex
from quadphase.phantom.exam import Exam, Person
from quadphase.phantom.fields import rng_of
from quadphase.phantom.patient import PatientSpec, Scanner, random_patient

__all__ = ["EXCLUSIONS", "Admission", "roster"]

_MORPHOLOGY: Final = {Diagnosis.HCC: "8170/3", Diagnosis.ICC: "8160/3", Diagnosis.CHCC: "8180/3"}
_ICD10: Final = {Diagnosis.HCC: "C22.0", Diagnosis.ICC: "C22.1", Diagnosis.CHCC: "C22.7"}

_SURNAMES_ZH: Final = "王 李 张 刘 陈 杨 赵 黄 周 吴 徐 孙 胡 朱 高 林"
_SURNAMES_PY: Final = "Wang Li Zhang Liu Chen Yang Zhao Huang Zhou Wu Xu Sun Hu Zhu Gao Lin"
_GIVEN_ZH: Final = "小明 秀英 建国 丽华 志强 桂兰 文斌 玉珍 德福 淑芬 永贵 春梅 国庆 红霞 成林 素珍"
_GIVEN_PY: Final = (
    "Xiaoming Xiuying Jianguo Lihua Zhiqiang Guilan Wenbin Yuzhen "
    "Defu Shufen Yonggui Chunmei Guoqing Hongxia Chenglin Suzhen"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """One patient: what the images, the header and the clinical table say, and the truth about eligibility.

    Parameters
    ----------
    reasons : tuple of str
        Why not eligible (keys of `EXCLUSIONS`); empty for eligible patients.
    phases : tuple of Phase
        Phases that were scanned.
    """

    spec: PatientSpec
    exam: Exam
    group: str
    morphology_code: str = ""
    pathology_confirmed: str = ""
    prior_treatment: str = ""
    icd10: str = ""
    diagnosis_date: date | None = None
    surgery_date: date | None = field(default=None, repr=False)
    reasons: tuple[str, ...] = ()
    phases: tuple[Phase, ...] = tuple(Phase)

    @property
    def eligible(self) -> bool:
        return not self.reasons

    @property
    def patient_id(self) -> str:
        return self.exam.person.patient_id

    def row(self) -> dict[str, str]:
        """Row of the clinical table."""
        person = self.exam.person
        hanzi = person.hanzi.replace("^", "")
        return {
            "patient_id": self.patient_id,
            "name": hanzi or person.pinyin.replace("^", " "),
            "sex": "男" if person.sex is Sex.MALE else "女",
            "birth_date": person.birth_date.isoformat(),
            "diagnosis_date": self.diagnosis_date.isoformat() if self.diagnosis_date else "",
            "morphology_code": self.morphology_code,
            "pathology_confirmed": self.pathology_confirmed,
            "surgery_date": self.surgery_date.isoformat() if self.surgery_date else "",
            "prior_treatment": self.prior_treatment,
            "icd10": self.icd10,
            "accession_number": self.exam.accession_number,
            "group": self.group,
        }


EXCLUSIONS: Final[dict[str, dict[str, str]]] = {
    # reason of the paper: what differs from an eligible patient
    "under-18": {},
    "other-morphology": {"morphology_code": "8140/6", "icd10": "C78.7"},
    "benign-lesion": {"morphology_code": "9120/0", "icd10": "D18.0"},
    "unconfirmed-pathology": {"pathology_confirmed": "no"},
    "prior-treatment": {"prior_treatment": "yes"},
    "other-malignancy": {"icd10": "C22.0;C18.7"},
    "leukemia": {"icd10": "C22.1;C92.0"},
    "lymphoma": {"icd10": "C22.0;C83.3"},
    "hemochromatosis": {"icd10": "C22.0;E83.1"},
    "wilson-disease": {"icd10": "C22.0;E83.0"},
    "autoimmune-hepatitis": {"icd10": "C22.0;K75.4"},
    "primary-biliary-cirrhosis": {"icd10": "C22.0;K74.3"},
    "primary-sclerosing-cholangitis": {"icd10": "C22.1;K83.0"},
    "budd-chiari": {"icd10": "C22.0;I82.0"},
    "schistosomiasis": {"icd10": "C22.0;B65.2"},
    "rheumatic-disease": {"icd10": "C22.0;M06.9"},
    "autoimmune-disease": {"icd10": "C22.1;M32.1"},
    "severe-heart-disease": {"icd10": "C22.0;I50.0"},
    "severe-brain-disease": {"icd10": "C22.0;I63.9"},
    "severe-lung-disease": {"icd10": "C22.0;J96.1"},
    "severe-kidney-disease": {"icd10": "C22.0;N18.5"},
    "ct-too-early": {},
    "missing-delayed-phase": {},
    "control-hepatobiliary-disease": {"icd10": "K80.2", "group": "control"},
}
"""Every reason of the paper to leave a patient out, each met by one patient of a default hospital."""


def roster(patients: int, seed: int) -> list[Admission]:
    """The patients of a hospital, eligible ones first; their order says nothing about the diagnosis.

    Parameters
    ----------
    patients : int
        Number of eligible patients; diagnoses rotate so that few patients already show all four.
    seed : int
    """
    people = _people(seed)
    rng = rng_of(seed, "roster")
    cycle = [Diagnosis.HCC, Diagnosis.ICC, Diagnosis.CN, Diagnosis.CHCC]
    admissions = [_eligible(rng, next(people), cycle[n % 4], n) for n in range(patients)]
    admissions += [
        _excluded(rng, next(people), reason, changes, patients + n)
        for n, (reason, changes) in enumerate(EXCLUSIONS.items())
    ]
    return admissions


def _people(seed: int) -> Iterator[tuple[str, str, str]]:
    """Endless (patient id, pinyin, hanzi), no two alike."""
    rng = rng_of(seed, "people")
    surnames = list(zip(_SURNAMES_ZH.split(), _SURNAMES_PY.split(), strict=True))
    given_names = list(zip(_GIVEN_ZH.split(), _GIVEN_PY.split(), strict=True))
    ids = rng.permutation(899_999)
    pairs = rng.permutation(len(surnames) * len(given_names))
    for n, number in enumerate(ids):
        surname, given = divmod(int(pairs[n % len(pairs)]), len(given_names))
        (h1, p1), (h2, p2) = surnames[surname], given_names[given]
        suffix = str(n // len(pairs)) if n >= len(pairs) else ""
        yield f"YB{100_000 + int(number)}", f"{p1}^{p2}{suffix}", f"{h1}^{h2}"


def _eligible(rng: np.random.Generator, who: tuple[str, str, str], diagnosis: Diagnosis, n: int) -> Admission:
    spec = replace(random_patient(rng, diagnosis), scanner=list(Scanner)[(n + n // 4) % 2])
    exam = _exam(rng, spec, who, n)
    scanned = exam.start.date()
    if diagnosis is Diagnosis.CN:
        return Admission(spec=spec, exam=exam, group="control", icd10=str(rng.choice(["", "N20.0", "K35.8", "R10.4"])))
    code = _MORPHOLOGY[diagnosis]
    if n % 3 == 1:
        code = f"M{code.replace('/', '0/')}"  # the paper's spelling, M81700/3
    return Admission(
        spec=spec,
        exam=exam,
        group="cancer",
        morphology_code=code,
        pathology_confirmed="yes",
        prior_treatment="no",
        icd10=_ICD10[diagnosis] + str(rng.choice(["", ";I10", ";B18.1", ";E11.9;I10"])),
        diagnosis_date=scanned + timedelta(days=int(rng.integers(1, 4))),
        surgery_date=scanned + timedelta(days=int(rng.integers(2, 14))),
    )


def _excluded(
    rng: np.random.Generator, who: tuple[str, str, str], reason: str, changes: dict[str, str], n: int
) -> Admission:
    control = changes.get("group") == "control"
    diagnosis = Diagnosis.CN if control else (Diagnosis.ICC if "C22.1" in changes.get("icd10", "") else Diagnosis.HCC)
    sound = _eligible(rng, who, diagnosis, n)
    admission = replace(sound, **changes, reasons=(reason,))  # type: ignore[arg-type]
    if reason == "under-18":
        birth = date(sound.exam.start.year - 16, 3, 9)
        exam = replace(sound.exam, person=replace(sound.exam.person, birth_date=birth))
        admission = replace(admission, exam=exam, spec=replace(sound.spec, age_years=16))
    if reason == "ct-too-early":
        admission = replace(admission, surgery_date=sound.exam.start.date() + timedelta(days=33))
    if reason == "missing-delayed-phase":
        admission = replace(admission, phases=(Phase.P, Phase.C1, Phase.C2))
    return admission


_STYLES: Final = (
    # series descriptions, declared character set, mis-declared
    ("{}-en", "ISO_IR 100", False),
    ("{}-zh", "GB18030", False),
    ("{}-zh", "ISO_IR 192", False),
    ("{}-zh", "ISO_IR 100", True),
    ("bare", "GB18030", False),
    ("{}-zh", None, True),
)


def _exam(rng: np.random.Generator, spec: PatientSpec, who: tuple[str, str, str], n: int) -> Exam:
    style, charset, misdeclare = _STYLES[n % len(_STYLES)]
    patient_id, pinyin, hanzi = who
    day = datetime(2015, 1, 5) + timedelta(days=int(rng.integers(0, 2900)))  # noqa: DTZ001 - DICOM times are local
    start = day + timedelta(seconds=int(rng.integers(8 * 3600, 17 * 3600)))
    birth = date(start.year - spec.age_years - 1, 12, 28) + timedelta(days=int(rng.integers(0, 3)))
    return Exam(
        person=Person(
            patient_id=patient_id,
            pinyin=pinyin,
            hanzi=hanzi,
            sex=spec.sex,
            birth_date=birth,
        ),
        scanner=spec.scanner,
        start=start,
        accession_number=f"CT{start:%y%m%d}{n:04d}",
        style=style.format(spec.scanner.value),
        charset=charset,
        misdeclare=misdeclare,
    )
