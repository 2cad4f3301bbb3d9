"""Passwords from commands, and passwords that change."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.conftest import Testbed, configuration, user_identified
from tests.standin import write_material
from tests.standin.client import quoted
from tests.standin.cluster import IMPORT_PASSWORD
from tests.standin.service import Service


@pytest.fixture
def set_up(testbed: Testbed, service: Service) -> Callable[..., None]:
    """Configures the cluster, without password-file if it has another source, and the material."""
    def set_up(cluster: str, **more) -> None:
        text = configuration(service, testbed.aurora, cluster=cluster, **more)
        if "password-" in cluster:
            text = text.replace(f"password-file = {service.directory / 'etc' / 'password'}\n", "")
        service.configure(text)
        write_material(service.material, testbed.authority.certificate, testbed.client("password"))
    return set_up


def script(service: Service, lines: str) -> Path:
    path = service.directory / "token"
    path.write_text(f"#!/bin/sh\nhere='{service.directory}'\n{lines}\n")
    path.chmod(0o755)
    return path


def refused_logins(testbed: Testbed) -> int:
    (row,) = testbed.aurora.sql("SHOW GLOBAL STATUS LIKE 'Access_denied_errors'")
    return int(row[1] or 0)


def test_a_changed_password_is_read_again_within_the_attempt(
        testbed, service, set_up) -> None:
    path = script(service, f"""echo run >>"$here/runs"
case $(wc -l <"$here/runs") in
1) echo {quoted(IMPORT_PASSWORD)} ;;
*) echo 'the new one' ;;
esac""")
    set_up(f"password-command = {path}")
    before = len(testbed.aurora.imports()), refused_logins(testbed)
    with user_identified(testbed, "IDENTIFIED BY 'the new one'"):
        service.start()
        service.wait_cluster("orders", "current")
        # The first login of the service was refused.
        assert len(testbed.aurora.imports()) == before[0] + 1
        assert refused_logins(testbed) == before[1] + 1
        assert (service.directory / "runs").read_text() == "run\n" * 2
    attempts = [line for line in service.ctl("metrics").stdout.splitlines()
                if line.startswith("binlog_ssld_imports_total{")]
    assert attempts == ['binlog_ssld_imports_total{cluster="orders",outcome="imported"} 1']


def test_an_unchanged_wrong_password_is_sent_to_the_server_once(testbed, service, set_up) -> None:
    service.password_file("wrong")
    set_up("")
    before = refused_logins(testbed)
    service.start()
    assert service.wait_cluster("orders", "held")["sql_errno"] == 1045
    assert refused_logins(testbed) == before + 1


def test_check_clusters_runs_the_password_command(testbed, service, set_up) -> None:
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


def visible_data(pid: int) -> dict[str, bytes]:
    """Command line and environment of a process."""
    seen = {name: Path(f"/proc/{pid}/{name}").read_bytes() for name in ("cmdline", "environ")}
    assert all(seen.values())
    return {f"{name} of {pid}": content for name, content in seen.items()}


def test_no_password_is_in_arguments_or_environment(testbed, service, set_up) -> None:
    """Checked while the command has the password, and while the importer uses it."""
    path = script(service, f"""password=$(cat "$here/etc/password")
echo $$ >"$here/pid.new" && mv "$here/pid.new" "$here/pid"
until [ -e "$here/go" ]; do sleep 0.02; done
echo "$password" """)
    set_up(f"password-command = {path} an-argument")
    testbed.aurora.set_option("slow_seconds", "30")
    service.start()
    pid_file = service.directory / "pid"
    service.wait(pid_file.exists)
    command = int(pid_file.read_text())
    (importer,) = service.importers()
    seen = visible_data(service.pid) | visible_data(importer) | visible_data(command)
    assert b"an-argument" in seen[f"cmdline of {command}"]
    (service.directory / "go").touch()
    service.wait(lambda: not os.path.exists(f"/proc/{command}"))
    service.wait(lambda: any("SLEEP" in (row["Info"] or "").upper()
                             for row in testbed.aurora.rows("SHOW FULL PROCESSLIST")))
    assert service.importers() == [importer]
    later = visible_data(service.pid) | visible_data(importer)
    for where, content in [*seen.items(), *later.items()]:
        assert IMPORT_PASSWORD.encode() not in content, where
    assert IMPORT_PASSWORD not in service.log()


def test_a_refused_credential_is_said_to_be_as_old_as_the_service(testbed, service, set_up):
    credential = service.directory / "credentials" / "orders"
    credential.parent.mkdir()
    credential.write_text('"quoted"\n')
    service.variables["CREDENTIALS_DIRECTORY"] = str(credential.parent)
    set_up("password-credential = orders")
    service.start()
    cluster = service.wait_cluster("orders", "held")
    assert (cluster["outcome"], cluster["sql_errno"]) == ("auth", 1045)
    assert cluster["next_step"].endswith(
        "a credential is as it was when the service started: after a change restart the service")
    assert "in the credential orders: " in cluster["next_step"] and '"quoted"' not in cluster["next_step"]
