"""The datasheet's questions, and their answers: counted, taken from the protocol, or named as open. Never invented.

Questions follow Gebru et al. 2021, "Datasheets for datasets", doi:10.1145/3458723. What only people can answer comes
from
``[release.answers]`` of `protocol.toml`, by the keys below.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from quadphase.errors import ProtocolError
from quadphase.model import Protocol
from quadphase.release.facts import ReleaseFacts
from quadphase.release.wording import counted

__all__ = [
    "QUESTIONS",
    "Question",
    "annotation",
    "answer_all",
    "check_answers",
    "open_questions",
    "preprocessing",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question of the datasheet; `key` is its name under ``[release.answers]``."""

    key: str
    section: str
    text: str


def _q(section: str, key: str, text: str) -> Question:
    return Question(key=key, section=section, text=text)


QUESTIONS: Final[tuple[Question, ...]] = (
    _q("Motivation", "purpose", "For what purpose was the dataset created?"),
    _q("Motivation", "funding", "Who funded its creation?"),
    _q("Composition", "instances", "What do the instances represent, and how many are there?"),
    _q("Composition", "missing", "Is any information missing?"),
    _q("Composition", "confounding", "Which known properties other than the disease differ between the groups?"),
    _q("Composition", "splits", "Are there recommended splits?"),
    _q("Composition", "identifiable", "Is it possible to identify individuals?"),
    _q("Collection", "collection", "How was the data acquired, and who was included?"),
    _q("Collection", "timeframe", "Over what period was the data collected?"),
    _q("Collection", "ethics", "Was an ethical review conducted?"),
    _q("Collection", "consent", "Did the individuals consent, or was consent waived?"),
    _q("Preprocessing", "preprocessing", "What was done to the images?"),
    _q("Preprocessing", "raw", "Are the unprocessed data available?"),
    _q("Labelling", "annotation", "How were liver and lesions outlined?"),
    _q("Labelling", "annotators", "Who are the readers, and what is their experience?"),
    _q("Uses", "uses", "What may the dataset be used for?"),
    _q("Uses", "discouraged", "What should it not be used for?"),
    _q("Distribution", "license", "Under which licence is it distributed?"),
    _q("Distribution", "social_impact", "What could its use do to people?"),
    _q("Maintenance", "contact", "Whom can users ask?"),
    _q("Maintenance", "maintenance", "Will it be updated, and how are errors reported?"),
)


def check_answers(protocol: Protocol) -> None:
    """Refuse an answer to a question that does not exist: it would be lost silently.

    Raises
    ------
    ProtocolError
        ``"unknown-question"``.
    """
    known = {question.key for question in QUESTIONS}
    for key in sorted(protocol.release.answers):
        if key not in known:
            raise ProtocolError(
                "unknown-question",
                f"release.answers has no question '{key}'",
                f"Questions are: {', '.join(sorted(known))}",
            )


def answer_all(protocol: Protocol, facts: ReleaseFacts) -> Mapping[str, str | None]:
    """Answer of each question by key; None where it is open. An answer in the protocol adds to a computed one."""
    computed = {
        "instances": _instances(facts),
        "missing": _missing(facts),
        "confounding": _confounding(facts),
        "splits": (
            f"`splits.csv` assigns every subject to one of {protocol.splits.folds} folds, balanced on diagnosis, sex "
            f"and age (seed {protocol.splits.seed}). All images of a subject share its fold."
        ),
        "identifiable": (
            "Names, numbers, dates, UIDs and free text of the source were not copied: every file was built new. "
            "Pseudonyms are a random permutation whose key is not released. "
            "Age in years, sex, diagnosis and the images remain."
        ),
        "collection": _collection(protocol),
        "ethics": protocol.study.ethics_approval or None,
        "preprocessing": " ".join(preprocessing(protocol, facts)),
        "annotation": " ".join(annotation(protocol, facts)),
        "license": f"{protocol.release.license}; see `LICENSE`.",
        "contact": protocol.release.contact or None,
    }
    answers: dict[str, str | None] = {}
    for question in QUESTIONS:
        parts = [computed.get(question.key), protocol.release.answers.get(question.key, "").strip() or None]
        answers[question.key] = " ".join(part for part in parts if part) or None
    return answers


def open_questions(answers: Mapping[str, str | None]) -> tuple[Question, ...]:
    """Questions nobody answered yet."""
    return tuple(question for question in QUESTIONS if answers[question.key] is None)


def preprocessing(protocol: Protocol, facts: ReleaseFacts) -> list[str]:
    """What was done to every image, one sentence each."""
    steps = [
        "DICOM slices were stacked by their positions, and each stack's geometry was proved against them.",
        f"Values are Hounsfield units, {_data_types(facts)}, slope 1.",
        f"Only slices with liver were kept{_margin(protocol)}; voxels keep their true position in space.",
    ]
    window = protocol.window
    if window.enabled:
        steps.append(f"Values were clipped to {window.lower_hu}...{window.upper_hu} HU.")
    else:
        steps.append("The full range of values was kept.")
    if facts.resampled:
        of = counted(facts.images, "volume")
        steps.append(f"Resampled: {facts.resampled} of {of}, as `resampling` of `geometry.csv` says.")
    else:
        steps.append("No volume was resampled.")
    return steps


def _data_types(facts: ReleaseFacts) -> str:
    if len(facts.data_types) == 1:
        return facts.data_types[0][0]
    return (
        " and ".join(f"{name} ({counted(count, 'volume')})" for name, count in facts.data_types) or "int16 or float32"
    )


def _margin(protocol: Protocol) -> str:
    margin = protocol.localize.margin_mm
    return f", and whole slices within {margin:g} mm of it" if margin else ""


def annotation(protocol: Protocol, facts: ReleaseFacts) -> list[str]:
    """How masks came to be, one sentence each."""
    readers = len(protocol.annotate.readers)
    liver = [f"Liver masks {_by(source)}: {count}." for source, count in facts.liver_sources]
    if all(source != "person" for source, _ in facts.liver_sources):
        liver.append("No liver mask was drawn or corrected by a person.")
    if not facts.lesion_masks:
        return [*liver, "No lesion mask is released."]
    return [
        *liver,
        "A released liver mask includes the voxels of the released lesion mask.",
        *_reading(readers),
    ]


def _reading(readers: int) -> list[str]:
    if readers == 1:
        return ["Lesions were outlined by one reader, whose sealed reading is the released lesion mask."]
    return [
        f"Lesions were outlined by {readers} readers on their own; readings were sealed before anyone saw the other's.",
        "A released lesion mask is the consensus: where the readings agree, or as adjudicated.",
    ]


def _by(source: str) -> str:
    if source == "person":
        return "drawn or corrected by a person"
    return f"made by quadphase (backend `{source}`)"


def _instances(facts: ReleaseFacts) -> str:
    types = ", ".join(f"{count} {name}" for name, count in facts.by_type)
    phases = ", ".join(f"{phase.value} ({phase.label.lower()})" for phase in facts.phases)
    return (
        f"{counted(facts.subjects, 'subject')} ({types}) with {counted(facts.images, 'contrast-phase CT volume')} of "
        f"the liver, {counted(facts.slices, 'slice')} in all; phases: {phases}. "
        f"Lesion masks: {facts.lesion_masks:,}; all volumes have a liver mask."
    )


def _missing(facts: ReleaseFacts) -> str:
    parts = [
        f"Subjects of unknown age: {facts.unknown_age}, of unknown sex: {facts.unknown_sex}; both are NA, not guessed."
    ]
    parts.append(
        f"Volumes without a lesion mask (NA): {facts.images - facts.lesion_masks:,}: controls, and cases nobody read."
    )
    return " ".join(parts)


def _confounding(facts: ReleaseFacts) -> str:
    parts = []
    for group in facts.groups:
        if not group.subjects:
            parts.append(f"There are no {group.name} subjects.")
            continue
        age = f"median age {group.age.median:g}" if group.age is not None else "age unknown"
        sex = f"{group.female.percent:.0f} % female" if group.female.known else "sex unknown"
        parts.append(f"{group.name.capitalize()}: {counted(group.subjects, 'subject')}, {age}, {sex}.")
    return " ".join(parts) + " A model can use such differences instead of the disease."


def _collection(protocol: Protocol) -> str:
    cohort = protocol.cohort
    required = ", ".join(phase.value for phase in protocol.phases.required)
    treatment = "Earlier tumour treatment excludes. " if cohort.exclude_prior_treatment else ""
    pathology = ", confirmed by pathology" if cohort.require_pathology else ""
    return (
        f"Retrospectively, from a hospital's archive: patients of at least {cohort.minimum_age_years} years with a "
        f"morphology code of {', '.join(cohort.morphology)}{pathology}, imaged within "
        f"{cohort.maximum_days_before_surgery} days before surgery in the phases {required}; controls without "
        "hepatobiliary disease. "
        f"{treatment}Other malignancy and severe other disease exclude, by the codes of the protocol."
    )
