"""Scan of a release for 10,000 identifiers: megabytes a second of one core, as released and as unpacked.

CT as a release has it (windowed to -200 ... 200 HU; the full range apart), masks, tables and a page with pictures.
"Released" counts the bytes of the files as they lie on disk, "unpacked" what was searched; the automaton is built
before.
"""

from __future__ import annotations

import base64
import json
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any, cast

import numpy as np
from scipy import ndimage

from measuring import Row
from quadphase.deidentify.archives import open_gzip
from quadphase.deidentify.matcher import Matcher
from quadphase.deidentify.scan import scan_with
from quadphase.io.nifti import save_mask, save_volume
from quadphase.io.tables import format_csv
from quadphase.model import Grid, Mask, Volume
from quadphase.model.source import Identifier

TARGET_MB_S = 150.0

SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华建国文志红玉兰"


def identifiers(count: int, seed: int = 1) -> list[Identifier]:
    """Identifiers in the proportions of a ledger: mostly UIDs and ids, then names and dates."""
    draw = random.Random(seed)  # noqa: S311 (made-up people)
    found: list[Identifier] = []
    for n in range(count):
        match n % 10:
            case 0 | 1:
                kind, value = "name", draw.choice(SURNAMES) + "".join(draw.choices(GIVEN, k=draw.choice((1, 2, 2))))
            case 2 | 3:
                kind, value = "patient_id", f"{draw.randrange(10**8, 10**9):010d}"
            case 4:
                kind, value = "accession", f"CT{draw.randrange(10**7, 10**8)}"
            case 5:
                kind, value = "date", (date(1940, 1, 1) + timedelta(days=draw.randrange(30000))).isoformat()
            case _:
                kind, value = "uid", f"1.2.840.113619.2.{draw.randrange(10**6)}.{draw.randrange(10**12)}.{n}"
        found.append(Identifier(kind=kind, value=value))
    return found


def torso(seed: int, slices: int = 120) -> np.ndarray:
    """(512, 512, slices) int16 HU: air, table, body of fat and muscle, liver, spine, with scanner noise of 14 HU."""
    rng = np.random.default_rng(seed)
    x, y = np.meshgrid(np.linspace(-1, 1, 512), np.linspace(-1, 1, 512), indexing="ij")
    plane = np.full((512, 512), -1000.0)
    for (cx, cy, rx, ry), hu in (
        ((0, 0, 0.85, 0.62), -100), ((0, 0, 0.78, 0.55), 55), ((-0.3, -0.1, 0.4, 0.38), 105),
        ((0.45, 0, 0.2, 0.2), 120),
        ((0, 0.38, 0.12, 0.12), 400), ((0.1, 0.1, 0.05, 0.05), 160), ((0.3, -0.3, 0.15, 0.12), -900),
    ):  # fmt: skip
        plane[((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 < 1] = hu
    plane = ndimage.gaussian_filter(plane, 1.0)
    noise = ndimage.gaussian_filter(rng.standard_normal((512, 512, slices)).astype(np.float32), (0.7, 0.7, 0))
    return np.rint(plane[:, :, None] + noise * np.float32(14 / noise.std())).astype(np.int16)


def write_release(root: Path, cases: int) -> dict[str, list[Path]]:
    """The parts of a release of `cases` volumes, by name of the part."""
    grid = Grid((512, 512, 120), np.diag([0.78, 0.78, 1.25, 1.0]))
    parts: dict[str, list[Path]] = {"windowed CT": [], "full-range CT": [], "masks": [], "tables and pages": []}
    for case in range(cases):
        hu = torso(case)
        windowed = root / "windowed" / f"P{case:04d}_ct_C1.nii.gz"
        parts["windowed CT"].append(save_volume(windowed, Volume(hu=np.clip(hu, -200, 200), grid=grid)))
        parts["full-range CT"].append(save_volume(root / "full" / windowed.name, Volume(hu=hu, grid=grid)))
        mask = Mask(voxels=ndimage.uniform_filter(hu, 5) > 80, grid=grid)
        parts["masks"].append(save_mask(root / "masks" / windowed.name, mask))
    draw = np.random.default_rng(9)
    rows = [(f"P{n:04d}", *np.round(draw.random(6) * 1000, 4).tolist()) for n in range(100 * cases)]
    pages = root / "pages"
    pages.mkdir()
    (pages / "lesions.csv").write_text(format_csv(("patient_id", *"abcdef"), rows))
    picture = base64.b64encode(draw.integers(0, 256, 25_000 * cases, np.uint8).tobytes()).decode()
    (pages / "report.html").write_text(f"<html><body><img src='data:image/png;base64,{picture}'></body></html>")
    files = {
        f"ct_files/P{n:04d}.nii.gz": {"bytes": int(draw.integers(10**7)), "sha256": draw.bytes(32).hex()}
        for n in range(3 * cases)
    }
    (pages / "datapackage.json").write_text(json.dumps(files, indent=1))
    parts["tables and pages"] = sorted(pages.iterdir())
    return parts


def run() -> Iterator[Row]:
    """Rows of `make bench`."""
    matcher = Matcher(identifiers(10_000))
    with tempfile.TemporaryDirectory() as folder:
        parts = write_release(Path(folder), 4)
        total = {"released": 0.0, "unpacked": 0.0, "seconds": 0.0}
        for part, files in parts.items():
            took, reports = shortest(lambda files=files: [scan_with(matcher, file) for file in files])
            if not all(report.is_clean for report in reports):
                raise AssertionError(f"a false alarm in {part}")
            size, unpacked = sum(r.bytes for r in reports) / 1e6, sum(r.bytes_searched for r in reports) / 1e6
            detail = f"{unpacked / took:.0f} MB/s unpacked; {size:.1f} MB released, {unpacked:.0f} MB unpacked"
            yield Row(what=f"{part}, released bytes", value=size / took, unit="MB/s", detail=detail)
            if part != "full-range CT":
                for key, value in (("released", size), ("unpacked", unpacked), ("seconds", took)):
                    total[key] += value
        packed = parts["windowed CT"][0].read_bytes()
        inflating, _ = shortest(lambda: inflate(packed))
        rate = len(packed) / 1e6 / inflating
        yield Row(what="inflating windowed CT alone, released bytes: the bound", value=rate, unit="MB/s")
    for key in ("released", "unpacked"):
        claim = f">= {TARGET_MB_S:.0f}"
        yield Row(
            what=f"a windowed release, {key} bytes", value=total[key] / total["seconds"], unit="MB/s", claim=claim
        )


def inflate(data: bytes) -> None:
    """Unpack as the scan does, and drop what comes out."""
    pieces = cast(tuple[Iterator[bytes], str], next(open_gzip(data, "")))[0]
    for _ in pieces:
        pass


def shortest(call: Callable[[], Any]) -> tuple[float, Any]:
    """(least processor time of three runs, result of the last)."""
    times = []
    for _ in range(3):
        started = time.process_time()
        result = call()
        times.append(time.process_time() - started)
    return min(times), result


if __name__ == "__main__":
    for row in run():
        print(row)
