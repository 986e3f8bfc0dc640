import numpy as np
import pytest

from quadphase.model import Phase
from quadphase.phantom.anatomy import render_phase
from quadphase.phantom.noise import kernel_noise, noise_level
from quadphase.phantom.patient import PatientSpec, Scanner


@pytest.mark.parametrize("scanner", Scanner)
def test_noise_is_grainy_not_white(scanner: Scanner) -> None:
    noise = kernel_noise(np.random.default_rng(0), (8, 256, 256), 0.78125, scanner)
    assert float(noise.std()) == pytest.approx(1.0, abs=0.05)
    neighbours = float(np.mean(noise[:, :, 1:] * noise[:, :, :-1]))
    slices = float(np.mean(noise[1:] * noise[:-1]))
    assert neighbours > 0.4
    assert abs(slices) < 0.15


def test_the_sharper_kernel_has_finer_grain() -> None:
    def peak(scanner: Scanner) -> float:
        noise = kernel_noise(np.random.default_rng(0), (6, 256, 256), 0.78125, scanner)
        power = (np.abs(np.fft.rfft2(noise)) ** 2).mean(0)[0]
        return float((np.fft.rfftfreq(256, 0.78125) * power).sum() / power.sum())

    assert peak(Scanner.CANON) > peak(Scanner.PHILIPS)


def test_thin_slices_are_noisier() -> None:
    assert noise_level(0.8) == pytest.approx(14.0)
    assert noise_level(0.8) > noise_level(2.5) > noise_level(5.0) > 5


def test_a_render_has_the_noise_it_should(healthy: PatientSpec) -> None:
    size = {"shape": (256, 256, 6), "spacing_mm": (1.5625, 1.5625, 5.0)}
    noisy, clean = (render_phase(healthy, Phase.P, **size, noise=n).volume.hu.astype(float) for n in (True, False))
    inside = clean > 0
    assert float((noisy - clean)[inside].std()) == pytest.approx(noise_level(5.0), rel=0.1)
