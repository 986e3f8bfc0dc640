"""The page of all finding codes for people, made from the catalogue: ``python -m quadphase.model.catalogue.page``."""

from __future__ import annotations

import sys

from quadphase.model.catalogue import CATALOGUE

__all__ = ["findings_page"]


def findings_page() -> str:
    """Markdown table of every code, its severity, what it means and what to do."""
    lines = [
        "# Findings",
        "",
        "Every problem quadphase reports in data has one of these codes.",
        "Errors stop a release; warnings ask a person to look.",
        "Made from the catalogue by `make docs`; do not edit.",
        "",
        "| code | severity | what is wrong | what to do |",
        "|---|---|---|---|",
    ]
    lines += [f"| `{c.code}` | {c.severity} | {c.title} | {c.hint} |" for c in CATALOGUE.values()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(findings_page())
