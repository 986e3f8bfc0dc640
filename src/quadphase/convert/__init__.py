"""Convert: DICOM files to exact volumes, or a clear refusal; contrast phases decided per exam.

Doors: `exam.read_stacks` (files to stacks), `folder.convert_folder` (stand-alone), `case.convert_case` (one case),
`segmentation` (masks as DICOM objects).
"""

import sys
from types import ModuleType
from typing import Any


class _Door(ModuleType):
    """The room itself can be called: ``quadphase.convert(folder, out)`` means `folder.convert_folder`.

    Without this, that name of the Python API would turn from a function into this package at its first use.
    """

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        from quadphase.convert.folder import convert_folder

        return convert_folder(*args, **kwargs)


sys.modules[__name__].__class__ = _Door
