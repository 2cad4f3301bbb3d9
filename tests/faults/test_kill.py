"""A short form of kill.py."""

from __future__ import annotations

from .kill import kill_often
from .scene import Scene


def test_kills_at_random_moments(scene: Scene) -> None:
    kill_often(scene, 12, 1, print)
