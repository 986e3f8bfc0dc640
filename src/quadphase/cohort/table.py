"""From a hospital's table to `SourcePatient`: column names mapped, cells understood, every trouble a finding.

Findings name the row as a spreadsheet shows it and the column, never the value of a cell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from quadphase.cohort.values import (
    clean,
    has_words_beside_codes,
    icd10_codes,
    morphology,
    parse_age,
    parse_date,
    parse_group,
    parse_sex,
    parse_yes_no,
)
from quadphase.errors import InputError
from quadphase.io.tables import load_numbered_table
from quadphase.model import Diagnosis, Finding, Protocol
from quadphase.model.source import SourcePatient

__all__ = ["ClinicalTable", "load_clinical_table"]

_PARSERS: Final[Mapping[str, tuple[str, Callable[[str], Any]]]] = {
    # our column: field of SourcePatient, parser
    "name": ("name", str),
    "sex": ("sex", parse_sex),
    "birth_date": ("birth_date", parse_date),
    "age": ("age_years", parse_age),
    "diagnosis_date": ("diagnosis_date", parse_date),
    "surgery_date": ("surgery_date", parse_date),
    "morphology_code": ("morphology_code", morphology),
    "pathology_confirmed": ("pathology_confirmed", parse_yes_no),
    "prior_treatment": ("prior_treatment", parse_yes_no),
    "icd10": ("icd10", icd10_codes),
    "accession_number": ("accession_number", str),
    "group": ("group", parse_group),
}

_DECIDING: Final = frozenset(_PARSERS) - {"name", "sex", "accession_number"}
"""Columns a criterion reads: while such a cell is unreadable, the patient cannot be included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClinicalTable:
    """A table as understood.

    Parameters
    ----------
    patients : tuple of SourcePatient
        One for each patient id, in table order.
    rows : int
        Rows of the table without the header.
    findings : tuple of Finding
    unreadable : mapping of patient id to columns
        Deciding cells that could not be understood.
    conflicting : mapping of patient id to columns
        Columns in which several rows of one patient differ.
    absent : frozenset of str
        Our names of the optional columns the table does not have.
    """

    patients: tuple[SourcePatient, ...] = field(repr=False)
    rows: int
    findings: tuple[Finding, ...]
    unreadable: Mapping[str, tuple[str, ...]] = field(repr=False)
    conflicting: Mapping[str, tuple[str, ...]] = field(repr=False)
    absent: frozenset[str]


def load_clinical_table(path: Path, protocol: Protocol) -> ClinicalTable:
    """Read and understand a clinical table.

    Raises
    ------
    InputError
        ``"missing-column"``, ``"no-patients"``, and those of `quadphase.io.tables.load_table`.
    """
    rows = load_numbered_table(path)
    if not rows:
        raise InputError("no-patients", f"{path} has a header and no rows", "Export the table again")
    columns: dict[str, str] = protocol.columns.model_dump()
    absent = _check_columns(path, tuple(rows[0][1]), columns, protocol)
    findings: list[Finding] = []
    drafts: dict[str, list[tuple[int, dict[str, Any], set[str]]]] = {}
    for number, row in rows:
        patient_id = clean(row[columns["patient_id"]])
        if not patient_id:
            findings.append(Finding.of("no-patient-id", f"row {number}", "The row has no patient id and was left out"))
            continue
        values, bad = _understand(row, columns, number, findings)
        drafts.setdefault(patient_id, []).append((number, values, bad))
    findings += _sex_codes(rows, columns["sex"])
    findings += _words_beside_codes(rows, columns["icd10"])
    patients, unreadable, conflicting = [], {}, {}
    for patient_id, items in drafts.items():
        values, differing = _merge(items, columns, findings)
        values["diagnosis"] = _diagnosis(values, protocol)
        patients.append(SourcePatient(patient_id=patient_id, **values))
        if bad := set().union(*(item[2] for item in items)) & _DECIDING:
            unreadable[patient_id] = tuple(sorted(bad))
        if differing:
            conflicting[patient_id] = differing
    return ClinicalTable(
        patients=tuple(patients),
        rows=len(rows),
        findings=tuple(findings),
        unreadable=unreadable,
        conflicting=conflicting,
        absent=absent,
    )


def _check_columns(
    path: Path, present: Sequence[str], columns: Mapping[str, str], protocol: Protocol
) -> frozenset[str]:
    absent = frozenset(ours for ours, theirs in columns.items() if theirs not in present)
    needed = ["patient_id", "morphology_code"]
    if protocol.cohort.require_pathology:
        needed.append("pathology_confirmed")
    if protocol.cohort.minimum_age_years > 0 and {"birth_date", "age"} <= absent:
        needed.append("birth_date")
    renamed = {ours for ours in absent if columns[ours] != ours}  # a name the protocol promises must be there
    for ours in (*needed, *sorted(renamed)):
        if ours in absent:
            raise InputError(
                "missing-column",
                f"{path} has no column '{columns[ours]}' ({ours}); it has: {', '.join(p for p in present if p)}",
                f"Set {ours} under [columns] in protocol.toml to the name your table uses",
            )
    return absent


def _understand(
    row: Mapping[str, str], columns: Mapping[str, str], number: int, findings: list[Finding]
) -> tuple[dict[str, Any], set[str]]:
    values: dict[str, Any] = {}
    bad: set[str] = set()
    for ours, (name, parse) in _PARSERS.items():
        text = clean(row.get(columns[ours], ""))
        if not text:
            continue
        try:
            value = parse(text)
            if value is not None:
                values[name] = value
        except ValueError as error:
            bad.add(ours)
            findings.append(
                Finding.of("unreadable-cell", f"row {number}, column {columns[ours]}", f"The value {error}")
            )
    return values, bad


def _sex_codes(rows: Sequence[tuple[int, Mapping[str, str]]], column: str) -> list[Finding]:
    """Say that 0 and 9 were read as "not known": a table that means female by 0 would lose every woman's sex."""
    words = [clean(row.get(column, "")) for _, row in rows]
    unknown = sum(bool(word) and _says_nothing(word) for word in words)
    if not unknown:
        return []
    text = f"{unknown} rows hold 0 or 9, which is 'not known' in GB/T 2261.1 and ISO/IEC 5218"
    return [Finding.of("sex-code-unknown", f"column {column}", text)]


def _words_beside_codes(rows: Sequence[tuple[int, Mapping[str, str]]], column: str) -> list[Finding]:
    count = sum(has_words_beside_codes(clean(row.get(column, ""))) for _, row in rows)
    if not count:
        return []
    text = f"{count} rows hold words beside their ICD-10 codes, and only the codes were judged"
    return [Finding.of("words-beside-codes", f"column {column}", text)]


def _says_nothing(word: str) -> bool:
    try:
        return parse_sex(word) is None
    except ValueError:
        return False


def _merge(
    items: Sequence[tuple[int, dict[str, Any], set[str]]], columns: Mapping[str, str], findings: list[Finding]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Rows of one patient as one: blanks are filled, ICD-10 lists joined, contradictions named."""
    merged = dict(items[0][1])
    differing = []
    for _, values, _ in items[1:]:
        for name, value in values.items():
            if name == "icd10":
                merged[name] = tuple(dict.fromkeys((*merged.get(name, ()), *value)))
            elif merged.setdefault(name, value) != value:
                differing.append(next(ours for ours, (target, _) in _PARSERS.items() if target == name))
    if len(items) > 1:
        where = "rows " + ", ".join(str(number) for number, _, _ in items)
        names = tuple(sorted(set(differing)))
        if names:
            theirs = ", ".join(columns[name] for name in names)
            findings.append(Finding.of("conflicting-rows", where, f"The rows of one patient differ in {theirs}"))
        else:
            findings.append(Finding.of("repeated-rows", where, "The rows of one patient agree and were joined"))
        return merged, names
    return merged, ()


def _diagnosis(values: Mapping[str, Any], protocol: Protocol) -> Diagnosis | None:
    if values.get("group") == "control":
        return Diagnosis.CN
    code = values.get("morphology_code")
    if code is None:
        return None
    known = {morphology(key): label for key, label in protocol.cohort.morphology.items()}
    return known.get(code)
