"""Laws of what the audit recognises volumes and directions by."""

from __future__ import annotations

from pathlib import PurePosixPath

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from quadphase.audit.facts import Sketch
from quadphase.audit.matching import match_slices
from quadphase.audit.measure.histogram import intensity_of, slice_histograms, slice_keys
from quadphase.io.hashing import format_checksums, parse_checksums


def noise(seed: int, slices: int = 10) -> np.ndarray:
    """Soft tissue with noise inside the paper's window, ``(40, 40, K)`` int16."""
    return np.clip(np.random.default_rng(seed).normal(40, 40, (40, 40, slices)), -180, 180).astype(np.int16)


@given(
    seed=st.integers(0, 2**32 - 1),
    flips=st.tuples(st.booleans(), st.booleans()),
    turned=st.booleans(),
    offset=st.integers(-90, 90),
)
@settings(max_examples=40, deadline=None)
def test_keys_survive_flips_turns_and_offsets(seed: int, flips: tuple[bool, bool], turned: bool, offset: int) -> None:
    hu = noise(seed)
    changed = hu[:: -1 if flips[0] else 1, :: -1 if flips[1] else 1]
    changed = (changed.swapaxes(0, 1) if turned else changed) + np.int16(offset)
    assert np.array_equal(slice_keys(*slice_histograms(hu)), slice_keys(*slice_histograms(changed)))


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_keys_survive_windowing_of_a_full_range_scan(seed: int) -> None:
    hu = noise(seed)
    hu[:10] = -1000
    hu[10:12] = 900
    windowed = np.clip(hu, -200, 200)
    assert np.array_equal(slice_keys(*slice_histograms(hu)), slice_keys(*slice_histograms(windowed)))


@given(seed=st.integers(0, 2**31))
@settings(max_examples=30, deadline=None)
def test_different_noise_has_different_keys(seed: int) -> None:
    a, b = (slice_keys(*slice_histograms(noise(seed + n))) for n in (0, 1))
    assert not set(a.tolist()) & set(b.tolist())


def _sketch(grey: np.ndarray, slice_mm: float) -> Sketch:
    return Sketch(
        grey=grey.astype(np.float32),
        body=np.ones(grey.shape, bool),
        liver=None,
        lesion=None,
        spacing_mm=(3.0, 3.0, slice_mm),
        black=-200.0,
        unit=400.0,
    )


@given(seed=st.integers(0, 2**31), factor=st.sampled_from([1, 2, 3]), turned=st.booleans())
@settings(max_examples=25, deadline=None)
def test_matching_finds_direction_and_rate(seed: int, factor: int, turned: bool) -> None:
    draw = np.random.default_rng(seed)
    coarse = draw.random((32, 32, 12))
    at = np.linspace(0, 11, 60)
    low = np.minimum(at.astype(int), 10)
    smooth = coarse[:, :, low] * (1 - at + low) + coarse[:, :, low + 1] * (at - low)
    other = smooth[:, :, ::factor]
    other = other[:, :, ::-1] if turned else other
    match = match_slices(_sketch(smooth, 1.0), _sketch(other, float(factor)), trust_spacing=False)
    assert match is not None
    assert match.is_reversed == turned
    assert abs(match.rate) * factor == 1 or abs(abs(match.rate) * factor - 1) < 0.12


PATHS = st.lists(st.text("abcXYZ019_. -", min_size=1, max_size=12), min_size=1, max_size=3).map("/".join)
DIGESTS = st.text("0123456789abcdef", min_size=64, max_size=64)


@given(
    digests=st.dictionaries(PATHS, DIGESTS, max_size=6),
    form=st.sampled_from(
        ["{digest}  ./{path}\n", "{upper}  {path}\n", "{digest} *{path}\n", "{upper} *././{path}\r\n"]
    ),
)
@settings(max_examples=60, deadline=None)
def test_manifests_of_every_accepted_form_say_the_same(digests: dict[str, str], form: str) -> None:
    tidy = {path: d for path, d in digests.items() if PurePosixPath(path).as_posix() == path and path.strip() == path}
    lines = [form.format(path=path, digest=digest, upper=digest.upper()) for path, digest in tidy.items()]
    assert parse_checksums("".join(lines)) == tidy == parse_checksums(format_checksums(tidy))


@given(values=hnp.arrays(np.float32, (3, 4, 2), elements=st.floats(-1e5, 1e5, width=32)))
@settings(max_examples=60, deadline=None)
def test_limits_are_those_of_the_voxels_whatever_the_histogram_rounds(values: np.ndarray) -> None:
    seen = intensity_of(*slice_histograms(values), limits=(float(values.min()), float(values.max())))
    assert (seen.minimum, seen.maximum) == (values.min(), values.max())
    assert seen.window is None or all(limit == round(limit) for limit in seen.window)
