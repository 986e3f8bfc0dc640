"""Texts the standard keeps: names of scanners, kernels and versions stay as they are, sentences and people go."""

from __future__ import annotations

import pytest

from quadphase.model.vocabulary.plain_code import is_plain_code, plain_code

NAMES = (
    "SIEMENS", "GE MEDICAL SYSTEMS", "Philips", "CANON_MEC", "Canon Medical Systems", "TOSHIBA", "UIH", "NMS",
    "Siemens Healthineers", "SOMATOM Definition AS+", "SOMATOM Force", "NAEOTOM Alpha", "Aquilion ONE",
    "Aquilion PRIME", "LightSpeed VCT", "Discovery CT750 HD", "Revolution CT", "Optima CT660", "iCT 256",
    "Brilliance iCT", "IQon - Spectral CT", "Ingenuity CT", "Incisive CT", "uCT 760", "NeuViz 128", "Emotion 16",
    "Biograph40_mCT 4R", "HiSpeed CT/i", "syngo CT 2012B", "VA48A", "VG80B", "V8.40ER003", "4.1.6.22118",
    "10.0.0.20401", "07MW18.4", "gmp_vct.42", "LightSpeedApps303.1_H3M4", "syngo.via VB30", "FC18", "B30f", "Br40d",
    "Qr40d", "STANDARD", "BONEPLUS", "STD+", "YA", "B", "3", "BODY FILTER", "WEDGE_2", "LARGE", "IB", "*fl2d1",
    "tse2d1_11", "HU", "XY", "IV", "Oral & IV", "WINDOW1", "MEDIASTINUM", "",
)  # fmt: skip

SENTENCES = (
    "DrLiuYang", "Dr Wu", "Li Na", "LI NA", "Wang7", "installed by Sun Mei 2021-03-05", "Quxian", "VB20 2021-03-05",
    "VA48A 20210305", "V1 05/03/2021", "05/03/61", "05.03.61", "5 March 2021", "13800138000", "138-0013-8000",
    "138.0013.8000", "+86 138 0013 8000", "0048215973", "liu.yang@hospital.example", "https://pacs.example/ward7",
    "CT of Wang Fang ward 7", "张伟", "C" * 65,
)  # fmt: skip


@pytest.mark.parametrize("text", NAMES)
def test_names_of_things_stay(text: str) -> None:
    assert plain_code(text) == text


@pytest.mark.parametrize("text", SENTENCES)
def test_everything_else_goes(text: str) -> None:
    assert not is_plain_code(text)
    left = plain_code(text)
    assert is_plain_code(left)
    assert left in ("", "V1", "VB20", "VA48A")


def test_what_names_the_thing_is_left() -> None:
    assert plain_code("SOMATOM Force of Wang Fang, ward 7") == "SOMATOM Force"
    assert plain_code("syngo VB30, installed by Sun Mei 2021-03-05") == "syngo"
