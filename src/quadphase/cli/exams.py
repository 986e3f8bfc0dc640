"""`quadphase exams STUDY`: what speaks for which phase in every stack, what was assigned, and how sure that is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quadphase.cli.output import JsonOption, emit, guard

if TYPE_CHECKING:
    from quadphase.convert.phases.report import ExamReport, StackReport

__all__ = ["register"]


def exams(
    study: Annotated[Path, typer.Argument(help="Study folder.")],
    case: Annotated[list[str] | None, typer.Option("--case", help="Only these cases; may be repeated.")] = None,
    review: Annotated[bool, typer.Option("--review", help="Only cases that wait for a person.")] = False,
    json: JsonOption = False,
) -> None:
    """Show the stacks of every exam: evidence for each phase, the assignment, margins; how to decide yourself."""
    with guard():
        from quadphase.io.study import Study

        found = _load(Study(study), tuple(case or ()))
        if review:
            found = [entry for entry in found if entry["held"]]
        emit({"exams": [_plain(entry) for entry in found]}, json=json, text=lambda: _print(found, study))


def _load(study: Any, cases: tuple[str, ...]) -> list[dict[str, Any]]:
    """Report of each exam, and why the case is held back (empty if it is not)."""
    from quadphase.convert.phases.report import ExamReport
    from quadphase.errors import InputError
    from quadphase.io.json_file import load_json, load_record

    _ = study.protocol  # a folder without a protocol is no study: one clear line
    folder = study.exam_report("x").parent
    names = sorted(path.stem for path in folder.glob("*.json")) if folder.is_dir() else []
    if unknown := sorted(set(cases) - set(names)):
        raise InputError("unknown-case", f"There is no exam of {unknown[0]}", "`quadphase exams STUDY` lists them")
    found = []
    for name in names:
        if cases and name not in cases:
            continue
        held = study.reports / "held" / f"{name}.json"
        reasons = [reason["text"] for reason in load_json(held)["reasons"]] if held.is_file() else []
        found.append({"report": load_record(study.exam_report(name), ExamReport), "held": reasons})
    return found


def _plain(entry: dict[str, Any]) -> dict[str, Any]:
    return {**entry["report"].model_dump(mode="json"), "held": entry["held"]}


def _print(found: list[dict[str, Any]], study: Path) -> None:
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False, soft_wrap=True)
    if not found:
        console.print("No exams yet. `quadphase run` or `quadphase convert` reads them.")
    for entry in found:
        report: ExamReport = entry["report"]
        margins = ", ".join(f"{phase.value} {margin:.1f}" for phase, margin in sorted(report.margins.items()))
        console.print(f"\n{report.case}   margins: {margins or 'none'}", style="bold")
        for line in _table(report):
            console.print(line.rstrip(), markup=False)
        for stack in report.stacks:
            words = [item.detail for item in stack.evidence if item.source in ("text", "delay", "time")]
            console.print(f"  stack {stack.stack} = {stack.series}" + escape("".join(f"; {word}" for word in words)))
        for finding in report.findings:
            console.print(f"  {finding.severity.value}: {escape(finding.message)} [{finding.code}]", markup=False)
        if entry["held"]:
            console.print("  held back: " + escape("; ".join(entry["held"])))
    if any(entry["report"].needs_review for entry in found):
        console.print(
            f"\nTo decide, write {study / 'overrides' / 'phases.csv'} with the columns case,series,phase,author,time; "
            "phase is P, C1, C2, C3 or none.",
            markup=False,
        )


def _table(report: ExamReport) -> list[str]:
    """Lines of equal columns, as wide as their text: a terminal may wrap them, nothing is cut."""
    sources = [s for s in _SOURCES if any(item.source == s for stack in report.stacks for item in stack.evidence)]
    rows = [("stack", "slices", "mm", "after s", "aorta", "liver", "kidney", *(_SOURCES[s] for s in sources), "phase")]
    for stack in report.stacks:
        hu = stack.enhancement_hu or {}
        by_source = {item.source: item for item in stack.evidence}
        rows.append(
            (
                str(stack.stack),
                str(stack.n_slices),
                f"{stack.slice_spacing_mm:g}",
                "" if stack.seconds_after_first is None else f"{stack.seconds_after_first:.0f}",
                *(_hu(hu.get(name)) for name in ("aorta_hu", "liver_hu", "cortex_hu")),
                *(_favourite(by_source.get(source)) for source in sources),
                _phase(stack, report),
            )
        )
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    return [
        "  "
        + "  ".join(
            cell.rjust(w) if n < 7 else cell.ljust(w) for n, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]


_SOURCES = {"text": "text", "contrast": "tags", "delay": "delay", "time": "clock", "enhancement": "image"}
"""Columns of the table: kind of evidence and its short name."""


def _hu(value: float | None) -> str:
    return "" if value is None else f"{value:.0f}"


def _favourite(item: Any) -> str:
    """Phases a kind of evidence speaks for, and by how much over the best of the others: ``C1 +2.1``."""
    if item is None:
        return ""
    best = max(item.scores.values())
    top = sorted(phase.value for phase, score in item.scores.items() if score > best - 0.05)
    others = [score for phase, score in item.scores.items() if phase.value not in top]
    if not others:
        return ""
    words = "not P" if top == ["C1", "C2", "C3"] else "/".join(top)
    return f"{words} +{best - max(others):.1f}"


def _phase(stack: StackReport, report: ExamReport) -> str:
    if stack.phase is None:
        return "none"
    author = report.assigned_by.get(stack.phase, "evidence")
    return (
        stack.phase.value
        + ("" if stack.used else " (not used)")
        + (f" by {author}" if author != "evidence" and stack.used else "")
    )


def register(app: typer.Typer) -> None:
    app.command()(exams)
