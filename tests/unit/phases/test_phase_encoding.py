"""Chinese in the wrong encoding is read again; European accents are left alone."""

from __future__ import annotations

import pytest

from quadphase.convert.phases.encoding import repaired

WORDS = ["平扫", "动脉期", "门脉期", "静脉期", "延迟期", "平衡期", "上腹部动脉期薄层", "上腹部增强"]


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("encoding", ["gbk", "utf-8"])
@pytest.mark.parametrize("declared", [None, "", "ISO_IR 100", "ISO_IR 192", "GB18030", "\\ISO 2022 IR 58"])
def test_raw_bytes_under_any_declaration(word, encoding, declared):
    text, _ = repaired(f"{word} 5.0".encode(encoding), declared)
    assert text == f"{word} 5.0"


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("encoding", ["gbk", "utf-8"])
def test_text_that_pydicom_decoded_as_latin_1(word, encoding):
    assert repaired(f"{word} 5.0".encode(encoding).decode("latin-1"), "ISO_IR 100") == (f"{word} 5.0", True)


@pytest.mark.parametrize("word", WORDS)
def test_utf_8_read_as_gbk_keeps_enough_of_the_word(word):
    damaged = f"{word} 5.0".encode().decode("gb18030", "replace")
    assert repaired(damaged)[0].startswith(word[:-1])


def test_rightly_declared_text_is_not_touched():
    assert repaired("动脉期".encode(), "ISO_IR 192") == ("动脉期", False)
    assert repaired("动脉期".encode("gb18030"), "GB18030") == ("动脉期", False)
    assert repaired("动脉期") == ("动脉期", False)


@pytest.mark.parametrize(
    "text", ["Spätphase größer", "Phase artérielle équilibre", "Größe Übersicht", "éèà ïî", "Abdomen 5.0"]
)
def test_european_text_is_not_taken_for_chinese(text):
    assert repaired(text.encode("latin-1"), "ISO_IR 100") == (text, False)
    assert repaired(text, "ISO_IR 100") == (text, False)


def test_european_utf_8_under_a_latin_1_declaration():
    assert repaired("Spätphase".encode(), "ISO_IR 100") == ("Spätphase", True)


def test_a_value_cut_in_the_middle_of_a_character():
    assert repaired("上腹部动脉期".encode("gbk")[:-1], "ISO_IR 100")[0] == "上腹部动脉"
