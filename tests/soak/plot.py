"""Draws the samples as an SVG: a panel for each of a few columns, over the time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .sample import Sample

WIDTH, HEIGHT = 760, 130  # of a panel's area
LEFT, TOP, GAP = 60, 40, 46
STYLE = """text { font: 12px sans-serif; fill: #333 } .title { font-weight: bold }
.axis { stroke: #999; fill: none }
.busy { stroke: #9bc; fill: none } .rest { stroke: #c30; fill: none }"""


@dataclass(frozen=True)
class Panel:
    column: str
    title: str


PANELS = (Panel("manager_anonymous_kb", "manager, anonymous memory, KiB"),
          Panel("watch_anonymous_kb", "oldest watch process, anonymous memory, KiB"),
          Panel("descriptors", "manager and watch processes, descriptors"),
          Panel("processes", "processes"),
          Panel("inotify_watches", "inotify watches"),
          Panel("records_bytes", "state directory, bytes"))


def write(path: Path, samples: Sequence[Sample], title: str) -> None:
    height = TOP + len(PANELS) * (HEIGHT + GAP)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 20}" '
             f'height="{height}"><style>{STYLE}</style><rect width="100%" height="100%" '
             f'fill="white"/><text class="title" x="{LEFT}" y="20">{title}; blue: under load, '
             'red: at rest</text>']
    for number, panel in enumerate(PANELS):
        parts += _panel(panel, samples, TOP + 14 + number * (HEIGHT + GAP))
    path.write_text("\n".join([*parts, "</svg>", ""]))


def _panel(panel: Panel, samples: Sequence[Sample], top: int) -> list[str]:
    minutes = max(one.seconds for one in samples) / 60
    most = max(getattr(one, panel.column) for one in samples) * 1.1 or 1

    def line(rest: bool) -> str:
        return " ".join(f"{LEFT + WIDTH * one.seconds / 60 / minutes:.0f},"
                        f"{top + HEIGHT * (1 - getattr(one, panel.column) / most):.0f}"
                        for one in samples if one.rest == rest)

    labels = [f'<text x="{LEFT - 6}" y="{top + HEIGHT * (1 - share) + 4:.0f}" text-anchor="end">'
              f"{most * share:.0f}</text>" for share in (0, 0.5, 1)]
    labels += [f'<text x="{LEFT + WIDTH * share:.0f}" y="{top + HEIGHT + 14}" '
               f'text-anchor="middle">{minutes * share:.3g} min</text>' for share in (0, 0.5, 1)]
    return [f'<text x="{LEFT}" y="{top - 5}">{panel.title}</text>',
            f'<path class="axis" d="M{LEFT} {top}v{HEIGHT}h{WIDTH}"/>', *labels,
            f'<polyline class="busy" points="{line(False)}"/>',
            f'<polyline class="rest" points="{line(True)}"/>']
