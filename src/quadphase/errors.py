"""The exceptions of quadphase and the exit codes they lead to.

An exception means *cannot go on*; a problem **in the data** is a value, `quadphase.model.Finding`. Every exception
carries a stable ``code`` for machines, one sentence for people that names what and where, and a hint that says what to
do. Leaves inherit the builtin a caller expects. No message ever holds an identifier of a person: locations are
pseudonyms, released names, counted positions ("file 17 of 203"), or paths the user typed.
"""

from __future__ import annotations

from enum import IntEnum

__all__ = [
    "ExitCode",
    "GeometryError",
    "GridMismatchError",
    "InputError",
    "MissingDependencyError",
    "OutputError",
    "PrivacyError",
    "ProtocolError",
    "QuadphaseError",
    "SourceUnreachableError",
    "UnsupportedDataError",
    "place_of",
]


class ExitCode(IntEnum):
    """What a quadphase command tells the shell."""

    DONE = 0
    FINDINGS = 1
    """Findings at error level (audit, scan)."""
    USAGE = 2
    """The command, the protocol or an input file is unusable as given."""
    SOME_CASES_FAILED = 3
    """The batch finished; some cases failed or were held back."""
    SOURCE_UNREACHABLE = 4
    PRIVACY_STOP = 5
    """Stopped because going on could disclose a person's identity."""


class QuadphaseError(Exception):
    """Root of every exception quadphase raises on purpose.

    Parameters
    ----------
    code : str
        Stable, machine-readable reason, lower-case with hyphens, e.g. ``"grid-mismatch"``.
    message : str
        One sentence: what is wrong and where. Never an identifier of a person.
    hint : str, optional
        What the reader of the message can do about it.
    """

    exit_code: ExitCode = ExitCode.USAGE

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message

    def __reduce__(self) -> tuple[type[QuadphaseError], tuple[str, str, str]]:
        # Exceptions cross process borders; the default pickling would call __init__ with one argument.
        return type(self), (self.code, self.message, self.hint)


class InputError(QuadphaseError, ValueError):
    """A file or value given by the user cannot be used."""


class ProtocolError(InputError):
    """`protocol.toml` holds an unknown key or an impossible value."""


class UnsupportedDataError(QuadphaseError, ValueError):
    """The data are valid but of a kind this function refuses."""


class GeometryError(QuadphaseError, ValueError):
    """A grid, box or affine would be invalid or its proof failed."""


class GridMismatchError(GeometryError):
    """Two images that must share a grid do not."""


class OutputError(QuadphaseError, OSError):
    """An output exists already, or cannot be written."""

    def __str__(self) -> str:  # OSError would print its own form
        return QuadphaseError.__str__(self)


class MissingDependencyError(QuadphaseError, ImportError):
    """An optional package or outside program is not installed."""

    def __str__(self) -> str:  # ImportError prints its own message
        return QuadphaseError.__str__(self)


class SourceUnreachableError(QuadphaseError, ConnectionError):
    """A PACS or DICOMweb source does not answer."""

    exit_code = ExitCode.SOURCE_UNREACHABLE

    def __str__(self) -> str:
        return QuadphaseError.__str__(self)


class PrivacyError(QuadphaseError):
    """Stopped because going on could disclose a person's identity."""

    exit_code = ExitCode.PRIVACY_STOP


def place_of(error: BaseException) -> str:
    """Kind of an unforeseen exception and where it was raised, ``ValueError at package.module:17``.

    All that may be shown of one: its text may hold anything, also a value of a header.
    """
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}" if trace else "?"
    return f"{type(error).__name__} at {where}"
