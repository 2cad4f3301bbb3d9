from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.standin import Workspace

from .scene import Scene


@pytest.fixture(scope="session")
def shared() -> Iterator[Scene]:
    with Workspace() as workspace:
        scene = Scene(Path(os.environ.get("BUILD", "build")).resolve(), workspace)
        yield scene
        scene.close()


@pytest.fixture
def scene(shared: Scene) -> Iterator[Scene]:
    """With a service of its own."""
    shared.new_service()
    yield shared
    shared.close_service()
