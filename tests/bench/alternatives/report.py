"""The results as tables of Markdown, from the values in the file that run --json has written."""

from __future__ import annotations

import statistics
import textwrap
from typing import Any

NOTHING = "-"
FLOOR = "floor"
Result = dict[str, Any]


def number(value: float) -> str:
    return f"{value:,.1f}" if value < 10 and value != int(value) else f"{value:,.0f}"


def median(values: list[float]) -> str:
    return number(statistics.median(values)) if values else NOTHING


def with_range(values: list[float]) -> str:
    low, high = (number(end(values, default=0)) for end in (min, max))
    return median(values) if low == high else f"{median(values)} ({low} to {high})"


def cells(result: Result, row: Result, text: Any) -> list[str]:
    """The best of those that watch is bold."""
    medians = {name: median(values) for name, values in row["values"].items()
               if name != FLOOR and values}
    best = min(medians.values(), key=lambda shown: float(shown.replace(",", "")), default=NOTHING)
    shown = {name: text(row["values"].get(name, [])) for name in result["contestants"]}
    if len(set(medians.values())) > 1:
        shown |= {name: f"**{shown[name]}**" for name, value in medians.items() if value == best}
    return list(shown.values())


def table(result: Result, text: Any) -> str:
    head = ["", *result["contestants"].values()]
    lines = [head, ["---"] * len(head)]
    for row in result["rows"]:
        unit = f", {row['unit']}" if row["unit"] else ""
        lines.append([row["title"] + unit, *cells(result, row, text)])
    return "\n".join(f"| {' | '.join(line)} |".replace("|  |", "| |") for line in lines)


def caption(result: Result) -> str:
    return f"Commit {result['commit']}, {result['date']}, {result['machine']}."


def short_table(result: Result) -> str:
    return f"{table(result, median)}\n\n{wrap(caption(result))}"


def full_table(result: Result) -> str:
    """With the ranges, and the names of what was missed."""
    lines = [f"{caption(result)} Load before: {result['load']}."]
    for row in result["rows"]:
        for name, found in (row["details"] or {}).items():
            missed = ", ".join(map(_short, found)) or "nothing"
            lines.append(f"Missed by {result['contestants'][name]}: {missed}.")
    return "\n\n".join([table(result, with_range), *map(wrap, lines)])


def wrap(text: str) -> str:
    return textwrap.fill(text, 100, break_on_hyphens=False)


def _short(found: str) -> str:
    """Why only if it is worse than late."""
    name, _, reason = found.partition(": ")
    return name if "not imported" in reason else f"{name} ({reason})"
