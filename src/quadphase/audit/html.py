"""The audit as one self-contained HTML page: no script, no outside file; every picture is in it once."""

from __future__ import annotations

import base64
import struct
from pathlib import Path
from typing import Any, Final

from quadphase.audit.contexts import has_images
from quadphase.audit.report import AuditReport
from quadphase.audit.thumbnail import volumes_of
from quadphase.errors import InputError
from quadphase.io import atomic
from quadphase.io.release import Release
from quadphase.model import Finding
from quadphase.model.catalogue import CATALOGUE

__all__ = ["render_html", "require_page", "write_html"]

SHOWN: Final = 9
"""Findings of one code shown before "more"."""


def require_page(path: Path, *audited: Path, overwrite: bool = False) -> None:
    """Refuse a place for the page before hours of auditing, not after.

    Parameters
    ----------
    path : Path
        Where the page is to be written.
    *audited : Path
        Releases that are read: a page inside one of them would change it, or replace a page of its own.
    overwrite : bool
        Whether an existing file is replaced.

    Raises
    ------
    InputError
        ``"page-inside"``; as `Release`.
    OutputError
        As `atomic.require_file`.
    """
    for name in audited:
        release = Release(name)
        if has_images(release) and path.resolve().is_relative_to(release.root.resolve()):
            raise InputError("page-inside", f"{path} lies inside the release", "Write the page to another folder")
    atomic.require_file(path, overwrite=overwrite)


def write_html(path: Path, report: AuditReport, *, overwrite: bool = False) -> Path:
    """Write the page; errors as `atomic.write_bytes`."""
    return atomic.write_text(path, render_html(report), overwrite=overwrite)


def render_html(report: AuditReport) -> str:
    """The page as text."""
    from jinja2 import Environment

    template = Path(__file__).with_name("report.html.j2").read_text("utf-8")
    css = {location: f"v{number}" for number, location in enumerate(sorted(report.thumbnails))}
    locations = {facts.location for facts in report.facts}
    groups = []
    for code in report.counts:
        entry, findings = CATALOGUE[code], report.of(code)
        cards = [_card(finding, css, locations) for finding in findings]
        severity = findings[0].severity.value
        groups.append({"code": code, "severity": severity, "title": entry.title, "hint": entry.hint, "findings": cards})
    page = Environment(autoescape=True, trim_blocks=True).from_string(template)
    return page.render(
        name=Path(report.name).name or report.name,
        subjects=report.subjects,
        images=report.images,
        read=len(report.facts),
        severities=report.severity_counts(),
        groups=groups,
        shown=SHOWN,
        pictures=[(css[where], _data_uri(png), _width(png)) for where, png in sorted(report.thumbnails.items())],
    )


def _card(finding: Finding, css: dict[str, str], locations: set[str]) -> dict[str, Any]:
    named = volumes_of([finding.location])
    pictures = [(css[where], where) for where in sorted(css) if where in named or where.split("/")[0] in named]
    about_images = bool(pictures) or bool(named & locations) or finding.code == "file-corrupt"
    return {
        "location": finding.location,
        "message": finding.message,
        "pictures": [(name, where.split("/")[-1] if len(named) == 1 else where) for name, where in pictures],
        "imaging": about_images,
    }


def _data_uri(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


def _width(png: bytes) -> int:
    """Columns of a PNG, from its header."""
    return int(struct.unpack(">I", png[16:20])[0])
