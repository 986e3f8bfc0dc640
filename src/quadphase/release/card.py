"""`README.md` of a release: dataset card for a reader in a hurry, data dictionary, datasheet, open questions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from quadphase.model import Protocol
from quadphase.release.datasheet import QUESTIONS, open_questions
from quadphase.release.description import SPECIFICATION, title_of
from quadphase.release.schema import TABLES, Column

__all__ = ["CARD_NAME", "card"]

CARD_NAME: Final = "README.md"

_FILES: Final = (
    ("`patient_data.csv`", "start here: one row a CT volume, with the paths of volume and masks"),
    ("`ct_files/`", "CT volumes, `P0001_ct_C1.nii.gz`: Hounsfield units, true geometry"),
    ("`mask_files/`", "lesion masks, `P0001_mask_C1.nii.gz`"),
    ("`liver_mask_files/`", "liver masks, `P0001-livermask_C1.nii.gz`"),
    ("`geometry.csv`", "spacing, position, slices kept, liver and lesion volume of each CT volume"),
    ("`lesions.csv`", "volume, largest diameter, slices and position of each lesion"),
    ("`splits.csv`", "frozen folds of subjects"),
    ("`table1.*`", "Table 1 as CSV, Markdown, HTML and LaTeX"),
    ("`report.html`, `figures/`", "the release on one page, and its pictures as SVG and PNG"),
    ("`demo.ipynb`", "how to open it in Python"),
    ("`croissant.json`, `datapackage.json`, `datacite.json`", "the same facts for machines"),
    ("`checksums.sha256`", "check a download: `sha256sum -c checksums.sha256`"),
)

_START: Final = """```python
import quadphase

release = quadphase.Release(".")
for subject in release:
    for phase in subject:
        ct, liver, lesions = phase.ct, phase.liver, phase.lesions  # lesions is None where no mask exists
```

or with any NIfTI reader: paths in `patient_data.csv` are relative to this folder, `NA` means there is no such file."""


def card(protocol: Protocol, answers: Mapping[str, str | None]) -> str:
    """The text of the file."""
    release = protocol.release
    lines = [f"# {title_of(protocol)}", ""]
    if release.description:
        lines += [release.description, ""]
    follows = f"`{SPECIFICATION['name']}` version {SPECIFICATION['version']}"
    lines += [
        f"Version {release.version}. Licence {release.license}. Follows {follows}.",
        "",
        answers["instances"] or "",
        "",
    ]
    if release.creators:
        lines += [f"Creators: {'; '.join(release.creators)}.", ""]
    if release.doi:
        lines += [f"Please cite https://doi.org/{release.doi}.", ""]
    lines += ["## What is where", "", "| file | content |", "| --- | --- |"]
    lines += [f"| {name} | {text} |" for name, text in _FILES]
    lines += ["", "## Open it", "", _START, "", "## Columns", ""]
    for table in TABLES:
        lines += [f"### `{table.file}`", "", table.meaning, "", "| column | type | meaning |", "| --- | --- | --- |"]
        lines += [f"| `{c.name}` | {_kind(c)} | {c.meaning} |" for c in table.columns]
        lines.append("")
    lines += ["## Datasheet", "", "Questions after Gebru et al. 2021, https://doi.org/10.1145/3458723.", ""]
    section = ""
    for question in QUESTIONS:
        answer = answers[question.key]
        if answer is None:
            continue
        if question.section != section:
            section = question.section
            lines += [f"### {section}", ""]
        lines += [f"**{question.text}** {answer}", ""]
    unanswered = open_questions(answers)
    lines += ["## Open questions", ""]
    if unanswered:
        lines += ["Nobody has answered these yet; nothing should be assumed:", ""]
        lines += [f"- {question.text}" for question in unanswered]
    else:
        lines.append("None.")
    return "\n".join(lines).rstrip() + "\n"


def _kind(column: Column) -> str:
    kind = column.kind + (", NA possible" if column.nullable else "")
    return f"{kind}: {', '.join(column.values)}" if column.values else kind
