"""Every pattern in every mode. The runs are parallel; each test waits for the result of its own."""

from concurrent.futures import Future

import pytest

# Each module adds to PATTERNS.
from . import directories, file_systems, in_place, links, mounts, renaming  # noqa: F401
from .pattern import PATTERNS
from .watcher import MODES


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.name)
@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.name)
def test_pattern(pattern, mode, request: pytest.FixtureRequest,
                 outcomes: dict[str, Future[None]]) -> None:
    outcomes[request.node.name].result()
