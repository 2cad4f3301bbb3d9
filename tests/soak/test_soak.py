"""A short form of the soak, and its verdict on samples that are not flat."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest

from tests.standin import Workspace

from . import flatness
from .sample import Sample
from .soak import Soak

SECONDS = float(os.environ.get("SOAK", 20))
FLAT = Sample(0, 1, 0, 0, 9000, 2000, 4000, 4, 40, *[3] * 7, 4, 12, 15, 9000, 0, 0)


def test_a_short_soak() -> None:
    with Workspace() as workspace:
        soak = Soak(Path(os.environ.get("BUILD", "build")).resolve(), workspace, 1, rest_seconds=6)
        try:
            soak.run(SECONDS, print)
        finally:
            soak.scene.close()
    assert flatness.faults(soak.samples) == []
    assert soak.samples[-1].rotations > 0


def hour(**per_rotation: float) -> list[Sample]:
    """Sixty samples at rest, forty rotations apart, with a growth of columns."""
    return [dataclasses.replace(FLAT, seconds=60 * n, rotations=40 * n, **{
        name: int(getattr(FLAT, name) + by * 40 * n) for name, by in per_rotation.items()})
        for n in range(60)]


def test_what_stays_is_flat() -> None:
    assert flatness.faults(hour()) == []


@pytest.mark.parametrize("leak", [
    {"manager_anonymous_kb": 0.2}, {"watch_anonymous_kb": 0.2}, {"descriptors": 0.01, "sockets": 0.01},
    {"processes": 0.01}, {"inotify_watches": 0.01}, {"records": 0.01}])
def test_a_leak_is_found(leak: dict[str, float]) -> None:
    found = flatness.faults(hour(**leak))
    assert [fault.split(" ")[0].rstrip(":") for fault in found] == list(leak)
