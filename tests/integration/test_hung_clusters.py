"""Clusters that stop answering during an import, among many that work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.integration.conftest import Testbed, configuration
from tests.standin import write_material
from tests.standin.proxy import Fault, Proxy
from tests.standin.service import Service

CLUSTERS = 20
HUNG = ["c0", "c1", "c2"]  # first in the configuration, so that they could block all others
VARIABLES, CALL = 3, 5  # flights of an import (test_connections.py)


@contextmanager
def fleet(testbed: Testbed, service: Service, flight: int, daemon: str) -> Iterator[None]:
    with Proxy(testbed.aurora.port) as proxy:
        proxy.fault = Fault(flight, "request", "silence")
        text = configuration(service, testbed.aurora, daemon=daemon)
        one = text[text.index("[cluster orders]"):]
        text = text.replace(one, "")
        for number in range(CLUSTERS):
            name = f"c{number}"
            section = one.replace("orders", name, 1)
            if name in HUNG:
                section = section.replace(f"port = {testbed.aurora.port}", f"port = {proxy.port}")
            text += section
        service.configure(text)
        write_material(service.material, testbed.authority.certificate, testbed.client("hung"))
        service.start()
        yield


def clusters(service: Service, *, hung: bool) -> list[dict]:
    return [cluster for cluster in service.status()["clusters"]
            if (cluster["name"] in HUNG) == hung]


def others_are_current(service: Service) -> bool:
    return {cluster["state"] for cluster in clusters(service, hung=False)} == {"current"}


@pytest.mark.parametrize("flight", [VARIABLES, CALL])
@pytest.mark.parametrize("parallel", [CLUSTERS, len(HUNG) + 1])
def test_while_some_hang_all_others_become_current(testbed, service, parallel, flight):
    """One free import slot is enough for all of them, one after the other."""
    with fleet(testbed, service, flight, f"parallel-imports = {parallel}\nimport-timeout = 1h"):
        service.wait(lambda: others_are_current(service), 60)
        assert {cluster["state"] for cluster in clusters(service, hung=True)} == {"importing"}
        assert len(service.importers()) == len(HUNG)


def test_hung_clusters_in_every_slot_release_it_at_their_deadline(testbed, service):
    daemon = f"parallel-imports = {len(HUNG) - 1}\nimport-timeout = 2s"
    with fleet(testbed, service, VARIABLES, daemon):
        service.wait(lambda: others_are_current(service), 120)
        for cluster in clusters(service, hung=True):
            assert cluster["imported_fingerprint"] is None
            assert cluster["state"] in ("importing", "retrying")
