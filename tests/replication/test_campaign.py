"""A short campaign in each mode; together they have every fault."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.standin import MariaDB

from .campaign import Campaign
from .schedule import FAULTS, GUARDS, MODES

# One and the same, so that a failure is one of the change; other seeds are for the command.
SEED = int(os.environ.get("REPLICATION_SEED", 1))


@pytest.mark.parametrize("mode", MODES)
def test_a_short_campaign(mode, capsys):
    with capsys.disabled():
        print(f"\nmode {mode}: REPLICATION_SEED={SEED}")
    Campaign(Path(os.environ.get("BUILD", "build")).resolve(), MariaDB(), mode,
             rotations=(len(FAULTS) + 1) // 2, seed=SEED, clusters=3, auto_position=True,
             guards=GUARDS, tell=print).run()
