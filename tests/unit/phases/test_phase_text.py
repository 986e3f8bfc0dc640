"""What the words of a description say about the phase."""

from __future__ import annotations

import pytest

from quadphase.convert.phases import StackFeatures
from quadphase.convert.phases.contrast import says_contrast
from quadphase.convert.phases.text import read_texts, text_evidence
from quadphase.model import Phase

P, C1, C2, C3 = Phase


def read(text, keyword="SeriesDescription", **more):
    (reading,) = read_texts([StackFeatures(index=0, texts={keyword: text}, **more)])
    return reading


@pytest.mark.parametrize(
    ("text", "phase"),
    [
        *((t, P) for t in ("PRE LIVER", "Abdomen Plain 5.0", "C-, iDose (3)", "平扫, iDose (3)", "上腹部平扫 5.0",
                           "Leber nativ", "w/o contrast", "LIVER W/O", "NON-CON", "Unenhanced", "sans injection",
                           "ohne KM", "无增强", "Pre-contrast")),
        *((t, C1) for t in ("ARTERIAL, iDose (3)", "Abdomen A 5.0", "动脉期", "动脉晚期", "late arterial",
                            "LATE ARTERIAL PHASE", "ART5.0", "HAP", "artérielle", "Arterielle Phase",
                            "Spätarteriell", "C+ A")),
        *((t, C2) for t in ("Abdomen PV 5.0", "PORTAL VENOUS", "门脉期", "门静脉期", "静脉期, iDose (3)", "portalvenös",
                            "temps portal", "venous", "hepatic venous", "p.v. 5.0")),
        *((t, C3) for t in ("Abdomen Delay 5.0", "延迟期", "平衡期, iDose (3)", "Late Phase", "Spätphase",
                            "temps tardif", "équilibre", "Delayed 5 MIN", "D 5.0")),
    ],
)  # fmt: skip
def test_phase_words(text, phase):
    assert read(text).phase is phase


@pytest.mark.parametrize(
    "text",
    ["Recon 2: LIVER 3 PHASE (AP)", "CT Body 3.0", "A/P LIVER PRT W/WO", "门脉期+延迟期", "LIVER 4 PHASE",
     "Abd A+V", "CAP", "with and without contrast", "triphasic liver", "三期增强扫描 5.0"],
)  # fmt: skip
def test_what_names_no_phase_or_several(text):
    assert read(text).phase is None


def test_contrast_without_a_phase_only_speaks_against_plain():
    evidence = text_evidence(read("Body 5.0 CE"))
    assert evidence is not None
    assert evidence.scores[P] < evidence.scores[C1] == evidence.scores[C2] == evidence.scores[C3]


@pytest.mark.parametrize(
    ("text", "delay"), [("35 sec", 35), ("THX/ABD 70s", 70), ("Liver 3min", 180), ("延迟3分钟", 180)]
)
def test_written_delays(text, delay):
    assert read(text).delay_s == delay


@pytest.mark.parametrize("text", ["5.0s3 B30", "Body 5s", "Scan 2018 S", "Abdomen 5.0 B60s", "Leber 3.0 Br40s", "I31s"])
def test_numbers_that_are_no_delays(text):
    assert read(text).delay_s is None


def test_text_equal_in_all_stacks_tells_nothing():
    texts = {"ProtocolName": "Liver arterial", "SeriesDescription": "Body"}
    stacks = [StackFeatures(index=n, texts=texts) for n in range(3)]
    assert all(reading.phase is None for reading in read_texts(stacks))


def test_the_description_outweighs_the_protocol():
    stack = StackFeatures(index=0, texts={"ProtocolName": "arterial", "SeriesDescription": "venous"})
    other = StackFeatures(index=1, texts={"ProtocolName": "liver", "SeriesDescription": "x"})
    assert read_texts([stack, other])[0].phase is C2


def test_gbk_bytes_under_a_latin_1_declaration():
    reading = read("上腹部动脉期 5.0".encode("gbk"), charset="ISO_IR 100")
    assert reading.phase is C1
    assert reading.repaired


def test_only_the_recognised_word_is_quoted():
    evidence = text_evidence(read("ZHANG SAN 19600517 arterial"))
    assert evidence is not None
    assert "ZHANG" not in evidence.detail
    assert "1960" not in evidence.detail
    assert "arterial" in evidence.detail


@pytest.mark.parametrize(
    ("agent", "says"),
    [("NO CONTRAST", False), ("NA", False), ("-", False), ("未使用", False), ("none given", False),
     ("Iohexol", True), ("Nonionic 350", True), ("碘海醇", True), ("", None)],
)  # fmt: skip
def test_a_denied_contrast_agent(agent, says):
    assert says_contrast(StackFeatures(index=0, contrast_agent=agent)) is says
