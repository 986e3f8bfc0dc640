"""`make bench`: every speed we claim, as a ratio to a peer measured in the same run.

    python benchmarks            all
    python benchmarks liver      those whose name starts so

Each file of this folder with a function ``run() -> Iterable[Row]`` is a benchmark. Rows print as they come; the last
column says
whether the claim holds. A missed claim is printed, not hidden, and makes the exit code 1.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))


def main() -> int:
    wanted = sys.argv[1:]
    names = sorted(p.stem for p in HERE.glob("*.py") if p.stem not in ("__main__", "measuring"))
    missed = 0
    for name in names:
        if wanted and not any(name.startswith(w) for w in wanted):
            continue
        module = import_module(name)
        if not hasattr(module, "run"):
            continue
        print(f"\n{name}: {(module.__doc__ or '').strip().splitlines()[0]}")
        for row in module.run():
            print(f"  {row}")
            missed += not row.holds
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
