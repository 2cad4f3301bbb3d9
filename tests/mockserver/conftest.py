from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.standin import Authority, Workspace, write_material
from tests.standin.service import Service

from .house import House
from .identity import Identities
from .secret import Secret
from .stage import Props, Stage

CANARY = "the canary of a file that no server may ever read"


@pytest.fixture(scope="session")
def workspace() -> Iterator[Workspace]:
    with Workspace() as workspace:
        yield workspace


@pytest.fixture(scope="session")
def make_stage(workspace: Workspace) -> Iterator[Callable[[str], Stage]]:
    build = Path(os.environ.get("BUILD", "build")).resolve()
    authority = Authority(workspace.path / "clients", "Client CA")
    pair = authority.issue_client("peer")
    canary = workspace.path / "canary"
    canary.write_text(CANARY)
    identities = Identities(workspace.directory("servers"), authority)
    props = Props(identities, Secret.of_key(pair.key), canary)
    services: list[Service] = []

    with House() as house:
        def make(daemon: str) -> Stage:
            service = Service(build, workspace.directory(f"stage-{len(services)}"))
            write_material(service.material, authority.certificate, pair)
            services.append(service)
            return Stage(props, house, service, daemon)

        yield make
        for service in services:
            service.kill()


@pytest.fixture
def stage(make_stage: Callable[[str], Stage]) -> Iterator[Stage]:
    stage = make_stage("import-timeout = 10s")
    yield stage
    if stage.service.running:
        assert stage.service.stop() == 0
