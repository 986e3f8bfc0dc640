"""Any program as a liver finder: a command line with ``{ct}`` and ``{mask}``."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from quadphase.localize.backends.outside import find_with, require_program
from quadphase.localize.results import LiverResult, LocalizeError
from quadphase.model import Phase, Volume


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A user's command.

    Parameters
    ----------
    template : str
        Words as in a shell, but run without one; ``{ct}`` becomes the path of a NIfTI scan in HU, ``{mask}`` the path
        of the NIfTI mask to write, on the same grid, liver non-zero.

    Raises
    ------
    LocalizeError
        ``bad-command``, ``missing-program``.

    Examples
    --------
    >>> Command(template="python find.py --input {ct} --output {mask}").name  # doctest: +SKIP
    'command'
    """

    template: str

    def __post_init__(self) -> None:
        words = self._words()
        if not any("{ct}" in word for word in words) or not any("{mask}" in word for word in words):
            raise LocalizeError(
                "bad-command",
                f"The command '{self.template}' does not hold both {{ct}} and {{mask}}",
                "E.g. my-liver --in {ct} --out {mask}",
            )
        require_program(words[0], hint="Install it, or give its full path in the command")

    @property
    def name(self) -> str:
        return "command"

    def find(self, phases: Mapping[Phase, Volume]) -> Mapping[Phase, LiverResult]:
        """Run the command once per phase; see `LiverBackend.find`."""
        return find_with(phases, f"The command {self._words()[0]}", self._line)

    def _words(self) -> list[str]:
        try:
            words = shlex.split(self.template)
        except ValueError as error:
            raise LocalizeError(
                "bad-command", f"The command cannot be split into words: {error}", "Check the quotes"
            ) from None
        if not words:
            raise LocalizeError("bad-command", "The command is empty", "E.g. my-liver --in {ct} --out {mask}")
        return words

    def _line(self, ct: Path, out: Path) -> tuple[list[str], Path]:
        mask = out / "mask.nii.gz"
        return [word.replace("{ct}", str(ct)).replace("{mask}", str(mask)) for word in self._words()], mask
