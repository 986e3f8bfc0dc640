"""Short identifiers occur in base64 by chance; the picture behind it is decoded and searched instead."""

from __future__ import annotations

import base64
import json
import random
from pathlib import Path

import numpy as np
import pytest

from quadphase.deidentify import scan
from quadphase.model.source import Identifier


def page(payload: bytes) -> str:
    return f'<img src="data:application/octet-stream;base64,{base64.b64encode(payload).decode()}">'


def test_chance_hits_in_an_embedded_picture_are_not_identifiers(tmp_path: Path) -> None:
    noise = random.Random(1).randbytes(2_000_000)
    (tmp_path / "report.html").write_text(page(noise))
    identifiers = [Identifier(kind="patient_id", value=f"HCC_{n:03d}") for n in range(1, 10)]
    assert scan(tmp_path, identifiers).findings == ()


def test_the_identifier_itself_is_found_in_the_page_and_in_what_it_embeds(tmp_path: Path) -> None:
    identifier = Identifier(kind="patient_id", value="HCC_007")
    for name, text in (("plain", "<p>HCC_007</p>"), ("embedded", page(b"some text with HCC_007 in it, as text " * 3))):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "report.html").write_text(text)
        assert [f.code for f in scan(folder, [identifier]).findings] == ["identifier-found"]


def ledger() -> list[Identifier]:
    """10,000 identifiers, 3,000 of them Chinese names, whose pinyin is short."""
    draw = random.Random(5)
    families, given = (
        "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧",
        "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂文华春梅",
    )
    names = ["".join((draw.choice(families), *draw.choices(given, k=1 + n % 3 % 2))) for n in range(3000)]
    found = [Identifier(kind="name", value=name) for name in names]
    found += [Identifier(kind="patient_id", value=f"{draw.randrange(10**6, 10**8):08d}") for _ in range(3000)]
    found += [Identifier(kind="accession", value=f"A{draw.randrange(10**7):07d}") for _ in range(2000)]
    return found + [Identifier(kind="uid", value=f"1.2.840.113619.2.{draw.randrange(10**9)}.{n}") for n in range(2000)]


@pytest.mark.parametrize("form", ["one line", "wrapped", "wrapped in JSON", "CRLF", "many pictures", "float array"])
def test_two_megabytes_of_base64_are_no_identifiers(tmp_path: Path, form: str) -> None:
    noise = random.Random(3).randbytes(1_500_000)
    small = [base64.b64encode(noise[n : n + 60]).decode() for n in range(0, len(noise), 60)]
    text = {
        "one line": page(noise),
        "wrapped": base64.encodebytes(noise).decode(),
        "wrapped in JSON": json.dumps({"image/png": base64.encodebytes(noise).decode()}),
        "CRLF": base64.encodebytes(noise).decode().replace("\n", "\r\n"),
        "many pictures": "\n".join(f'<img src="data:image/png;base64,{code}">' for code in small),
        "float array": page(np.random.default_rng(1).normal(60, 20, 300_000).astype("<f4").tobytes()),
    }[form]
    (tmp_path / "report.html").write_text(text, newline="")
    assert [f for f in scan(tmp_path, ledger()).findings if f.code == "identifier-found"] == []


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("name", "Zhang Wei", "<b>Zhang</b><i>Wei</i>"),
        ("name", "Zhang Wei", '{"family": "Zhang", "given": "Wei"}'),
        ("birth_date", "1961-05-03", "<td>03/05/61</td>"),
    ],
)
@pytest.mark.parametrize("order", ["{text}{picture}", "{picture}{text}"])
def test_what_stands_beside_an_embedded_picture_is_read_in_every_way(
    tmp_path: Path, kind: str, value: str, text: str, order: str
) -> None:
    noise = random.Random(2).randbytes(30_000)
    page_with_text = order.format(text=text, picture=page(noise))
    (tmp_path / "report.html").write_text(page_with_text)
    found = scan(tmp_path, [Identifier(kind=kind, value=value)]).findings
    assert "identifier-found" in {finding.code for finding in found}
