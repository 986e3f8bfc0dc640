"""One line for people: message and hint, each a sentence."""

from __future__ import annotations

import pytest
import typer

from quadphase.cli.output import guard
from quadphase.errors import InputError


@pytest.mark.parametrize(
    ("message", "hint", "said"),
    [
        ("There is no file x", "Check the name", "quadphase: There is no file x. Check the name.\n"),
        (
            "It has no rows.",
            "Is it the table of a release?",
            "quadphase: It has no rows. Is it the table of a release?\n",
        ),
        ("It has no rows", "", "quadphase: It has no rows.\n"),
    ],
)
def test_message_and_hint_end_as_sentences_do(
    capsys: pytest.CaptureFixture[str], message: str, hint: str, said: str
) -> None:
    with pytest.raises(typer.Exit), guard():
        raise InputError("code", message, hint)
    assert capsys.readouterr().err == said
