"""Several phases under one SeriesInstanceUID, told apart by one attribute only; and one phase that looks like
several.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from quadphase.model import Diagnosis, Phase
from quadphase.phantom.anatomy import render_phase
from quadphase.phantom.dicom import Slice, slices_of
from quadphase.phantom.exam import Exam
from quadphase.phantom.nasty.case import NastyCase, stack_of, texture
from quadphase.phantom.nasty.geometry import write_case
from quadphase.phantom.patient import PatientSpec

__all__ = [
    "acquisition_number_per_slice",
    "phases_by_acquisition_number",
    "phases_by_acquisition_time",
    "phases_by_content_time",
    "phases_by_instance_number",
    "phases_by_temporal_position",
    "phases_by_trigger_delay",
    "two_kernels",
    "unequal_phases_in_one_series",
]

_BLANK = {
    "AcquisitionNumber": "",
    "AcquisitionTime": "",
    "ContentTime": "",
    "SeriesTime": "",
    "SeriesDescription": "LIVER 3 PHASE (AP)",
    "ContrastBolusStartTime": None,
    "InstanceCreationTime": None,
}
"""What all phases share when only one attribute may tell them apart."""


@cache
def _rendered() -> Mapping[Phase, tuple[Slice, ...]]:
    """Four phases of one person, drawn once: eight builders use them."""
    spec = PatientSpec(seed=11, diagnosis=Diagnosis.CN)
    spacing = (6.25, 6.25, 15.0)
    shape = (64, 64, 12)
    return {p: tuple(slices_of(render_phase(spec, p, shape=shape, spacing_mm=spacing).volume)) for p in Phase}


def _mixed(folder: Path, name: str, label: Callable[[Phase, int, int], dict[str, Any]], **blank: Any) -> NastyCase:
    """Four phases of one patient in one series.

    Parameters
    ----------
    label : callable
        Attributes of a slice from its phase, its number within the phase and the number of slices per phase.
    """
    slices, stacks = [], []
    for phase, plain in _rendered().items():
        labelled = []
        for k, s in enumerate(plain):
            tags = label(phase, k, len(plain))
            number = tags.pop("InstanceNumber", s.instance_number)
            labelled.append(
                s.but(instance_number=number, tags={"SOPInstanceUID": f"2.25.77{phase.order}{k:03d}1", **tags})
            )
        slices += labelled
        stacks.append(stack_of(labelled, phase=phase))
    tags = {**_BLANK, **blank}
    return write_case(folder, slices, tuple(stacks), name=name, note="four phases in one series", tags=tags)


def phases_by_acquisition_number(folder: Path) -> NastyCase:
    """Only AcquisitionNumber differs, as in TCIA HCC-TACE-Seg."""
    return _mixed(folder, "phases_by_acquisition_number", lambda p, _k, _n: {"AcquisitionNumber": p.order + 1})


def phases_by_acquisition_time(folder: Path) -> NastyCase:
    """Only AcquisitionTime differs."""
    return _mixed(
        folder, "phases_by_acquisition_time", lambda p, _k, _n: {"AcquisitionTime": f"{Exam().clock(p):%H%M%S.%f}"}
    )


def phases_by_content_time(folder: Path) -> NastyCase:
    """Only ContentTime differs, and it runs on within each phase."""
    return _mixed(
        folder, "phases_by_content_time", lambda p, k, _n: {"ContentTime": f"{Exam().clock(p):%H%M%S}.{k * 40000:06d}"}
    )


def phases_by_trigger_delay(folder: Path) -> NastyCase:
    """Only TriggerTime (milliseconds after the trigger) differs."""
    return _mixed(
        folder, "phases_by_trigger_delay", lambda p, _k, _n: {"TriggerTime": str([0, 8000, 39000, 159000][p.order])}
    )


def phases_by_temporal_position(folder: Path) -> NastyCase:
    """Only TemporalPositionIdentifier differs."""
    return _mixed(
        folder,
        "phases_by_temporal_position",
        lambda p, _k, _n: {"TemporalPositionIdentifier": p.order + 1, "NumberOfTemporalPositions": 4},
    )


def phases_by_instance_number(folder: Path) -> NastyCase:
    """Nothing but ranges of InstanceNumber: 1-12 plain, 13-24 arterial, and so on, each from head to foot."""
    return _mixed(folder, "phases_by_instance_number", lambda p, k, n: {"InstanceNumber": p.order * n + n - k})


def unequal_phases_in_one_series(folder: Path) -> NastyCase:
    """Arterial and venous of unequal length under one series: some positions repeat, some do not."""
    rendered = _rendered()
    arterial = [s.but(tags={"AcquisitionNumber": 2}) for s in rendered[Phase.C1]]
    venous = [
        s.but(instance_number=s.instance_number + 50, tags={"AcquisitionNumber": 3}) for s in rendered[Phase.C2][:10]
    ]
    stacks = (stack_of(arterial, phase=Phase.C1), stack_of(venous, phase=Phase.C2))
    return write_case(
        folder, arterial + venous, stacks, name="unequal_phases_in_one_series", note="12 and 10 slices", tags=_BLANK
    )


def acquisition_number_per_slice(folder: Path) -> NastyCase:
    """AcquisitionNumber and AcquisitionTime change with every slice, yet it is one stack: positions do not repeat."""
    slices = [
        s.but(tags={"AcquisitionNumber": 1 + k, "AcquisitionTime": f"0942{k:02d}.000000"})
        for k, s in enumerate(slices_of(texture()))
    ]
    return write_case(folder, slices, name="acquisition_number_per_slice", note="one stack, many acquisition numbers")


def two_kernels(folder: Path) -> NastyCase:
    """The same phase reconstructed twice, soft and sharp, in one folder under one series."""
    soft = [s.but(tags={"ConvolutionKernel": "FC18"}) for s in slices_of(texture(1))]
    sharp = [
        s.but(
            instance_number=s.instance_number + 100,
            tags={"ConvolutionKernel": "FC52", "SOPInstanceUID": f"2.25.9{s.instance_number}"},
        )
        for s in slices_of(texture(2))
    ]
    return write_case(folder, soft + sharp, (stack_of(soft), stack_of(sharp)), name="two_kernels", note="FC18 and FC52")
