"""The four phases of each tumour against its liver, as LI-RADS describes them."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy import ndimage

from quadphase.model import Diagnosis, Phase
from quadphase.phantom.anatomy import Organ, RenderedPhase
from quadphase.phantom.patient import PatientSpec

Render = Callable[[PatientSpec, Phase], RenderedPhase]
Tumour = Callable[..., PatientSpec]


def contrast(r: RenderedPhase, part: np.ndarray) -> float:
    """Mean HU of a part of the tumour minus that of the liver around it."""
    liver = (r.organs.labels == Organ.LIVER) & ~ndimage.binary_dilation(r.lesions.labels > 0, iterations=3)
    return float(r.volume.hu[part].mean() - np.median(r.volume.hu[ndimage.binary_erosion(liver)]))


def depth_mm(r: RenderedPhase) -> np.ndarray:
    """Distance of tumour voxels to the tumour's surface."""
    return np.asarray(ndimage.distance_transform_edt(r.lesions.labels > 0, r.volume.grid.spacing_mm))


def test_hcc_enhances_early_and_washes_out(render: Render, tumour: Tumour) -> None:
    spec = tumour(Diagnosis.HCC)
    seen = {p: contrast(r := render(spec, p), depth_mm(r) > 5) for p in Phase}
    assert seen[Phase.P] < -5
    assert seen[Phase.C1] > 20
    assert seen[Phase.C2] < -8
    assert seen[Phase.C3] < -10


def test_icc_has_an_early_rim_and_a_late_centre(render: Render, tumour: Tumour) -> None:
    spec = tumour(Diagnosis.ICC)

    def rim_and_centre(phase: Phase) -> tuple[float, float]:
        r = render(spec, phase)
        depth = depth_mm(r)
        return contrast(r, (depth > 1) & (depth < 6)), contrast(r, depth > 12)

    early, late = rim_and_centre(Phase.C1), rim_and_centre(Phase.C3)
    assert early[0] > 5 > -10 > early[1]
    assert late[1] > late[0]
    assert late[1] - early[1] > 20


def test_the_combined_type_is_part_hcc_part_icc(render: Render, tumour: Tumour) -> None:
    r = render(tumour(Diagnosis.CHCC), Phase.C1)
    inside = r.volume.hu[depth_mm(r) > 8].astype(float)
    low, high = np.percentile(inside, (10, 90))
    assert high - low > 35  # hyperenhancing and hypoenhancing parts side by side
    pure = render(tumour(Diagnosis.HCC), Phase.C1)
    spread = np.percentile(pure.volume.hu[depth_mm(pure) > 8], (10, 90))
    assert high - low > spread[1] - spread[0] + 10


@pytest.mark.parametrize("kind", [Diagnosis.HCC, Diagnosis.ICC])
def test_a_necrotic_core_never_enhances(render: Render, tumour: Tumour, kind: Diagnosis) -> None:
    spec = tumour(kind, necrosis=0.6, radius_mm=34.0)
    cores = []
    for phase in Phase:
        r = render(spec, phase)
        depth = depth_mm(r)
        cores.append(float(np.median(r.volume.hu[depth > 0.85 * depth.max()])))
    assert max(cores) - min(cores) < 8
    assert 10 < np.mean(cores) < 35


def test_a_tiny_lesion_is_still_there(render: Render, tumour: Tumour) -> None:
    r = render(tumour(Diagnosis.HCC, radius_mm=4.0), Phase.C1)
    assert 1 <= (r.lesions.labels == 1).sum() < 20
