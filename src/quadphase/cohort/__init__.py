"""Who is in the study: clinical table, the protocol's criteria, pseudonyms, choice of the exam, flow diagram."""

from quadphase.cohort.criteria import age_at_exam, age_years
from quadphase.cohort.exams import ExamCandidate, choose_exam
from quadphase.cohort.flow import Flow, build_flow
from quadphase.cohort.flow_svg import flow_svg
from quadphase.cohort.run import CohortResult, run_cohort, study_flow, write_flow

__all__ = [
    "CohortResult",
    "ExamCandidate",
    "Flow",
    "age_at_exam",
    "age_years",
    "build_flow",
    "choose_exam",
    "flow_svg",
    "run_cohort",
    "study_flow",
    "write_flow",
]
