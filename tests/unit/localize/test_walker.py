from __future__ import annotations

import numpy as np
from scipy import ndimage

from quadphase.localize.walker import smooth_edges, solve

SHAPE = (24, 12, 6)


def _solve(image: np.ndarray, seed: tuple[slice, ...], against: float, enemies: np.ndarray | None = None) -> np.ndarray:
    pro, con = np.zeros(image.shape, np.float32), np.full(image.shape, against, np.float32)
    pro[seed] = 50
    if enemies is not None:
        con[enemies] = 50
    return solve(image, np.ones(image.shape, bool), pro, con, edge_hu=12)


def test_an_edge_stops_it_and_the_domain_limits_it() -> None:
    image = np.zeros(SHAPE, np.float32)
    image[12:] = 60
    field = _solve(image, np.s_[2:4, 5:7, 2:4], 0.001)
    assert field[:12].min() > 0.7
    assert field[12:].max() < 0.3
    domain = np.ones(SHAPE, bool)
    domain[6:] = False
    zeros = np.zeros(SHAPE, np.float32)
    assert not solve(image, domain, zeros + 1, zeros, edge_hu=12)[6:].any()


def test_little_flows_through_a_neck() -> None:
    image = np.full(SHAPE, 200, np.float32)
    image[:10], image[14:] = 0, 0
    wide, narrow = image.copy(), image.copy()
    wide[10:14] = 0
    narrow[10:14, 5:6, 2:3] = 0
    enemies = image > 100
    enemies_narrow = enemies & (narrow > 100)
    through_wide = _solve(wide, np.s_[2:4, 5:7, 2:4], 0.001)[20, 6, 3]
    through_neck = _solve(narrow, np.s_[2:4, 5:7, 2:4], 0.001, enemies_narrow)[20, 6, 3]
    assert through_wide > 0.5
    assert through_neck < 0.2


def test_what_is_enclosed_comes_in() -> None:
    image = np.full((20, 20, 10), 100, np.float32)
    image[7:13, 7:13, 3:8] = 60
    image = ndimage.gaussian_filter(image, 1)
    field = _solve(image, np.s_[2:5, 2:5, 2:5], 0.0005)
    assert field[8:12, 8:12, 4:7].min() > 0.5


def test_smoothing_keeps_edges_and_removes_noise() -> None:
    clean = np.zeros((30, 20, 10), np.float32)
    clean[15:] = 120
    noisy = clean + np.random.default_rng(0).normal(0, 10, clean.shape).astype(np.float32)
    smooth = smooth_edges(noisy, edge_hu=25)
    assert smooth[2:13].std() < 4
    assert abs((smooth[15] - smooth[14]).mean() - 120) < 10
