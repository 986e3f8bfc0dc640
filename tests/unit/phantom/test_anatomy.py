"""What a radiologist would measure: HU per organ and phase, sizes, positions, motion."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from quadphase.model import Diagnosis, Phase
from quadphase.phantom.anatomy import Organ, RenderedPhase, render_phase
from quadphase.phantom.patient import LiverState, PatientSpec

Render = Callable[[PatientSpec, Phase], RenderedPhase]


def median_hu(rendered: RenderedPhase, organ: Organ, erode: int = 1) -> float:
    """Median away from the edge and from tumours."""
    inside = (
        ndimage.binary_erosion(rendered.organs.labels == organ, iterations=erode)
        if erode
        else (rendered.organs.labels == organ)
    )
    inside &= rendered.lesions.labels == 0
    assert inside.sum() > 5, organ
    return float(np.median(rendered.volume.hu[inside]))


RANGES = [
    # organ, phase, lowest, highest: see `enhancement` for the sources
    (Organ.LIVER, Phase.P, 50, 68),
    (Organ.LIVER, Phase.C1, 65, 90),
    (Organ.LIVER, Phase.C2, 100, 130),
    (Organ.LIVER, Phase.C3, 85, 110),
    (Organ.SPLEEN, Phase.P, 40, 55),
    (Organ.SPLEEN, Phase.C1, 110, 160),
    (Organ.SPLEEN, Phase.C2, 105, 140),
    (Organ.AORTA, Phase.P, 30, 50),
    (Organ.AORTA, Phase.C1, 220, 380),
    (Organ.AORTA, Phase.C2, 130, 190),
    (Organ.AORTA, Phase.C3, 100, 145),
    (Organ.KIDNEY_CORTEX, Phase.P, 25, 40),
    (Organ.KIDNEY_CORTEX, Phase.C1, 140, 220),
    (Organ.LUNG, Phase.P, -920, -780),
    (Organ.FAT, Phase.C2, -115, -90),
    (Organ.MUSCLE, Phase.P, 35, 62),
]


@pytest.mark.parametrize(("organ", "phase", "low", "high"), RANGES)
def test_hu_of_organs(
    render: Render, healthy: PatientSpec, organ: Organ, phase: Phase, low: float, high: float
) -> None:
    assert low <= median_hu(render(healthy, phase), organ) <= high


def test_vessels_enhance_in_the_order_of_circulation(render: Render, healthy: PatientSpec) -> None:
    by_phase = {p: render(healthy, p) for p in Phase}
    aorta = {p: median_hu(r, Organ.AORTA) for p, r in by_phase.items()}
    portal = {p: median_hu(r, Organ.PORTAL_VEIN, 0) for p, r in by_phase.items()}
    assert max(aorta, key=lambda p: aorta[p]) is Phase.C1
    assert max(portal, key=lambda p: portal[p]) is Phase.C2
    assert aorta[Phase.C1] - portal[Phase.C1] > 80
    assert aorta[Phase.C3] < aorta[Phase.C2] < aorta[Phase.C1]


def test_contrast_reaches_the_renal_pelvis_only_late(render: Render, healthy: PatientSpec) -> None:
    def brightest(phase: Phase) -> float:
        r = render(healthy, phase)
        return float(np.percentile(r.volume.hu[r.organs.labels == Organ.KIDNEY_MEDULLA], 99))

    assert brightest(Phase.C3) > brightest(Phase.C2) + 30


def test_the_liver_is_on_the_right_below_the_lung_and_of_human_size(render: Render, healthy: PatientSpec) -> None:
    r = render(healthy, Phase.C2)
    assert 950 < r.liver.volume_ml < 2200
    center = {o: np.argwhere(r.organs.labels == o).mean(0) for o in (Organ.LIVER, Organ.SPLEEN, Organ.LUNG, Organ.BONE)}
    assert r.volume.grid.axis_codes == ("L", "P", "S")
    assert center[Organ.LIVER][0] < center[Organ.BONE][0] < center[Organ.SPLEEN][0]
    assert center[Organ.LIVER][2] < center[Organ.LUNG][2]
    _, pieces = ndimage.label(r.liver.voxels)
    sizes = ndimage.sum_labels(r.liver.voxels, ndimage.label(r.liver.voxels)[0], range(1, pieces + 1))
    assert max(sizes) > 0.99 * sum(sizes)


@pytest.mark.parametrize(
    ("organ", "low", "high"),
    [
        (Organ.SPLEEN, 90, 450),
        (Organ.GALLBLADDER, 8, 90),
        (Organ.PANCREAS, 30, 160),
        (Organ.KIDNEY_CORTEX, 120, 420),
        (Organ.STOMACH, 100, 900),
        (Organ.AORTA, 30, 160),
    ],
)
def test_organs_have_human_sizes(render: Render, healthy: PatientSpec, organ: Organ, low: float, high: float) -> None:
    assert low < render(healthy, Phase.C2).organs.mask(organ).volume_ml < high


def test_organs_move_with_the_breath_and_bones_do_not(healthy: PatientSpec) -> None:
    # 12 mm is exactly two slices, so the moved liver is the same array two slices on (up to its edge against the wall).
    low, high = (
        render_phase(
            replace(healthy, breathing_mm=(b, b, b, b)),
            Phase.P,
            shape=(64, 64, 40),
            spacing_mm=(6.25, 6.25, 6.0),
            noise=False,
        )
        for b in (0.0, 12.0)
    )
    shifted = np.roll(low.liver.voxels, 2, axis=2)
    agreement = 2 * (shifted & high.liver.voxels).sum() / (shifted.sum() + high.liver.voxels.sum())
    still = 2 * (low.liver.voxels & high.liver.voxels).sum() / (low.liver.voxels.sum() + high.liver.voxels.sum())
    assert agreement > 0.95 > still
    spine = np.s_[28:36, 34:46, :]
    bones = [(r.organs.labels[spine] == Organ.BONE) for r in (low, high)]
    assert (bones[0] == bones[1]).mean() > 0.99


def test_steatosis_darkens_the_liver_below_its_vessels(render: Render, healthy: PatientSpec) -> None:
    fatty = render(replace(healthy, liver_state=LiverState.STEATOTIC), Phase.P)
    assert median_hu(fatty, Organ.LIVER) < 40
    assert median_hu(fatty, Organ.LIVER) < median_hu(fatty, Organ.SPLEEN) - 10


def test_cirrhosis_roughens_the_edge_and_enlarges_the_spleen(render: Render, healthy: PatientSpec) -> None:
    def roughness(r: RenderedPhase) -> float:
        """Share of the liver that rounding its contours by 6 mm fills in, slice by slice."""
        disc = np.hypot(*np.mgrid[-2:3, -2:3]) <= 2
        filled = ndimage.binary_closing(r.liver.voxels, disc[:, :, None])
        return float((filled & ~r.liver.voxels).sum() / r.liver.voxels.sum())

    sick, well = render(replace(healthy, liver_state=LiverState.CIRRHOTIC), Phase.C2), render(healthy, Phase.C2)
    assert roughness(sick) > 1.3 * roughness(well)
    assert sick.organs.mask(Organ.SPLEEN).volume_ml > 1.1 * well.organs.mask(Organ.SPLEEN).volume_ml


def test_the_same_spec_gives_the_same_voxels_and_another_seed_does_not(healthy: PatientSpec) -> None:
    size = {"shape": (64, 64, 6), "spacing_mm": (6.25, 6.25, 20.0)}
    a, b = (render_phase(healthy, Phase.C1, **size) for _ in range(2))
    c = render_phase(replace(healthy, seed=99), Phase.C1, **size)
    assert a.volume.hu.tobytes() == b.volume.hu.tobytes()
    assert (a.organs.labels != c.organs.labels).mean() > 0.005


def test_the_anatomy_does_not_depend_on_the_matrix(healthy: PatientSpec) -> None:
    volumes = [
        render_phase(
            healthy, Phase.P, shape=(n, n, 24), spacing_mm=(400 / n, 400 / n, 10.0), noise=False
        ).liver.volume_ml
        for n in (64, 128, 512)
    ]
    assert max(volumes) / min(volumes) < 1.05


def test_lesions_lie_in_the_liver_and_carry_their_numbers(render: Render, tumour: Callable[..., PatientSpec]) -> None:
    spec = tumour(Diagnosis.HCC)
    small = replace(spec.lesions[0], center_mm=(-44.0, -44.0, 66.0), radius_mm=5.0)
    r = render(spec.with_lesions(*spec.lesions, small), Phase.C1)
    assert set(np.unique(r.lesions.labels)) == {0, 1, 2}
    assert r.liver.voxels[r.lesions.labels > 0].all()
    assert r.lesions.labels.dtype == np.int16
    one, two = (float((r.lesions.labels == n).sum()) for n in (1, 2))
    assert one > 20 * two > 0
