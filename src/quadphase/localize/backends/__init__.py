"""Liver finders behind one protocol: the built-in one, two known programs, and any command.

The built-in finder needs no download and looks at all phases together. Networks do better on unusual livers; they run
as outside programs, so that quadphase neither installs nor pins them, and their masks are checked before they count.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from quadphase.localize.results import LiverResult, LocalizeError
from quadphase.model import Phase, Volume

__all__ = ["BACKENDS", "LiverBackend", "find_liver_with", "get_backend"]

BACKENDS = ("builtin", "totalsegmentator", "livermask", "command")
"""Names `get_backend` knows."""


@runtime_checkable
class LiverBackend(Protocol):
    """Anything that finds livers."""

    @property
    def name(self) -> str:
        """Recorded as the source of the masks."""

    def find(self, phases: Mapping[Phase, Volume]) -> Mapping[Phase, LiverResult]:
        """One result per given phase, each mask on the grid of its volume.

        Raises
        ------
        NoLiverError
            If no phase shows a liver.
        LocalizeError
            If the finder cannot run.
        """


def get_backend(name: str, *, command: str = "") -> LiverBackend:
    """Return the liver finder of that name.

    Parameters
    ----------
    name : str
        One of `BACKENDS`.
    command : str
        For ``command``: a command line with ``{ct}`` and ``{mask}``, e.g. ``"my-liver --in {ct} --out {mask}"``.

    Raises
    ------
    LocalizeError
        ``unknown-backend``, ``missing-program``, ``bad-command``.
    """
    if name == "builtin":
        from quadphase.localize.backends.builtin import Builtin

        return Builtin()
    if name == "totalsegmentator":
        from quadphase.localize.backends.totalsegmentator import TotalSegmentator

        return TotalSegmentator()
    if name == "livermask":
        from quadphase.localize.backends.livermask import LiverMask

        return LiverMask()
    if name == "command":
        from quadphase.localize.backends.command import Command

        return Command(template=command)
    raise LocalizeError("unknown-backend", f"There is no liver finder '{name}'", f"Use one of {', '.join(BACKENDS)}")


def find_liver_with(name: str, volume: Volume, *, command: str = "") -> LiverResult:
    """Find the liver in one scan of any phase with the named finder.

    Raises
    ------
    NoLiverError, LocalizeError
        See `LiverBackend.find` and `get_backend`.
    """
    return get_backend(name, command=command).find({Phase.C2: volume})[Phase.C2]
