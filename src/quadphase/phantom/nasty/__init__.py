"""Nasty series: small DICOM folders, each with one thing wrong or unusual, and the truth about the stacks inside.

Every builder takes the folder to write and returns a `NastyCase`; `NASTY` lists them by name, for parametrised
tests::

    @pytest.mark.parametrize("name", NASTY)
    def test_stacks(name, tmp_path):
        case = NASTY[name](tmp_path)
"""

from quadphase.phantom.nasty import geometry, headers, phases, pixels
from quadphase.phantom.nasty.case import ExpectedStack, NastyBuilder, NastyCase, stack_of, texture

__all__ = ["NASTY", "ExpectedStack", "NastyBuilder", "NastyCase", "stack_of", "texture"]

NASTY: dict[str, NastyBuilder] = {
    name: getattr(module, name)
    for module in (geometry, pixels, phases, headers)
    for name in module.__all__
    if name != "write_case"
}
"""Every builder by name."""
