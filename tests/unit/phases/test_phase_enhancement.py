"""What is measured in the image is what the phantom was painted with, and what a person reads on real scans."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from quadphase.convert.exam import read_stacks
from quadphase.convert.phases.enhancement import measure
from quadphase.convert.phases.thumbnail import Thumbnail, thumbnail
from quadphase.io.nifti import load_volume
from quadphase.model import Diagnosis, Grid, Phase, Volume
from quadphase.phantom.enhancement import liver_hu, tissue_hu
from quadphase.phantom.patient import LiverState, PatientSpec

SPECS = {
    "fatty": PatientSpec(seed=5, diagnosis=Diagnosis.HCC, liver_state=LiverState.STEATOTIC, enhancement=0.85),
    "strong": PatientSpec(seed=6, diagnosis=Diagnosis.ICC, enhancement=1.3, breathing_mm=(0.0, 8.0, -6.0, 3.0)),
    "weak": PatientSpec(seed=7, diagnosis=Diagnosis.CHCC, liver_state=LiverState.CIRRHOTIC, enhancement=0.7),
}


@pytest.mark.parametrize("name", SPECS)
def test_aorta_and_liver_are_found_in_every_phase(images, name):
    for phase, measures in zip(Phase, measure(images[name]), strict=True):
        assert measures is not None
        # Averaging over 12 mm and 4 mm voxels takes in a little of the wall.
        assert measures.aorta_hu == pytest.approx(tissue_hu("aorta", SPECS[name], phase), rel=0.08, abs=8)
        assert measures.liver_hu == pytest.approx(liver_hu(SPECS[name], phase), abs=9)


@pytest.mark.parametrize("name", ["control", "fatty", "strong", "weak"])
def test_kidneys_show_cortex_before_medulla(images, name):
    plain, arterial, venous, delayed = measure(images[name])
    difference = [m.cortex_hu - m.medulla_hu for m in (plain, arterial, venous, delayed)]
    assert difference[1] > 1.5 * difference[2] > 0
    assert difference[2] > difference[3] - 2
    assert abs(difference[0]) < 12
    assert plain.cortex_hu < 60 < arterial.cortex_hu


def test_two_stacks_of_different_coverage_are_measured_where_both_are(images):
    whole = images["control"]
    upper = Thumbnail(hu=whole[1].hu[:, :, 12:], start=(*whole[1].start[:2], whole[1].start[2] + 12))
    plain, arterial = measure([whole[0], upper])
    assert arterial.aorta_hu > 200
    assert plain.aorta_hu < 60


def test_stacks_of_different_places_are_measured_apart(images):
    a = images["control"][1]
    far = Thumbnail(hu=a.hu, start=(a.start[0], a.start[1], a.start[2] + 500))
    assert len(measure([a, far])) == 2


@pytest.mark.parametrize("fill", [-1000, 0, 60, 400])
def test_a_scan_without_anatomy_gives_no_numbers_and_no_error(fill):
    hu = np.full((100, 100, 12), fill, dtype=np.int16)
    image = thumbnail(Volume(hu=hu, grid=Grid(hu.shape, np.diag([4.0, 4.0, 5.0, 1.0]))))
    assert measure([image, image]) == (None, None)


def test_tiny_stacks_give_no_error(images):
    cut = [Thumbnail(hu=i.hu[:, :, :1], start=i.start) for i in images["control"]]
    assert len(measure(cut)) == 4
    assert measure([]) == ()


def test_real_three_phases(real_data: Path):
    """Read on the rendered slices at the level of the kidneys: aorta about 40, 240 and 150 HU."""
    stacks = read_stacks([real_data / "multiphase_hcc" / "study"]).usable
    plain, arterial, venous = measure([thumbnail(stack.load().volume) for stack in stacks])
    assert plain.aorta_hu == pytest.approx(40, abs=10)
    assert arterial.aorta_hu == pytest.approx(240, abs=20)
    assert venous.aorta_hu == pytest.approx(152, abs=15)
    assert plain.liver_hu < arterial.liver_hu < venous.liver_hu
    assert arterial.cortex_hu - arterial.medulla_hu > 2 * (venous.cortex_hu - venous.medulla_hu)


def test_real_single_stacks(real_data: Path):
    (venous,) = measure([thumbnail(read_stacks([real_data / "compressed_ct" / "dicom"]).usable[0].load().volume)])
    assert venous.aorta_hu == pytest.approx(154, abs=12)
    assert venous.liver_hu == pytest.approx(95, abs=10)
    (plain,) = measure([thumbnail(load_volume(real_data / "compressed_ct" / "plain_3mm" / "ct.nii.gz"))])
    assert plain.liver_hu == pytest.approx(45, abs=10)
    assert plain.aorta_hu is None or plain.aorta_hu < 80


def test_a_head_is_no_trouble(real_data: Path):
    from quadphase.model.protocol.sections import ConvertSection

    settings = ConvertSection(deskew=True, resample_mm=5.0, fill_gaps=True)
    stacks = read_stacks([real_data / "tilted_ct"], settings=settings).usable
    for stack in stacks:
        (measures,) = measure([thumbnail(stack.load().volume)])
        assert measures is None or measures.aorta_hu is None or measures.aorta_hu < 120
