"""`run_cohort`: the stage itself. Reads the clinical table, gives pseudonyms, decides, writes ledger and reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from quadphase.cohort.criteria import eligibility
from quadphase.cohort.flow import Flow, build_flow
from quadphase.cohort.flow_svg import flow_svg
from quadphase.cohort.table import ClinicalTable, load_clinical_table
from quadphase.errors import InputError
from quadphase.io import atomic
from quadphase.io.json_file import save_json
from quadphase.io.ledger import Ledger
from quadphase.io.pseudonyms import permute
from quadphase.io.study import Study
from quadphase.io.tables import format_csv
from quadphase.model import Decision, Diagnosis, Finding, Protocol

__all__ = ["CohortResult", "run_cohort", "study_flow", "write_flow"]

_CRITERIA: Final[Mapping[str, str]] = {
    "prior_treatment": "earlier treatment cannot be excluded",
    "icd10": "other diseases cannot be excluded",
    "surgery_date": "the CT's date before surgery cannot be checked",
}
"""Optional columns, and what goes unchecked without them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortResult:
    """What `run_cohort` decided.

    Parameters
    ----------
    rows : int
        Rows of the table.
    decisions : tuple of Decision
        One for each patient, sorted by case.
    flow : Flow
        Of the clinical table alone.
    findings : tuple of Finding
    reports : tuple of Path
        Files written; empty after a dry run.
    """

    rows: int
    decisions: tuple[Decision, ...]
    flow: Flow
    findings: tuple[Finding, ...]
    reports: tuple[Path, ...] = ()

    @property
    def eligible(self) -> tuple[str, ...]:
        """Pseudonyms of those who go on."""
        return tuple(d.case for d in self.decisions if d.eligible)

    def to_dict(self) -> dict[str, Any]:
        """JSON form of ``quadphase cohort --json``; free of identity."""
        return {
            "rows": self.rows,
            "patients": len(self.decisions),
            "eligible": len(self.eligible),
            "excluded": len(self.decisions) - len(self.eligible),
            "flow": self.flow.to_dict(),
            "decisions": [
                {
                    "case": d.case,
                    "eligible": d.eligible,
                    "reasons": [{"code": r.code, "text": r.text} for r in d.reasons],
                }
                for d in self.decisions
            ],
            "findings": [finding.to_dict() for finding in self.findings],
            "reports": [str(path) for path in self.reports],
        }


def run_cohort(study: Study, table: Path, *, dry_run: bool = False) -> CohortResult:
    """Decide who is in the study.

    Parameters
    ----------
    study : Study
    table : Path
        Clinical table (CSV, TSV, Excel) of the hospital.
    dry_run : bool
        True: decide and count, write nothing. New patients then have no pseudonym yet and appear as ``new-1``,
        ``new-2``.

    Raises
    ------
    InputError
        As `load_clinical_table`; ``"prefix-changed"``.
    """
    protocol = study.protocol
    clinical = load_clinical_table(table, protocol)
    if dry_run:
        known = _known_pseudonyms(study) if (study.restricted / "ledger.sqlite").exists() else {}
        fresh = [p.patient_id for p in clinical.patients if p.patient_id not in known]
        cases = known | {patient_id: f"new-{n}" for n, patient_id in enumerate(sorted(fresh), start=1)}
    else:
        study.make_restricted()
        known = _known_pseudonyms(study)
        cases = _pseudonyms(study, clinical, known, protocol)
    decisions = _decide(clinical, cases, protocol)
    diagnoses = {cases[p.patient_id]: p.diagnosis for p in clinical.patients}
    flow = build_flow(decisions, diagnoses, title=protocol.study.name)
    findings = [*clinical.findings, *_unchecked(clinical, protocol), *_gone(clinical, known)]
    result = CohortResult(rows=clinical.rows, decisions=decisions, flow=flow, findings=tuple(findings))
    if dry_run:
        return result
    with Ledger(study.ledger_url) as ledger:
        ledger.replace_patients(clinical.patients, cases)
        ledger.decide(decisions)
    reports = (_save_table(study, decisions, diagnoses), *_save_flow(study, flow))
    return CohortResult(
        rows=result.rows, decisions=decisions, flow=flow, findings=result.findings, reports=tuple(reports)
    )


def write_flow(study: Study) -> Flow:
    """Draw the flow again from the decisions of all stages so far; writes `reports/flow.svg` and `flow.json`."""
    with Ledger(study.ledger_url) as ledger:
        flow = study_flow(study, ledger)
    _save_flow(study, flow)
    return flow


def study_flow(study: Study, ledger: Ledger, decisions: Sequence[Decision] | None = None) -> Flow:
    """The flow by the ledger; with `decisions`, those of their stage instead of what the ledger holds of it.

    So a release draws its own end before it is known to succeed, and the ledger learns of it only then.
    """
    diagnoses = {case: patient.diagnosis for case, patient in ledger.patients().items()}
    stages = {decision.stage for decision in decisions or ()}
    kept = [decision for decision in ledger.decisions() if decision.stage not in stages]
    return build_flow([*kept, *(decisions or ())], diagnoses, title=study.protocol.study.name)


def _known_pseudonyms(study: Study) -> dict[str, str]:
    with Ledger(study.ledger_url) as ledger:
        return ledger.pseudonyms()


def _pseudonyms(study: Study, clinical: ClinicalTable, known: Mapping[str, str], protocol: Protocol) -> dict[str, str]:
    prefix, digits = protocol.deidentify.prefix, protocol.deidentify.digits
    if any(not name.startswith(prefix) or not name.removeprefix(prefix).isdigit() for name in known.values()):
        raise InputError(
            "prefix-changed",
            f"Patients already have pseudonyms that do not start with '{prefix}'",
            "Restore deidentify.prefix in protocol.toml, or start a new study",
        )
    ids = [p.patient_id for p in clinical.patients]
    return permute(study.key, ids, taken=known, prefix=prefix, digits=digits)


def _decide(clinical: ClinicalTable, cases: Mapping[str, str], protocol: Protocol) -> tuple[Decision, ...]:
    decisions = []
    for patient in clinical.patients:
        reasons = eligibility(patient, clinical, protocol.cohort)
        decisions.append(
            Decision(case=cases[patient.patient_id], stage="cohort", eligible=not reasons, reasons=reasons)
        )
    return tuple(sorted(decisions, key=lambda d: d.case))


def _unchecked(clinical: ClinicalTable, protocol: Protocol) -> list[Finding]:
    found = []
    for ours, consequence in _CRITERIA.items():
        if ours in clinical.absent and not (ours == "prior_treatment" and not protocol.cohort.exclude_prior_treatment):
            found.append(
                Finding.of("criterion-not-checked", f"column {ours}", f"The table has no {ours}: {consequence}")
            )
    return found


def _gone(clinical: ClinicalTable, known: Mapping[str, str]) -> list[Finding]:
    gone = sorted(known[p] for p in known.keys() - {p.patient_id for p in clinical.patients})
    if not gone:
        return []
    names = ", ".join(gone[:5]) + (" …" if len(gone) > 5 else "")
    return [
        Finding.of("patients-gone", "clinical table", f"{len(gone)} patients of an earlier table are missing: {names}")
    ]


def _save_table(study: Study, decisions: Sequence[Decision], diagnoses: Mapping[str, Diagnosis | None]) -> Path:
    header = ("case", "group", "decision", "reason_codes", "reasons")
    rows = []
    for d in decisions:
        diagnosis = diagnoses[d.case]
        rows.append(
            (
                d.case,
                diagnosis.value if diagnosis else None,
                "eligible" if d.eligible else "excluded",
                ";".join(r.code for r in d.reasons) or None,
                "; ".join(r.text for r in d.reasons) or None,
            )
        )
    return atomic.write_text(study.reports / "cohort.csv", format_csv(header, rows))


def _save_flow(study: Study, flow: Flow) -> tuple[Path, Path]:
    svg = atomic.write_text(study.reports / "flow.svg", flow_svg(flow))
    return svg, save_json(study.reports / "flow.json", flow.to_dict())
