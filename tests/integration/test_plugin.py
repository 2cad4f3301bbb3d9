"""The authentication plugins of a real server: those that are named log in, and no other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.conftest import House, configuration, logging_in
from tests.standin import write_material
from tests.standin.client import quoted
from tests.standin.cluster import IMPORT_PASSWORD
from tests.standin.service import Service


def set_up(house: House, service: Service, cluster: str) -> None:
    service.configure(configuration(service, house.aurora, cluster=cluster))
    write_material(service.material, house.authority.certificate, house.client("plugin"))


@pytest.fixture(scope="module")
def ed25519(house: House) -> Iterator[str]:
    """How a user is identified by that plugin."""
    house.aurora.sql("INSTALL SONAME 'auth_ed25519'")
    yield f"IDENTIFIED VIA ed25519 USING PASSWORD({quoted(IMPORT_PASSWORD)})"
    house.aurora.sql("UNINSTALL SONAME 'auth_ed25519'")


@pytest.mark.parametrize("plugins", [
    "client_ed25519", "mysql_native_password,caching_sha2_password,client_ed25519",
    "caching_sha2_password, client_ed25519"])
def test_a_plugin_that_is_named_logs_in(house, service, ed25519, plugins) -> None:
    set_up(house, service, f"auth-plugins = {plugins}")
    before = len(house.aurora.imports())
    with logging_in(house, ed25519):
        service.start()
        service.wait_cluster("orders", "current")
    assert len(house.aurora.imports()) == before + 1


@pytest.mark.parametrize("settings, allowed", [
    ("", "mysql_native_password,caching_sha2_password"),
    ("auth-plugins = caching_sha2_password", "caching_sha2_password"),
    ("allow-cleartext-password = yes",
     "mysql_native_password,caching_sha2_password,mysql_clear_password"),
])
def test_a_plugin_that_is_not_named_is_refused_with_those_that_are(
        house, service, ed25519, settings, allowed) -> None:
    set_up(house, service, settings)
    with logging_in(house, ed25519):
        service.start()
        cluster = service.wait_cluster("orders", "held")
    assert cluster["outcome"] == "auth"
    assert cluster["reason"].startswith(
        f"the server asks for an authentication plugin other than {allowed}"), cluster["reason"]


def test_a_list_of_one_is_a_list(house, service) -> None:
    """First without the plugin of the user, then with nothing else."""
    set_up(house, service, "auth-plugins = caching_sha2_password")
    service.start()
    assert service.wait_cluster("orders", "held")["outcome"] == "auth"
    service.stop()
    set_up(house, service, "auth-plugins = mysql_native_password")
    service.start()
    service.wait_cluster("orders", "current")
