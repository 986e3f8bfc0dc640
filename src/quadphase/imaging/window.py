"""Clip HU to an intensity window. The result says so in `Volume.window_hu`; the source volume is never changed."""

from __future__ import annotations

import numpy as np

from quadphase.errors import InputError
from quadphase.model import Volume

__all__ = ["window"]

INT16 = np.iinfo(np.int16)


def window(volume: Volume, *, lower_hu: int, upper_hu: int) -> Volume:
    """Clip to ``lower_hu <= value <= upper_hu``, staying in HU and in the volume's own type.

    Parameters
    ----------
    volume : Volume
    lower_hu, upper_hu : int
        Inclusive limits; the paper uses -200 and 200 (level 0, width 400).

    Raises
    ------
    InputError
        ``"bad-window"`` if the limits are not in order or not of int16.
    """
    if not INT16.min <= lower_hu < upper_hu <= INT16.max:
        message = f"A window needs lower < upper within {INT16.min}..{INT16.max} HU, not {lower_hu}..{upper_hu}"
        raise InputError("bad-window", message)
    clipped = np.clip(volume.hu, volume.hu.dtype.type(lower_hu), volume.hu.dtype.type(upper_hu))
    return Volume(hu=clipped, grid=volume.grid, window_hu=(lower_hu, upper_hu))
