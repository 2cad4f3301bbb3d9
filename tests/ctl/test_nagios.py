"""nagios: text, values and exit status of a monitoring plugin, and the plugin itself."""

import re
import subprocess
from pathlib import Path

import pytest

from .conftest import CTL
from .mock_manager import DAY, certificate, cluster, material, microseconds, replication
from .test_status import held

PLUGIN = Path(__file__).resolve().parents[2] / "conf" / "check_binlog_ssld"

VALUE = re.compile(r"[^\s=']+=-?[0-9.]+(s|%|[kMGT]?B|c)?(;[-0-9.:@~]*){0,4}")


@pytest.mark.parametrize("health, status, word", [
    ("ok", 0, "OK"), ("warning", 1, "WARNING"), ("critical", 2, "CRITICAL")])
def test_state_and_exit_status_are_those_of_the_daemon(ctl, manage, health, status, word):
    manage(health=health, summary="1/1 clusters current, a|b")
    done = ctl("nagios")
    assert (done.returncode, done.stderr) == (status, "")
    assert done.stdout.startswith(f"BINLOG_SSLD {word} - 1/1 clusters current, a/b | ")


def test_the_values_have_the_form_of_performance_data(ctl, manage):
    short = material("short", certificate=certificate(not_after=microseconds(2.5 * DAY)))
    manage(cluster("billing", replication=replication(lag=7)), cluster("gone", state="disabled"),
           cluster("new", state="importing"), materials=[material(), short])
    text, _, values = ctl("nagios").stdout.rstrip("\n").partition(" | ")
    assert text == "BINLOG_SSLD OK - all is well"
    assert values.split(" ") == ["days_left=2.5", "clusters_current=1;;;0;2", "lag_billing=7s;;;0"]
    assert all(VALUE.fullmatch(value) for value in values.split(" "))


def test_an_expired_certificate_has_days_below_zero(ctl, manage):
    manage(materials=[material(certificate=certificate(not_after=microseconds(-3 * DAY)))])
    assert "days_left=-3.0 " in ctl("nagios").stdout


def test_without_certificate_and_replication_these_values_are_absent(ctl, manage):
    manage(materials=[material(certificate=None, fingerprint=None, state="missing")])
    assert ctl("nagios").stdout.splitlines()[0].endswith(" | clusters_current=1;;;0;1")


def test_each_problem_is_a_line_with_its_next_step(ctl, manage):
    manage(cluster("billing"), cluster("orders", **held()), cluster("third", material="other"),
           cluster("fourth", health="warning", reason="a person has stopped replication",
                   next_step="CALL mysql.rds_start_replication"),
           health="critical", summary="2/4 clusters current",
           materials=[material(), material("other", state="invalid", reason="key-mismatch: no pair",
                                           next_step="renew")])
    first, *lines = ctl("nagios").stdout.splitlines()
    assert first.startswith("BINLOG_SSLD CRITICAL - 2/4 clusters current | ")
    assert [line.split(":")[0] for line in lines] == [
        "material other", "cluster orders", "cluster fourth"]
    assert lines[0] == "material other: invalid: key-mismatch: no pair; next: renew"
    assert lines[1].startswith("cluster orders: held: 1045: Access denied")
    assert lines[1].endswith("; next: check user, password and the account's host and plugin")
    assert lines[2] == ("cluster fourth: current: a person has stopped replication; next: "
                        "CALL mysql.rds_start_replication")


def test_what_is_unknown_is_on_the_standard_output(ctl, manage):
    (ctl.directory / "binlog-ssld.conf").touch()
    done = ctl("nagios")
    assert (done.returncode, done.stderr) == (3, "")
    assert done.stdout.startswith(f"BINLOG_SSLD UNKNOWN - there is no {ctl.socket}: ")
    manager = manage()
    manager.script["GetStatus"] = lambda connection, _: connection.error(
        "NotStarted", text="/etc/b.conf:5: unknown key colour")
    done = ctl("nagios")
    assert (done.returncode, done.stdout) == (
        3, "BINLOG_SSLD UNKNOWN - binlog-ssld does not start: /etc/b.conf:5: unknown key colour; "
        "when that is mended: systemctl start binlog-ssld\n")
    manager.script["GetStatus"] = lambda connection, _: connection.raw(b"no json\0")
    assert "UNKNOWN - the process at" in ctl("nagios").stdout
    assert ctl("--json", "nagios").returncode == 3


def test_the_plugin_has_the_same_output_and_no_other_exit_status(ctl, manage):
    manage(health="warning")

    def plugin(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {**ctl.environment, "PATH": f"{CTL.parent}:{ctl.environment['PATH']}"}
        return subprocess.run([PLUGIN, *arguments], env=environment, capture_output=True, text=True)

    done = plugin()
    assert (done.returncode, done.stdout) == (1, ctl("nagios").stdout)
    done = plugin("--colour")
    assert (done.returncode, done.stderr) == (3, "") and "--colour" in done.stdout
    assert plugin("-V").stdout == ctl("--version").stdout
    assert plugin("-h").stdout == ctl("nagios", "--help").stdout
