"""Passwords out of commands, and passwords that change."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.conftest import House, configuration, logging_in
from tests.standin import write_material
from tests.standin.client import quoted
from tests.standin.cluster import IMPORT_PASSWORD, IMPORT_USER
from tests.standin.service import Service


@pytest.fixture
def set_up(house: House, service: Service) -> Callable[..., None]:
    """Configures the cluster with something else than a password file, and has material ready."""
    def set_up(cluster: str, **more) -> None:
        text = configuration(service, house.aurora, cluster=cluster, **more)
        if "password-" in cluster:
            text = text.replace(f"password-file = {service.directory / 'etc' / 'password'}\n", "")
        service.configure(text)
        write_material(service.material, house.authority.certificate, house.client("password"))
    return set_up


def script(service: Service, lines: str) -> Path:
    path = service.directory / "token"
    path.write_text(f"#!/bin/sh\nhere='{service.directory}'\n{lines}\n")
    path.chmod(0o755)
    return path


def refused_logins(house: House) -> int:
    (row,) = house.aurora.sql("SHOW GLOBAL STATUS LIKE 'Access_denied_errors'")
    return int(row[1] or 0)


def test_a_password_that_changes_under_way_is_had_again_within_the_attempt(
        house, service, set_up) -> None:
    path = script(service, f"""echo run >>"$here/runs"
case $(wc -l <"$here/runs") in
1) echo {quoted(IMPORT_PASSWORD)} ;;
*) echo 'the new one' ;;
esac""")
    set_up(f"password-command = {path}")
    before = len(house.aurora.imports()), refused_logins(house)
    with logging_in(house, "IDENTIFIED BY 'the new one'"):
        service.start()
        service.wait_cluster("orders", "current")
        # The service's own login has been refused once.
        assert len(house.aurora.imports()) == before[0] + 1
        assert refused_logins(house) == before[1] + 1
        assert (service.directory / "runs").read_text() == "run\n" * 2
    attempts = [line for line in service.ctl("metrics").stdout.splitlines()
                if line.startswith("binlog_ssld_imports_total{")]
    assert attempts == ['binlog_ssld_imports_total{cluster="orders",outcome="imported"} 1']


def test_a_wrong_password_that_stays_is_told_to_the_server_once(house, service, set_up) -> None:
    service.password_file("wrong")
    set_up("")
    before = refused_logins(house)
    service.start()
    assert service.wait_cluster("orders", "held")["sql_errno"] == 1045
    assert refused_logins(house) == before + 1


def test_a_command_serves_the_check_of_clusters_too(house, service, set_up) -> None:
    path = script(service, f"echo why >&2; echo {quoted(IMPORT_PASSWORD)}")
    set_up(f'password-command = {path} "--for=$NOBODY" x')
    done = service.run("--check-clusters", "--json")
    assert (done.returncode, done.stderr) == (0, "why\n")
    assert json.loads(done.stdout)["clusters"][0]["import"] == "works"
    script(service, f"echo {quoted(IMPORT_PASSWORD)}; exit 7")
    done = service.run("--check-clusters")
    assert done.returncode == 1
    assert f"no password: {path} exited with status 7" in " ".join(done.stdout.split())
    assert IMPORT_PASSWORD not in done.stdout + done.stderr


def seen_of(pid: int) -> dict[str, bytes]:
    """What ps shows of a process to whoever may look."""
    seen = {name: Path(f"/proc/{pid}/{name}").read_bytes() for name in ("cmdline", "environ")}
    assert all(seen.values())
    return {f"{name} of {pid}": content for name, content in seen.items()}


def test_no_password_stands_in_arguments_or_environment(house, service, set_up) -> None:
    """Seen twice: while the command has it, and while the importer uses it."""
    path = script(service, f"""password=$(cat "$here/etc/password")
echo $$ >"$here/pid.new" && mv "$here/pid.new" "$here/pid"
until [ -e "$here/go" ]; do sleep 0.02; done
echo "$password" """)
    set_up(f"password-command = {path} an-argument")
    house.aurora.set_option("slow_seconds", "30")
    service.start()
    pid_file = service.directory / "pid"
    service.wait(pid_file.exists)
    command = int(pid_file.read_text())
    (importer,) = service.importers()
    seen = seen_of(service.pid) | seen_of(importer) | seen_of(command)
    assert b"an-argument" in seen[f"cmdline of {command}"]
    (service.directory / "go").touch()
    service.wait(lambda: not os.path.exists(f"/proc/{command}"))
    service.wait(lambda: any("SLEEP" in (row["Info"] or "").upper()
                             for row in house.aurora.rows("SHOW FULL PROCESSLIST")))
    assert service.importers() == [importer]
    later = seen_of(service.pid) | seen_of(importer)
    for where, content in [*seen.items(), *later.items()]:
        assert IMPORT_PASSWORD.encode() not in content, where
    assert IMPORT_PASSWORD not in service.log()
