"""The template `quadphase init` writes is the defaults, says every key; the protocol refuses what it does not know."""

from __future__ import annotations

import re
import tomllib

import pytest

from quadphase.errors import ProtocolError
from quadphase.model.protocol import TEMPLATE, Protocol


def test_the_template_is_exactly_the_defaults():
    assert Protocol.load(TEMPLATE) == Protocol()


def test_every_setting_is_in_the_template_as_a_line_or_as_a_commented_one():
    text = TEMPLATE.read_text("utf-8")
    written = tomllib.loads(text)
    for section, values in Protocol().model_dump().items():
        for key in values:
            commented = re.search(rf"^# {key} = ", text, re.MULTILINE)
            assert key in written[section] or commented, f"{section}.{key} is not in the template"


def test_uncommented_optional_settings_are_understood():
    text = re.sub(r"^# (?=[a-z_\"-]+ = )", "", TEMPLATE.read_text("utf-8"), flags=re.MULTILINE)
    protocol = Protocol.of(tomllib.loads(text))
    assert protocol.cohort.first_date is not None
    assert protocol.convert.resample_mm == 2.5
    assert protocol.release.publication_year == 2025


def test_an_unknown_key_is_one_line_that_names_it():
    with pytest.raises(ProtocolError) as caught:
        Protocol.of({"columns": {"pateint_id": "x"}})
    assert "columns.pateint_id" in caught.value.message
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "values",
    [
        {"annotate": {"readers": []}},
        {"annotate": {"readers": ["A", "A"]}},
        {"annotate": {"readers": ["A", "a"]}},  # one folder on some disks
        {"annotate": {"readers": ["../../x", "B"]}},
        {"annotate": {"readers": ["A", ""]}},
        {"annotate": {"readers": ["A\n", "B"]}},
        {"annotate": {"readers": ["A" * 33, "B"]}},
        {"deidentify": {"prefix": "../../esc"}},
        {"deidentify": {"prefix": "a/b"}},
        {"deidentify": {"prefix": ""}},
        {"deidentify": {"prefix": "P\n"}},
        {"deidentify": {"prefix": "病"}},
        {"deidentify": {"public_texts": [""]}},
    ],
)
def test_what_becomes_a_folder_is_a_plain_name(values: dict[str, dict[str, object]]) -> None:
    (section,) = values
    with pytest.raises(ProtocolError) as caught:
        Protocol.of(values)
    assert f"protocol: {section}" in caught.value.message
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("window", [{"lower_hu": -40000}, {"upper_hu": 32768}, {"lower_hu": 200, "upper_hu": 200}])
def test_a_window_lies_within_the_values_of_voxels(window: dict[str, int]) -> None:
    with pytest.raises(ProtocolError) as caught:
        Protocol.of({"window": window})
    assert "protocol: window" in caught.value.message
    whole = Protocol.of({"window": {"lower_hu": -32768, "upper_hu": 32767}})
    assert whole.window.lower_hu == -32768


def test_plain_readers_and_prefixes_are_taken() -> None:
    protocol = Protocol.of({"annotate": {"readers": ["Reader_1", "Reader-2", "C"]}, "deidentify": {"prefix": "PLC"}})
    assert len(protocol.annotate.readers) == 3
