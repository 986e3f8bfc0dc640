"""The great vessels outside the liver: aorta and its branches, vena cava, portal confluence, splenic and renal
vessels.
"""

from __future__ import annotations

from collections.abc import Sequence

from quadphase.model import Phase
from quadphase.phantom.canvas import Canvas, Organ
from quadphase.phantom.enhancement import tissue_hu
from quadphase.phantom.patient import PatientSpec
from quadphase.phantom.shapes import Point, tube

__all__ = ["paint_great_vessels", "paint_visceral_vessels"]

Path = Sequence[Point]

_ARTERIES: tuple[tuple[Path, float], ...] = (
    ([(6, 4, 36), (6, -10, 38), (-2, -16, 40)], 3.4),  # coeliac
    ([(-2, -16, 40), (-16, -18, 42), (-26, -16, 46)], 2.4),  # hepatic
    ([(6, -10, 38), (24, -8, 42), (42, 4, 38), (62, 8, 44), (80, 18, 46)], 2.6),  # splenic
    ([(6, 4, 22), (5, -9, 12), (6, -14, -10), (8, -18, -60), (10, -20, -140)], 3.4),  # superior mesenteric
    ([(10, 8, 4), (26, 20, 0), (42, 28, -4)], 2.6),  # left renal
    ([(4, 8, 2), (-16, 22, -4), (-40, 30, -12)], 2.6),  # right renal
)

_VEINS: tuple[tuple[Path, Sequence[float], str], ...] = (
    ([(-2, -13, 14), (-8, -12, 28), (-16, -11, 40)], (7.0, 7.0, 6.6), "portal vein"),
    ([(-2, -13, 14), (18, -14, 22), (42, 2, 30), (68, 18, 38), (84, 22, 44)], (5.2, 4.6, 4.4, 4.0, 3.2), "portal vein"),
    ([(-2, -13, 14), (-4, -16, -10), (-3, -20, -60), (-4, -22, -140)], (5.6, 5.6, 5.0, 4.0), "portal vein"),
    ([(44, 26, -2), (24, 4, 4), (8, -4, 2), (-12, 6, 0)], (4.4, 4.2, 3.8, 4.5), "ivc upper"),
    ([(-40, 28, -10), (-24, 16, -4)], (4.2, 4.6), "ivc upper"),
)


def paint_great_vessels(canvas: Canvas, spec: PatientSpec, phase: Phase) -> None:
    """Aorta and inferior vena cava; after the spine, before the liver's vessels."""
    rest = canvas.rest
    aorta: Path = [(22, 18, 220), (17, 18, 130), (10, 15, 80), (7, 13, 40), (6, 13, -10), (3, 12, -140)]
    radii = (12.0, 11.5, 11.0, 10.2, 9.0, 8.2)
    outer = tube(rest, aorta, radii)
    canvas.paint(outer, tissue_hu("aorta", spec, phase), Organ.AORTA)
    if spec.age_years > 62 and not outer.empty:  # a fleck of calcified wall
        canvas.paint(tube(rest, [(12, 22, 34), (13, 21, 20)], 1.3), 600.0, Organ.AORTA)
    lower: Path = [(-18, 13, -140), (-20, 13, -40), (-20, 12, 0)]
    upper: Path = [(-20, 12, 0), (-21, 13, 40), (-20, 10, 80), (-18, 4, 104), (-14, -12, 132)]
    canvas.paint(tube(rest, lower, (9.5, 10.5, 11)), tissue_hu("ivc lower", spec, phase), Organ.IVC)
    canvas.paint(tube(rest, upper, (11, 11, 11.5, 12, 13)), tissue_hu("ivc upper", spec, phase), Organ.IVC)


def paint_visceral_vessels(canvas: Canvas, spec: PatientSpec, phase: Phase) -> None:
    """Branches of the aorta and tributaries of the portal vein and the vena cava."""
    artery = tissue_hu("artery", spec, phase)
    for veins, radii, tissue in _VEINS:
        organ = Organ.PORTAL_VEIN if tissue == "portal vein" else Organ.VESSEL
        canvas.paint(tube(canvas.moving, veins, radii), tissue_hu(tissue, spec, phase), organ)
    for path, radius in _ARTERIES:
        canvas.paint(tube(canvas.moving, path, radius), artery, Organ.VESSEL)
