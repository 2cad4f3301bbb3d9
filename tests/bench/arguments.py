"""The command line of every benchmark: the build directory; and a temporary workspace."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from tests.standin import Workspace


def run(measure: Callable[[Workspace, Path], None]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=Path, default=Path("build"))
    options = parser.parse_args()
    with Workspace() as workspace:
        measure(workspace, options.build.resolve())
