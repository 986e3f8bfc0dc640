"""Whose exam it is, on which scanner, and when: the DICOM attributes that do not depend on the pixels.

Phase timing is the paper's (Luo et al. 2025): the arterial scan starts 8 s after the bolus trigger, the venous scan
60 s and the delayed scan 180 s (Canon) or 155 s (Philips) after the injection. Nothing here reads a clock: the same
exam gives the same attributes and UIDs.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from quadphase.model import Phase, Sex
from quadphase.phantom.patient import Scanner
from quadphase.phantom.scanners import ARRIVAL_S, DELAYED_S, DESCRIPTIONS, PROTOCOL, SCANNER_TAGS

__all__ = ["DESCRIPTIONS", "Exam", "Person", "misdeclared", "uid_of"]


def uid_of(*words: object) -> str:
    """UID that depends on the given words only, in the ``2.25`` arc of PS3.5 B.2.

    Examples
    --------
    >>> uid_of("series", 1) == uid_of("series", 1), uid_of(1) == uid_of(2)
    (True, False)
    """
    digest = hashlib.sha256("\x1f".join(map(str, words)).encode()).digest()
    return f"2.25.{int.from_bytes(digest[:16], 'big') >> 1}"


def misdeclared(text: str) -> str:
    """Text that, written as ISO 8859-1, leaves the GBK bytes of `text` in the file: the classic wrong declaration."""
    return text.encode("gbk").decode("latin-1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A synthetic person as the hospital's systems know them."""

    patient_id: str = field(default="T000001", repr=False)
    pinyin: str = field(default="Ceshi^Yi", repr=False)
    """DICOM PN, alphabetic group."""
    hanzi: str = field(default="", repr=False)
    """Ideographic group, e.g. ``测试^一``; empty for none."""
    sex: Sex = field(default=Sex.MALE, repr=False)
    birth_date: date = field(default=date(1960, 5, 17), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exam:
    """One four-phase CT exam.

    Parameters
    ----------
    person : Person
    scanner : Scanner
    start : datetime
        Local time of the study; phases follow from it.
    accession_number : str
    style : str
        Key of `DESCRIPTIONS`.
    charset : str or None
        SpecificCharacterSet; ``GB18030``, ``ISO_IR 192``, ``ISO_IR 100`` or None (absent).
    misdeclare : bool
        Write Chinese text as GBK bytes under a Latin-1 declaration.
    """

    person: Person = field(default_factory=Person)
    scanner: Scanner = Scanner.CANON
    start: datetime = datetime(2019, 3, 12, 9, 41, 7)  # noqa: DTZ001 - DICOM times are local
    accession_number: str = field(default="A1900001", repr=False)
    style: str = "canon-en"
    charset: str | None = "ISO_IR 192"
    misdeclare: bool = False

    @property
    def study_uid(self) -> str:
        return uid_of("study", self.person.patient_id, self.start.isoformat(), self.accession_number)

    def seconds(self, phase: Phase) -> float:
        """Start of a phase's scan, seconds after the injection; negative for plain."""
        arterial = ARRIVAL_S[self.scanner] + 8.0
        return {Phase.P: -95.0, Phase.C1: arterial, Phase.C2: 60.0, Phase.C3: DELAYED_S[self.scanner]}[phase]

    def injection(self) -> datetime:
        return self.start + timedelta(seconds=215)

    def clock(self, phase: Phase) -> datetime:
        """Local time at which the scan of a phase starts."""
        return self.injection() + timedelta(seconds=self.seconds(phase))

    def text(self, value: str) -> str:
        """Text as this exam's console would have stored it."""
        return misdeclared(value) if self.misdeclare else value

    def person_name(self) -> str:
        """PatientName: the ideographic group only where the character set can hold it."""
        hanzi = self.person.hanzi
        if not hanzi or (self.charset in (None, "ISO_IR 100") and not self.misdeclare):
            return self.person.pinyin
        return self.text(hanzi) if self.misdeclare else f"{self.person.pinyin}={hanzi}"

    def tags(self, phase: Phase | None, *, series_number: int | None = None) -> dict[str, Any]:
        """Attributes of one series by keyword; values None are absent.

        Parameters
        ----------
        phase : Phase or None
            None for series outside the four phases (localizer, dose report).
        series_number : int, optional
            Default: 2 for plain to 5 for delayed; exams in style ``bare`` keep all contrast phases in series 3, told
            apart by acquisition number and time.
        """
        number = series_number if series_number is not None else self._series_number(phase)
        at = self.clock(phase) if phase else self.start
        series_at = self.clock(Phase.C1) if phase and self._one_series(phase) else at
        age = self.start.year - self.person.birth_date.year
        age -= (self.start.month, self.start.day) < (self.person.birth_date.month, self.person.birth_date.day)
        tags: dict[str, Any] = {
            "SpecificCharacterSet": self.charset,
            "InstanceCreationDate": _da(at.date()),
            "InstanceCreationTime": _tm((at + timedelta(seconds=9)).time()),
            "StudyDate": _da(self.start.date()),
            "SeriesDate": _da(at.date()),
            "AcquisitionDate": _da(at.date()),
            "ContentDate": _da(at.date()),
            "StudyTime": _tm(self.start.time()),
            "SeriesTime": _tm(series_at.time()),
            "AcquisitionTime": _tm(at.time()),
            "ContentTime": _tm(at.time()),
            "AccessionNumber": self.accession_number,
            "Modality": "CT",
            "InstitutionName": self.text("重庆市某区人民医院") if self._chinese else "Quxian People's Hospital",
            "ReferringPhysicianName": "Zhang^Wei",
            "StudyDescription": self.text("上腹部增强") if self._chinese else "Upper Abdomen CE",
            "PatientName": self.person_name(),
            "PatientID": self.person.patient_id,
            "PatientBirthDate": _da(self.person.birth_date),
            "PatientSex": "M" if self.person.sex is Sex.MALE else "F",
            "PatientAge": f"{max(age, 0):03d}Y",
            "BodyPartExamined": "ABDOMEN",
            "PatientPosition": "FFS",
            "StudyInstanceUID": self.study_uid,
            "SeriesInstanceUID": uid_of("series", self.study_uid, number),
            "FrameOfReferenceUID": uid_of("frame", self.study_uid),
            "PositionReferenceIndicator": "",
            "StudyID": self.accession_number[-4:],
            "SeriesNumber": number,
            "AcquisitionNumber": phase.order + 2 if phase else number,
            "KVP": "120",
            **SCANNER_TAGS[self.scanner],
        }
        if phase:
            tags["SeriesDescription"] = self.text(DESCRIPTIONS[self.style][phase.order])
            tags["ProtocolName"] = PROTOCOL[self.scanner]
        if phase and phase is not Phase.P:
            tags |= {
                "ContrastBolusAgent": "Iohexol 350",
                "ContrastBolusRoute": "IV",
                "ContrastBolusVolume": "90",
                "ContrastBolusStartTime": _tm(self.injection().time()),
                "ContrastFlowRate": "3",
                "ContrastFlowDuration": "30",
                "ContrastBolusIngredient": "IODINE",
                "ContrastBolusIngredientConcentration": "350",
            }
        return tags

    def _one_series(self, phase: Phase) -> bool:
        """Consoles that say nothing about the phase often keep all contrast phases in one series."""
        return self.style == "bare" and phase is not Phase.P

    def _series_number(self, phase: Phase | None) -> int:
        if phase is None:
            return 1
        return Phase.C1.order + 2 if self._one_series(phase) else phase.order + 2

    @property
    def _chinese(self) -> bool:
        return self.style.endswith("zh")


def _da(day: date) -> str:
    return day.strftime("%Y%m%d")


def _tm(at: time) -> str:
    return at.strftime("%H%M%S.%f")
