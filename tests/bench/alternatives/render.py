"""Writes the tables of README.md and doc/benchmarks.md, and the plot, from doc/alternatives.json.

    /usr/bin/python3 -m tests.bench.alternatives.render [--check]

It needs gnuplot. --check writes nothing, needs nothing, and fails if a table differs.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from tests.bench.alternatives.plot import plot
from tests.bench.alternatives.report import full_table, short_table

ROOT = Path(__file__).resolve().parents[3]
VALUES = ROOT / "doc" / "alternatives.json"
BLOCK = re.compile(r"(<!-- tests/bench/run -->\n).*?(<!-- end -->\n)", re.S)


def main() -> None:
    result = json.loads(VALUES.read_text())
    for name, text in (("README.md", short_table(result)),
                       ("doc/benchmarks.md", full_table(result))):
        path = ROOT / name
        old = path.read_text()
        new, count = BLOCK.subn(lambda found: f"{found[1]}{text}\n{found[2]}", old)
        if count != 1:
            raise SystemExit(f"{name}: {count} places for the table")
        if "--check" in sys.argv and new != old:
            raise SystemExit(f"{name}: the table is not that of {VALUES.name}")
        if "--check" not in sys.argv:
            path.write_text(new)
    if "--check" not in sys.argv:
        plot(result, VALUES.with_suffix(".svg"))


if __name__ == "__main__":
    main()
