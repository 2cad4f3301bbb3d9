"""A night on call: one thing breaks, status says what, and its next step mends it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.service.conftest import NAMES
from tests.service.installed import Installed
from tests.service.night import COLUMNS, NO_RETRY, Night, Scenario
from tests.service.scenarios import SCENARIOS
from tests.standin import Aurora, Authority, Source, Workspace

FIRST_LINES = 10
# A command or statement that a person copies is not broken into lines.
COPIED = re.compile(r" +(run: +binlog-sslctl|next: +GRANT) ")


@pytest.fixture(scope="module")
def servers(workspace: Workspace, installed: Installed, rds: Authority
            ) -> Iterator[tuple[Aurora, Source]]:
    clients = installed.authority
    other = Aurora(workspace, rds, "other", names=NAMES)
    source = Source(workspace, clients.issue_server(), clients.certificate)
    with installed.machine.network():
        for server in other, source:
            server.start(wait=False)
        for server in other, source:
            server.ready()
    other.prepare()
    source.prepare("/CN=none")
    names = ["orders", "users", *(f"c{number:02}" for number in range(1, 40))]
    installed.machine.shell("cp /etc/hosts /etc/hosts.before; echo 127.0.0.1 "
                            f"{' '.join(f'{name}.standin.test' for name in names)} >>/etc/hosts")
    yield other, source
    installed.machine.shell("mv /etc/hosts.before /etc/hosts")
    for server in other, source:
        server.stop()


@pytest.fixture
def night(service: Installed, servers: tuple[Aurora, Source]) -> Iterator[Night]:
    """All is well."""
    service.configure(retry=NO_RETRY)
    service.start()
    with ExitStack() as undo:
        night = Night(service, *servers, undo)
        service.wait(night.is_well)
        yield night


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.play.__name__)
def test_the_next_step_mends_it(night: Night, scenario: Scenario):
    service = night.service
    story = scenario.play(night)
    next(story)
    page = night.look(*scenario.arguments)
    print("\n".join(page.lines))  # for whoever reads a failure
    assert page.status == scenario.status
    assert re.search(scenario.cause, page.headline())
    assert page.part("next", FIRST_LINES).startswith(scenario.step)
    assert not [line for line in page.lines if len(line) > COLUMNS and not COPIED.match(line)]
    service.wait(lambda: re.search(scenario.cause, service.show("StatusText")) is not None)
    with pytest.raises(StopIteration):
        story.send(page)
    service.wait(night.is_well)
    assert re.match(r"ok: (\d+)/\1 clusters current, certificate valid until",
                    night.look().headline())
