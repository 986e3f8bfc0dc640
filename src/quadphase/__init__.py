"""quadphase builds, proves and serves multi-phase contrast-enhanced CT datasets.

>>> import quadphase
>>> release = quadphase.Release("demo/release")  # doctest: +SKIP
>>> release["P0001"].phase("C1").ct.grid.spacing_mm  # doctest: +SKIP
(0.78125, 0.78125, 2.5)

`convert`, `audit` and `find_liver` are the functions behind the commands of those names. Names are loaded when they are
first used, so importing quadphase costs nothing.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from quadphase.audit import audit
    from quadphase.convert.folder import convert_folder as convert
    from quadphase.io.release import Release
    from quadphase.localize import find_liver
    from quadphase.model import Box, Diagnosis, Grid, LabelMap, Mask, Phase, Volume

__version__ = "0.1.0"

__all__ = [
    "Box",
    "Diagnosis",
    "Grid",
    "LabelMap",
    "Mask",
    "Phase",
    "Release",
    "Volume",
    "__version__",
    "audit",
    "convert",
    "find_liver",
]

_PLACES = {
    "audit": ("quadphase.audit", "audit"),
    "convert": ("quadphase.convert.folder", "convert_folder"),
    "find_liver": ("quadphase.localize", "find_liver"),
    "Release": ("quadphase.io.release", "Release"),
    **{name: ("quadphase.model", name) for name in ("Box", "Diagnosis", "Grid", "LabelMap", "Mask", "Phase", "Volume")},
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'quadphase' has no attribute '{name}'")
    from importlib import import_module

    module, attribute = _PLACES[name]
    return getattr(import_module(module), attribute)
