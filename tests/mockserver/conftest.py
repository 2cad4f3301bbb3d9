from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.standin import Authority, Workspace, write_material
from tests.standin.service import Service

from .harness import Harness, SessionData
from .secret import Secret
from .server_identity import ServerIdentities
from .server_pool import ServerPool

CANARY = "contents of a client file that no server may read"


@pytest.fixture(scope="session")
def workspace() -> Iterator[Workspace]:
    with Workspace() as workspace:
        yield workspace


@pytest.fixture(scope="session")
def make_harness(workspace: Workspace) -> Iterator[Callable[[str], Harness]]:
    build = Path(os.environ.get("BUILD", "build")).resolve()
    authority = Authority(workspace.path / "clients", "Client CA")
    pair = authority.issue_client("mockserver")
    canary = workspace.path / "canary"
    canary.write_text(CANARY)
    identities = ServerIdentities(workspace.directory("servers"), authority)
    session = SessionData(identities, Secret.of_key(pair.key), canary)
    services: list[Service] = []

    with ServerPool() as pool:
        def make(daemon: str) -> Harness:
            service = Service(build, workspace.directory(f"service-{len(services)}"))
            write_material(service.material, authority.certificate, pair)
            services.append(service)
            return Harness(session, pool, service, daemon)

        yield make
        for service in services:
            service.kill()


@pytest.fixture
def harness(make_harness: Callable[[str], Harness]) -> Iterator[Harness]:
    harness = make_harness("import-timeout = 10s")
    yield harness
    if harness.service.running:
        assert harness.service.stop() == 0
