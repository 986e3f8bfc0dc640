"""`report.html`: the release on one page that needs nothing else, not even a network.

Everything on the page is read from the release folder; only what was held back and the audit's result are passed in.
Cases held back are counted by reason and never named: their pseudonyms are not part of the release.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from quadphase import __version__
from quadphase.io import atomic
from quadphase.io.release import Release
from quadphase.io.release_tables import GEOMETRY_NAME, GeometryRow, load_geometry
from quadphase.model import Finding, Reason
from quadphase.model.catalogue import CATALOGUE
from quadphase.release.manifest import CHECKSUMS_NAME, released_files
from quadphase.release.table1_text import table1_html
from quadphase.release.wording import counted
from quadphase.statistics.measures import stored_measures
from quadphase.statistics.summary import Quartiles
from quadphase.statistics.table1 import compute_table1

__all__ = ["REPORT_NAME", "AuditNote", "held_back", "write_report"]

REPORT_NAME: Final = "report.html"
_TEMPLATE: Final = Path(__file__).with_name("report.html.jinja")

_PICTURES: Final = (
    ("overview", "How the dataset was made"),
    ("flow", "Who was included"),
    ("slices", "Consecutive slices with liver (red) and lesion (blue)"),
    ("planes", "Three planes and a rendering of liver and lesion"),
    ("phases", "Every phase of one subject, at the slice its lesion is largest on"),
    ("agreement", "How far two readers agree"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditNote:
    """What the audit said, for the page.

    Parameters
    ----------
    checks : int
        Checks that ran.
    findings : tuple of Finding
    """

    checks: int
    findings: tuple[Finding, ...] = ()

    def count(self, severity: str) -> int:
        return sum(f.severity.value == severity for f in self.findings)


def held_back(held: Mapping[str, Iterable[Reason]]) -> tuple[tuple[str, int], ...]:
    """Reasons and how many cases each held back, most frequent first; a case with two reasons counts in both.

    Only the *kind* of a reason is shown: its text may tell a detail of one person who is not in the release, or a path.
    """
    counts = Counter(code for reasons in held.values() for code in {reason.code for reason in reasons})
    words = {
        code: CATALOGUE[code].title if code in CATALOGUE else code.replace("-", " ").capitalize() for code in counts
    }
    return tuple(sorted(((words[code], n) for code, n in counts.items()), key=lambda item: (-item[1], item[0])))


def write_report(
    root: Path,
    *,
    title: str,
    version: str,
    license_name: str,
    held: Mapping[str, tuple[Reason, ...]],
    audit: AuditNote | None,
) -> Path:
    """Write `report.html` into the release folder `root`."""
    from jinja2 import Environment, StrictUndefined

    release = Release(root)
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(_TEMPLATE.read_text("utf-8"))
    geometry = load_geometry(root / GEOMETRY_NAME)
    files = [p for p in released_files(root) if p.name not in (REPORT_NAME, CHECKSUMS_NAME)]
    page = template.render(
        counted=counted,
        title=title,
        version=version,
        license=license_name,
        quadphase=__version__,
        facts=_facts(release, geometry, files),
        table1=table1_html(compute_table1(release.rows, stored_measures(root))),
        pictures=_pictures(root),
        geometry=_geometry_summary(geometry),
        scanners=_scanners(geometry),
        held=held_back(held),
        held_cases=len(held),
        audit=audit,
        files=_files(root, files),
    )
    return atomic.write_text(root / REPORT_NAME, page)


def _facts(release: Release, geometry: tuple[GeometryRow, ...], files: list[Path]) -> list[tuple[str, str]]:
    cancer = sum(s.diagnosis is not None and s.diagnosis.is_cancer for s in release)
    controls = len(release) - cancer
    lesions = sum(row.lesion_count or 0 for row in geometry)
    phases = len({row.phase for row in geometry})
    slices = sum(row.voxels_k for row in geometry)
    size = sum(path.stat().st_size for path in files)

    def fact(number: int, noun: str, text: str = "") -> tuple[str, str]:
        count, _, words = counted(number, noun).partition(" ")
        return count, words + text

    return [
        fact(len(release), "subject", f": {cancer:,} with liver cancer, {counted(controls, 'control')}"),
        fact(len(geometry), "CT volume", f" in {counted(phases, 'phase')}"),
        fact(slices, "slice"),
        fact(lesions, "lesion", " outlined, counted in every phase"),
        # The page cannot know its own size.
        (_size(size), f"in {counted(len(files), 'file')}, besides this page and the checksums"),
    ]


def _size(size: int) -> str:
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}" if size < 10 * unit else f"{size / unit:.0f} {name}"
    return counted(size, "byte")


def _pictures(root: Path) -> list[dict[str, str]]:
    found = []
    for name, caption in _PICTURES:
        vector, raster = root / f"{name}.svg", root / "figures" / f"{name}.png"
        if raster.is_file():
            data, kind = raster.read_bytes(), "image/png"
        elif vector.is_file():
            data, kind = vector.read_bytes(), "image/svg+xml"
        else:
            continue
        source = f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"
        found.append({"name": name, "caption": caption, "source": source})
    return found


def _geometry_summary(geometry: tuple[GeometryRow, ...]) -> list[dict[str, str]]:
    rows: list[tuple[str, str, list[float | None]]] = [
        ("Slices", "", [row.voxels_k for row in geometry]),
        ("Slice spacing", "mm", [row.slice_spacing_mm for row in geometry]),
        ("Pixel spacing", "mm", [row.spacing_i_mm for row in geometry]),
        ("Height of the volume", "mm", [row.slice_spacing_mm * row.voxels_k for row in geometry]),
        ("Liver", "ml", [row.liver_volume_ml for row in geometry]),
        ("Lesions together", "ml", [row.lesion_volume_ml for row in geometry]),
    ]
    table = []
    for label, unit, values in rows:
        q = Quartiles.of(values)
        if q is not None:
            digits = 0 if label == "Slices" else 2 if unit == "mm" and q.maximum < 50 else 1
            cells = {
                name: f"{getattr(q, name):,.{digits}f}" for name in ("minimum", "lower", "median", "upper", "maximum")
            }
            table.append({"label": f"{label} ({unit})" if unit else label, "known": str(q.known), **cells})
    return table


def _scanners(geometry: tuple[GeometryRow, ...]) -> list[tuple[str, int]]:
    names = Counter(" ".join(filter(None, (row.manufacturer, row.model))) or "unknown" for row in geometry)
    return sorted(names.items(), key=lambda item: (-item[1], item[0]))


def _files(root: Path, files: list[Path]) -> list[dict[str, Any]]:
    folders: dict[str, list[Path]] = {}
    for path in files:
        parts = path.relative_to(root).parts
        folders.setdefault(parts[0] if len(parts) > 1 else "", []).append(path)
    rows: list[dict[str, Any]] = []
    for folder, members in sorted(folders.items()):
        if folder:
            size = _size(sum(p.stat().st_size for p in members))
            rows.append({"name": f"{folder}/", "note": f"{len(members)} files, {size}"})
        else:
            rows += [{"name": p.name, "note": _size(p.stat().st_size)} for p in members]
    return rows
