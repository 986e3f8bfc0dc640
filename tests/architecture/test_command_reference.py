"""`docs/reference/command-line.md` names every command, option, default and `--json` key, and none that is gone.

Commands come from the typer tree. Keys are read from the text of the source, which takes no time and imports nothing
heavy: the constants in the `to_dict` that a command prints, or the fields of a record that is printed as it stands.
Types, and which exit codes a command has, are not checked here; the tests of each command run it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer

from quadphase.cli.main import app

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "command-line.md"
SOURCE = ROOT / "src" / "quadphase"

PRINTED = {
    "--json": [
        "model/finding.py:Finding",
        "model/outcome.py:Reason",
        "model/outcome.py:Outcome",
        "pipeline/run.py:RunResult",
    ],
    "quadphase cohort": ["cohort/run.py:CohortResult", "cohort/flow.py:Flow", "cohort/flow.py:FlowStep"],
    "quadphase acquire": ["acquire/report.py:AcquireReport", "acquire/report.py:Transfer"],
    "quadphase convert": [
        "convert/folder.py:FolderReport",
        "convert/folder.py:StackReport",
        "model/records.py:GridRecord",
    ],
    "quadphase exams": [
        "cli/exams.py:_plain",
        "convert/phases/report.py:ExamReport",
        "convert/phases/report.py:StackReport",
        "convert/phases/features.py:EnhancementMeasures",
        "model/records.py:Evidence",
    ],
    "quadphase annotate agree": [
        "annotate/agreement.py:summarise",
        "pipeline/reading.py:write_agreement",
        "annotate/agreement.py:_spread",
        "annotate/agreement.py:PhaseAgreement",
        "imaging/overlap.py:Overlap",
    ],
    "quadphase annotate status": ["pipeline/reading.py:reading_status"],
    "quadphase agree": ["imaging/overlap.py:Overlap"],
    "quadphase deidentify scan": ["deidentify/scan.py:ScanReport"],
    "quadphase deidentify dicom": ["deidentify/folder.py:DicomReport"],
    "quadphase deidentify score": ["deidentify/scorer.py:Score"],
    "quadphase deidentify predictability": ["deidentify/predictability.py:PredictabilityReport"],
    "quadphase audit": ["audit/report.py:AuditReport", "audit/facts.py:VolumeFacts", "model/finding.py:Severity"],
    "quadphase table1": [
        "statistics/table1.py:Table1",
        "statistics/table1.py:_cell_dict",
        "statistics/summary.py:Quartiles",
    ],
    "quadphase repair": [
        "audit/repair/run.py:RepairReport",
        "audit/repair/run.py:counts",
        "audit/repair/provenance.py:Assumption",
    ],
}
"""What the object in a section of the page is made of, ``file:class`` or ``file:function``."""

EMITTED = {"outcomes": "--json", "annotate": "quadphase annotate status"}
"""Section of the keys that a module of `cli` prints itself, where it is not that of the command with its name."""


def sections(page: str) -> dict[str, str]:
    """Text under each heading of the second level, by the heading without its backquotes."""
    pieces = re.split(r"^## (.+)$", page, flags=re.MULTILINE)
    return {title.replace("`", ""): text for title, text in zip(pieces[1::2], pieces[2::2], strict=True)}


def walk(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """`command` and every command below it, with the words that call it."""
    yield name, command
    for word, below in getattr(command, "commands", {}).items():
        yield from walk(below, f"{name} {word}")


def options(command: Any) -> list[Any]:
    """Its options; `--help`, which every command has, is no parameter."""
    return [parameter for parameter in command.params if parameter.param_type_name == "option"]


@cache
def tree(file: str) -> ast.Module:
    return ast.parse((SOURCE / file).read_text("utf-8"))


def constants(node: ast.AST) -> set[str]:
    """Constant keys of every dict display below `node`."""
    keys = [key for inner in ast.walk(node) if isinstance(inner, ast.Dict) for key in inner.keys]
    return {key.value for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str)}


def keys_of(origin: str) -> set[str]:
    """Keys that a class or function brings into an object: of its `to_dict`, else its fields or its values."""
    file, name = origin.split(":")
    named = (ast.ClassDef, ast.FunctionDef)
    found = next(node for node in ast.walk(tree(file)) if isinstance(node, named) and node.name == name)
    if isinstance(found, ast.FunctionDef):
        return constants(found)
    method = next((node for node in found.body if isinstance(node, ast.FunctionDef) and node.name == "to_dict"), None)
    if method is not None and (keys := constants(method)):
        return keys
    fields = {
        node.target.id for node in found.body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }
    values = [node.value for node in found.body if isinstance(node, ast.Assign)]
    return fields or {
        value.value for value in values if isinstance(value, ast.Constant) and isinstance(value.value, str)
    }


def emitted(file: str) -> set[str]:
    """Keys of the objects a module of `cli` hands to `emit`."""
    calls = [node for node in ast.walk(tree(file)) if isinstance(node, ast.Call)]
    values = [
        call.args[0] for call in calls if isinstance(call.func, ast.Name) and call.func.id == "emit" and call.args
    ]
    return {key for value in values for key in constants(value)}


def expected_keys() -> dict[str, set[str]]:
    """Keys by section of the page."""
    expected = {section: set().union(*map(keys_of, origins)) for section, origins in PRINTED.items()}
    for path in sorted((SOURCE / "cli").glob("*.py")):
        if keys := emitted(f"cli/{path.name}"):
            expected.setdefault(EMITTED.get(path.stem, f"quadphase {path.stem}"), set()).update(keys)
    return expected


def problems(page: str) -> list[str]:
    """Where the page and the commands differ."""
    told = sections(page)
    commands = dict(walk(typer.main.get_command(app), "quadphase"))
    found = [f"{title}: no section" for title in commands.keys() - told.keys()]
    gone = [title for title in told.keys() - commands.keys() if title.startswith("quadphase")]
    found += [f"{title}: there is no such command" for title in gone]
    for title in commands.keys() & told.keys():
        found += [f"{title}: {problem}" for problem in _option_problems(commands[title], told[title])]
    for title, keys in expected_keys().items():
        text = told.get(title, "")
        by_name = keys_of("model/outcome.py:Reason") if "[Reason]" in text else set()
        found += [f"{title}: key {key} is missing" for key in keys - by_name if f'"{key}"' not in text]
        found += [f"{title}: there is no key {key}" for key in set(re.findall(r'"(\w+)":', text)) - keys]
    return sorted(found)


def _option_problems(command: Any, text: str) -> Iterator[str]:
    rows = [line for line in text.splitlines() if line.startswith("| `-")]
    for option in options(command):
        long = next(name for name in option.opts if name.startswith("--"))
        row = next((row for row in rows if row.startswith(f"| `{long}`")), None)
        if row is None:
            yield f"{long} is missing"
            continue
        for name in option.opts:
            if f"`{name}`" not in row:
                yield f"{name} is missing"
        default = getattr(option.default, "value", option.default)
        if default not in (None, False, "", ()) and f" {default} " not in row:
            yield f"default {default} of {long} is missing"
    known = {name for option in options(command) for name in option.opts} | {"--help"}
    for row in rows:
        for name in re.findall(r"`(--?[a-z][a-z-]*)`", row.split("|")[1]):
            if name not in known:
                yield f"there is no option {name}"
    if not hasattr(command, "commands") and "Exit codes: " not in text:
        yield "no exit codes"


@pytest.fixture(scope="module")
def page() -> str:
    return PAGE.read_text("utf-8")


def test_the_page_is_the_commands(page: str) -> None:
    assert problems(page) == []


def test_what_is_left_out_is_noticed(page: str) -> None:
    without_option = re.sub(r"^\| `--estimate`.*\n", "", page, flags=re.MULTILINE)
    assert problems(without_option) == ["quadphase repair: --estimate is missing"]
    without_section = page.replace("## `quadphase annotate seal`", "")
    assert "quadphase annotate seal: no section" in problems(without_section)
    assert problems(page.replace('"sha256": str', "")) == ["quadphase pack: key sha256 is missing"]


def test_what_is_gone_is_noticed(page: str) -> None:
    assert problems(page.replace("| `--estimate` ", "| `--guess` | |\n| `--estimate` ")) == [
        "quadphase repair: there is no option --guess"
    ]
    assert problems(page.replace('"sha256": str', '"sha256": str, "md5": str')) == [
        "quadphase pack: there is no key md5"
    ]
    assert problems(page.replace("| 256 |", "| 128 |")) == ["quadphase demo: default 256 of --matrix is missing"]
    assert problems(page + "\n## `quadphase serve`\n") == ["quadphase serve: there is no such command"]
