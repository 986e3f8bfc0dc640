"""Mutated DICOM files: none may cause a traceback, a hang or a crash.

    python benchmarks/fuzz_convert.py [--files 20000] [--seed 0]

Seeds are small files of every encoding the phantom can write, and the real files of QUADPHASE_REAL_DATA where that is
set. Each is damaged in one of eight ways (bits, bytes, lengths, tags, cut, grown, spliced, doubled), then read,
grouped and decoded as `convert` does. A decoder that crashes would take the process with it, so batches run in a
child that is told apart by its exit code.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from quadphase.convert.exam import read_stacks
from quadphase.errors import QuadphaseError
from quadphase.model.protocol.sections import ConvertSection
from quadphase.phantom.nasty import NASTY

SETTINGS = ConvertSection(minimum_slices=1)
HANG_S = 10.0
SEED_CASES = ("implicit", "big_endian", "deflated", "rle", "jpeg2000", "jpeg_ls", "unsigned_12_bit", "padding",
              "enhanced_multiframe", "misdeclared_gbk")  # fmt: skip


def seeds(folder: Path) -> list[bytes]:
    """Files to damage: one or two of each encoding."""
    found = []
    for name in SEED_CASES:
        case = NASTY[name](folder / name)
        found += [path.read_bytes() for path in case.paths[:2]]
    real = Path(os.environ.get("QUADPHASE_REAL_DATA") or "/nonexistent") / "transfer_syntaxes"
    if real.is_dir():
        found += [path.read_bytes() for path in sorted(real.iterdir()) if path.stat().st_size < 400_000]
    return found


def mutate(data: bytes, draw: random.Random, others: list[bytes]) -> bytes:
    """Damage a file in one or a few of eight ways; most damage hits the first kilobytes, where the header is."""
    blob = bytearray(data)
    for _ in range(draw.choice((1, 1, 2, 4))):
        if len(blob) < 16:
            break
        reach = len(blob) if draw.random() < 0.4 else min(len(blob), 3000)
        at = draw.randrange(reach)
        way = draw.randrange(8)
        if way == 0:
            blob[at] ^= 1 << draw.randrange(8)
        elif way == 1:
            blob[at : at + draw.randrange(1, 9)] = draw.randbytes(draw.randrange(1, 9))
        elif way == 2:
            blob[at : at + 4] = draw.choice(
                (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x7f", b"\xfe\xff\0\xe0", b"\xfe\xff\xdd\xe0")
            )
        elif way == 3:
            blob[at : at + 2] = draw.choice((b"SQ", b"UN", b"OB", b"US", b"DS", b"\0\0", b"zz"))
        elif way == 4:
            del blob[at:]
        elif way == 5:
            blob[at:at] = draw.randbytes(draw.randrange(1, 64))
        elif way == 6:
            other = draw.choice(others)
            start = draw.randrange(len(other))
            blob[at : at + 512] = other[start : start + 512]
        else:
            del blob[at : at + draw.randrange(1, 64)]
    return bytes(blob)


def attempt(folder: Path) -> str:
    """Read and decode what a folder holds as `convert` does; the name of what was found."""
    found = read_stacks([folder], settings=SETTINGS, threads=1)
    for stack in found.usable:
        try:
            stack.load(threads=1)
        except QuadphaseError as error:
            return error.code
    return "volume" if found.usable else next((r.code for r in found.rejected), "refused")


def _batch(seed: int, count: int, work: str, pipe) -> None:  # type: ignore[no-untyped-def]
    folder = Path(work)
    draw = random.Random(seed)  # noqa: S311 - damage, not secrets
    sources = seeds(folder / "seeds")
    for number in range(count):
        case = folder / f"{seed}"
        case.mkdir(exist_ok=True)
        blob = mutate(draw.choice(sources), draw, sources)
        (case / "f.dcm").write_bytes(blob)
        start = time.perf_counter()
        try:
            outcome = attempt(case)
        except Exception as error:
            outcome = f"TRACEBACK {type(error).__name__}: {error}"
            (folder / f"fault-{seed}-{number}.dcm").write_bytes(blob)
        pipe.send((number, outcome, time.perf_counter() - start))
    pipe.close()


def run_batches(files: int, seed: int, *, batch: int = 2000, keep: Path | None = None) -> Iterator[tuple[str, float]]:
    """(outcome, seconds) of every mutated file; outcomes in capitals are faults."""
    context = multiprocessing.get_context("spawn")
    for first in range(0, files, batch):
        with tempfile.TemporaryDirectory() as work:
            here, there = context.Pipe(duplex=False)
            process = context.Process(
                target=_batch, args=(seed * 1_000_003 + first, min(batch, files - first), work, there)
            )
            process.start()
            there.close()
            try:
                while True:
                    if not here.poll(60 if first == 0 else HANG_S * 3):
                        process.kill()
                        yield "HANG", HANG_S
                        break
                    _, outcome, seconds = here.recv()
                    if seconds > HANG_S:
                        outcome = f"HANG {outcome}"
                    if outcome[:4].isupper() and keep is not None:
                        _keep(Path(work), keep)
                    yield outcome, seconds
            except EOFError:
                pass
            process.join()
            if process.exitcode:
                if keep is not None:
                    _keep(Path(work), keep)
                yield f"CRASH {process.exitcode}", 0.0


def _keep(work: Path, keep: Path) -> None:
    keep.mkdir(parents=True, exist_ok=True)
    for path in [*work.glob("fault-*.dcm"), *work.glob("*/f.dcm")]:
        (keep / f"{path.stem}-{time.time_ns()}.dcm").write_bytes(path.read_bytes())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="folder for files that cause a fault")
    options = parser.parse_args()
    counts: dict[str, int] = {}
    slowest = 0.0
    for outcome, seconds in run_batches(options.files, options.seed, keep=options.keep):
        counts[outcome] = counts.get(outcome, 0) + 1
        slowest = max(slowest, seconds)
    for outcome, count in sorted(counts.items(), key=lambda item: -item[1]):
        print(f"{count:>7}  {outcome}")
    faults = sum(count for outcome, count in counts.items() if outcome[:4].isupper())
    print(f"{sum(counts.values())} files, {faults} faults, slowest {slowest:.2f} s")
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
