"""The plot of the results: for each row the bars of the contestants, with minimum and maximum."""

from __future__ import annotations

import statistics
import subprocess
from pathlib import Path
from typing import Any

SHOWN = ("rename-1", "rename-40", "rename-200", "processor-40", "memory-idle", "memory-wave")
COLUMNS = 3
COLOURS = ("#999999", "#e69f00", "#56b4e9", "#009e73", "#0072b2")  # for colour-blind readers

HEAD = """
set terminal svg size 990,540 font 'sans-serif,11' background 'white'
set output '{path}'
set multiplot layout {rows},{columns}
set style fill solid
set yrange [0:*]
set xrange [-0.6:{last}.6]
set xtics rotate by 35 right scale 0 font ',10'
set border 3
set ytics nomirror
unset key
"""


def plot(result: dict[str, Any], path: Path) -> None:
    names = list(result["contestants"])
    titles = [title.removeprefix("script, ").split(",")[0]
              for title in result["contestants"].values()]
    rows = [row for row in result["rows"] if row["name"] in SHOWN]
    script = HEAD.format(path=path, rows=-(-len(rows) // COLUMNS), columns=COLUMNS,
                         last=len(names) - 1)
    for row in rows:
        bars = [f"{at} {statistics.median(values)} {min(values)} {max(values)} 0.8 "
                f"{COLOURS[at].replace('#', '0x')} \"{title}\""
                for at, (name, title) in enumerate(zip(names, titles, strict=True))
                if (values := row["values"][name])]
        script += "\n".join(["$bars << END", *bars, "END", f"set title \"{row['title']}, "
                             f"{row['unit']}\" font ',8'",
                             "plot $bars using 1:2:3:4:5:6:xtic(7) with boxerrorbars lc rgb variable",
                             ""])
    subprocess.run(["gnuplot"], input=script, text=True, check=True)
