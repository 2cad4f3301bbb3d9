"""What libmariadb would take from its environment, or from a server: nothing of it."""

from __future__ import annotations

import ctypes.util
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.standin import Workspace

from . import deed
from .stage import Stage

SECONDS = 60.0
PLUGINS = ("poison", "caching_sha2_password", "mysql_native_password", "client_ed25519", "dialog",
           "mysql_clear_password", "sha256_password", "native", "password", "sha2", "mysql")


@dataclass
class Poison:
    """Plugins that leave a mark as soon as they are loaded."""

    directory: Path
    mark: Path

    @property
    def variables(self) -> dict[str, str]:
        return {"MARIADB_PLUGIN_DIR": str(self.directory), "LIBMYSQL_PLUGINS": "poison;dialog",
                "LIBMYSQL_PLUGIN_DIR": str(self.directory), "MYSQL_PWD": "poison",
                "MYSQL_TCP_PORT": "1", "MYSQL_HOST": "poison.invalid",
                "MYSQL_UNIX_PORT": str(self.directory / "socket"),
                "MARIADB_HOME": str(self.directory), "MYSQL_HOME": str(self.directory),
                "MARIADB_TLS_DISABLE_PEER_VERIFICATION": "1"}


@pytest.fixture(scope="module")
def poison(workspace: Workspace) -> Poison:
    poison = Poison(workspace.directory("poison"), workspace.path / "poisoned")
    source = poison.directory / "poison.c"
    source.write_text(f"""#include <fcntl.h>
#include <unistd.h>
__attribute__((constructor)) static void leave_mark(void)
{{
        close(creat("{poison.mark}", 0666));
}}
""")
    library = poison.directory / "poison.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    for name in PLUGINS[1:]:
        os.link(library, poison.directory / f"{name}.so")
    (poison.directory / "my.cnf").write_text("[client]\nplugin-dir = /poison\n")
    return poison


def test_the_poison_works_where_nobody_minds(poison: Poison) -> None:
    library = ctypes.util.find_library("mariadb")
    subprocess.run([sys.executable, "-c", "import ctypes, sys\n"
                    "ctypes.CDLL(sys.argv[1]).mysql_init(None)", str(library)],
                   env={**os.environ, **poison.variables}, check=True)
    assert poison.mark.exists()
    poison.mark.unlink()


def test_the_environment_changes_nothing(stage: Stage, poison: Poison) -> None:
    stage.service.variables = poison.variables
    stage.add("native", stage.script())
    stage.add("loaded-from-where-it-belongs", stage.script(deeds={"login": deed.sha2_full}))
    stage.add("unverified", stage.script("of-another-authority"))
    stage.start()
    outcomes = {name: cluster["outcome"] for name, cluster in stage.wait(SECONDS).items()}
    assert outcomes == {"native": "imported", "loaded-from-where-it-belongs": "imported",
                        "unverified": "tls"}
    assert not poison.mark.exists()


def test_a_server_names_no_directory(stage: Stage, poison: Poison) -> None:
    up = "../" * 16 + str(poison.directory).lstrip("/")
    stage.service.variables = poison.variables
    for name in PLUGINS:
        for i, wish in enumerate((name, f"{poison.directory}/{name}", f"{up}/{name}",
                                  f"{poison.directory}/{name}.so")):
            for step, how in (("login", deed.switch_to(wish)),
                              ("greeting", deed.greets_with(wish))):
                stage.add(f"{name}-{i}-{step}", stage.script(deeds={step: how}),
                          {"auth-plugins": "mysql_native_password, caching_sha2_password, "
                                           "client_ed25519",
                           "allow-cleartext-password": "yes"})
    stage.start()
    stage.wait(SECONDS)
    assert all(script.conversations for script in stage.scripts.values())
    assert not poison.mark.exists()


def test_localhost_is_not_the_socket(stage: Stage, workspace: Workspace) -> None:
    """A server behind the socket that libmariadb would take: nobody ever comes."""
    directory = workspace.directory("decoy")
    visitors: list[bool] = []
    with socket.socket(socket.AF_UNIX) as decoy:
        decoy.bind(str(directory / "mysqld.sock"))
        decoy.listen()
        (directory / "mysqld.sock").chmod(0o777)

        def wait_for_visitors() -> None:
            try:
                while True:
                    decoy.accept()[0].close()
                    visitors.append(True)
            except OSError:
                pass  # closed

        thread = threading.Thread(target=wait_for_visitors, daemon=True)
        thread.start()
        enter = ["unshare", "--mount", "sh", "-ec",
                 "mount -t tmpfs none /run; mkdir /run/mysqld; mount --bind \"$0\" /run/mysqld; "
                 "exec \"$@\"", str(directory)]
        # What libmariadb does by itself: the decoy is in the right place.
        subprocess.run([*enter, "mariadb", "--no-defaults", "--host=localhost"],
                       capture_output=True)
        assert visitors == [True]
        stage.service.wrapper = enter
        stage.add("localhost", stage.script())
        stage.start()
        assert stage.wait(SECONDS)["localhost"]["outcome"] == "imported"
        decoy.shutdown(socket.SHUT_RDWR)
    thread.join()
    assert visitors == [True]
