"""A campaign of rotations with faults, against real servers: see --help."""

from __future__ import annotations

import argparse
import os
import random
from pathlib import Path

from tests.standin import MAKES

from .campaign import Campaign
from .schedule import GUARDS, MODES


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.replication", description=__doc__)
    parser.add_argument("--mode", choices=MODES, default=MODES[0])
    parser.add_argument("--rotations", type=int, default=50)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32),
                        help="of an earlier campaign, to repeat its choices")
    parser.add_argument("--clusters", type=int, choices=(1, 2, 3), default=3)
    parser.add_argument("--make", choices=sorted(MAKES), default="mariadb")
    parser.add_argument("--position", choices=("gtid", "file"), default="gtid")
    parser.add_argument("--guards", default=",".join(GUARDS),
                        help="what is configured against wrong sets, in turn; none is possible")
    parser.add_argument("--build", type=Path, default=Path(os.environ.get("BUILD", "build")))
    chosen = parser.parse_args()
    Campaign(chosen.build.resolve(), MAKES[chosen.make](), chosen.mode,
             rotations=chosen.rotations, seed=chosen.seed, clusters=chosen.clusters,
             auto_position=chosen.position == "gtid", guards=tuple(chosen.guards.split(",")),
             tell=lambda line: print(line, flush=True)).run()


main()
