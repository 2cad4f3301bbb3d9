"""A soak of one daemon: see doc/testing.md. Writes DIRECTORY/soak.csv and DIRECTORY/soak.svg."""

from __future__ import annotations

import argparse
import os
import random
from pathlib import Path

from tests.standin import Workspace

from . import plot
from .flatness import MEMORY, at_rest, faults, growth
from .sample import Sample
from .soak import Soak


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.soak", description=__doc__)
    parser.add_argument("--build", type=Path, default=Path(os.environ.get("BUILD", "build")))
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--output", type=Path, default=Path("."), metavar="DIRECTORY")
    chosen = parser.parse_args()
    print(f"seed {chosen.seed}\n{Sample.header()}", flush=True)
    with Workspace() as workspace:
        soak = Soak(chosen.build.resolve(), workspace, chosen.seed)
        try:
            soak.run(chosen.minutes * 60, lambda line: print(line, flush=True))
        finally:
            soak.scene.close()
            report(soak, chosen.output)
    if found := faults(soak.samples):
        raise SystemExit("\n".join(found))
    print("flat, and every cluster is current with the last set")


def report(soak: Soak, output: Path) -> None:
    if not soak.samples:
        return
    last = soak.samples[-1]
    (output / "soak.csv").write_text(
        "\n".join([Sample.header(), *(one.row() for one in soak.samples)]) + "\n")
    plot.write(output / "soak.svg", soak.samples,
               f"{last.rotations} rotations, {last.imports} imports")
    print(f"{len(soak.patterns)} patterns; " +
          ", ".join(f"{name} {count}" for name, count in sorted(soak.events.items())))
    for name in MEMORY if at_rest(soak.samples) else ():
        more, rotations = growth(soak.samples, name)
        print(f"{name}: {more:+.0f} KiB in {rotations} rotations at rest, after the warm-up")


main()
