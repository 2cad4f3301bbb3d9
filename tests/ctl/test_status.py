"""status: the text for people, and the exit status for monitoring plugins."""

import json
import re

import pytest

from tests.standin import terminal

from .conftest import CTL
from .mock_manager import (DAY, OLD_SET, cluster, material, microseconds, problem,
                           replication)

def held():
    """A cluster that is held; its times are those of the call."""
    return dict(
        state="held", reason="1045: Access denied for user 'ssl_importer'@'10.0.0.7' (using "
        "password: YES)", next_step="check user, password and the account's host and plugin",
        outcome="auth", sql_errno=1045, attempts=3, next_attempt=microseconds(3000),
        imported_fingerprint=OLD_SET, imported_at=microseconds(-3 * DAY),
        out_of_sync_since=microseconds(-7260))


@pytest.mark.parametrize("health, status", [("ok", 0), ("warning", 1), ("critical", 2)])
def test_the_exit_status_is_that_of_monitoring_plugins(ctl, manage, health, status):
    manage(health=health, summary="1/1 clusters current")
    done = ctl("status")
    assert (done.returncode, done.stderr) == (status, "")
    assert done.stdout.startswith(f"{health}: 1/1 clusters current\n")


def test_a_cluster_that_is_not_current_has_reason_and_next_step(ctl, manage):
    manage(cluster("billing", in_use=True), cluster("orders", **held()), health="critical")
    text = ctl("status").stdout
    assert re.search(r"billing +current +6d1f0c9a2b3c +3min ago, in use$", text, re.M)
    assert re.search(r"orders +held +9a0b1c2d3e4f +3d ago$", text, re.M)
    assert text.index(" orders ") < text.index(" billing ")  # the worst first
    assert "why:  1045: Access denied for user 'ssl_importer'@'10.0.0.7'" in text
    assert "next: check user, password and the account's host and plugin" in text
    assert text.count("check user, password") == 1
    assert "run:  binlog-sslctl import --wait orders\n" in text
    assert re.search("late: out of sync for 2h \\dmin; held for 3min 1\\ds; next try in "
                     "[45]\\dmin( \\d+s)?; 3 failed so far\n", text)


def test_a_time_ahead_is_shown_as_one(ctl, manage):
    """After the clock was set back."""
    ahead = microseconds(DAY + 1800)
    manage(cluster("orders", imported_at=ahead, in_use=True,
                   replication=replication(checked_at=ahead)))
    text = ctl("status", "orders").stdout
    assert re.search(r"orders +current +6d1f0c9a2b3c .* in 1d, in use$", text, re.M)
    assert "lag 0s; read in 1d\n" in text


def test_the_next_step_is_among_the_first_ten_lines(ctl, manage):
    """Of the worst problem: with a good material, that of the cluster comes before it."""
    manage(cluster("orders", health="critical", **held()), health="critical")
    lines = on_terminal(ctl, "status", columns=80, NO_COLOR="1").splitlines()
    assert lines[2].startswith("  CLUSTER ")
    assert any(" next: check user, password" in line for line in lines[:10])
    assert lines[-4] == "" and lines[-3].startswith("  MATERIAL ")


@pytest.mark.parametrize("health, first", [("critical", "MATERIAL"), ("warning", "CLUSTER")])
def test_a_material_with_the_worst_problem_comes_first(ctl, manage, health, first):
    manage(cluster("orders", health="critical", **held()), health="critical",
           materials=[material(health=health, state="expiring", next_step="renew it")])
    assert ctl("status").stdout.splitlines()[2].split()[0] == first


def test_what_an_import_went_on_in_spite_of_is_shown(ctl, manage):
    manage(cluster("orders", import_warning="the source was not tested: no answer"),
           cluster("billing"))
    assert re.findall(" note: .*", ctl("status").stdout) == [
        " note: the source was not tested: no answer"]


def test_a_warning_that_is_the_reason_is_shown_once(ctl, manage):
    manage(cluster("orders", import_warning="replication is stopped",
                   reason="replication is stopped"))
    assert ctl("status").stdout.count("replication is stopped") == 1


def test_in_use_is_shown_only_when_known(ctl, manage):
    manage(cluster("a", in_use=True), cluster("b", in_use=False), cluster("c", in_use=None))
    rows = [line for line in ctl("status").stdout.splitlines() if " current " in line]
    assert [row.split("ago")[1] for row in rows] == [", in use", ", not in use", ""]


def test_that_there_is_no_way_back_is_shown_where_one_is_configured(ctl, manage):
    manage(cluster("a", rollback=True), cluster("b", rollback=False), cluster("c"),
           cluster("d", rollback=False, state="disabled"))
    lines = ctl("status").stdout.splitlines()
    found = [number for number, line in enumerate(lines) if "rollback: there is no set" in line]
    assert len(found) == 1 and lines[found[0] - 1].startswith("  b ")


@pytest.mark.parametrize("state, rule", [
    ("invalid", "key-mismatch"), ("expired", "cert-expired"), ("missing", "file-missing")])
def test_a_material_has_its_problem_and_next_step(ctl, manage, state, rule):
    bad = material(state=state, problems=[problem(rule, "/m/client-key.pem: is not right")],
                   next_step="write the right one")
    manage(cluster("orders", state="waiting", reason=f"material default is {state}",
                   next_step="mend the material"),
           materials=[bad], health="critical")
    text = ctl("status").stdout
    assert "why:  /m/client-key.pem: is not right" in text
    assert "next: write the right one" in text
    assert "run:  binlog-sslctl explain default\n" in text
    assert "next: mend the material" in text


def test_a_cause_that_several_files_have_is_printed_once(ctl, manage):
    closed = [problem("file-unreadable", "/m: cannot be entered: Permission denied", file=file)
              for file in ("ca", "cert", "key")]
    other = problem("key-permissions", "/m: cannot be entered: Permission denied",
                    severity="warning")
    manage(materials=[material(state="invalid", problems=[*closed, other])])
    assert re.findall("(why|note): +/m: cannot", ctl("status").stdout) == ["why", "note"]


def test_of_a_material_that_changes_nothing_need_be_explained(ctl, manage):
    manage(materials=[material(state="changing", problems=[problem("key-mismatch", "no pair")])])
    text = ctl("status").stdout
    assert "why:  no pair" in text and "run:" not in text


def test_clusters_with_the_same_cause_are_explained_once(ctl, manage):
    names = [f"c{n}" for n in range(40)]
    manage(*(cluster(name, **held() if name in ("c7", "c3", "c9") else {}) for name in names),
           health="critical", summary="37/40 clusters current; c3: denied; +2 more")
    lines = ctl("status").stdout.splitlines()
    rows = [line.split()[0] for line in lines if "  current  " in line or "  held  " in line]
    assert rows == ["c3", "c7", "c9", *(name for name in names if name not in ("c3", "c7", "c9"))]
    assert sum("why:" in line for line in lines) == 1
    assert "      run:  binlog-sslctl import --wait c3 c7 c9" in lines
    assert len(lines) == 40 + 11
    only = ctl("status", "--problems")
    assert only.returncode == 2 and len(only.stdout.splitlines()) == 10
    assert ctl("status", "c1", "c3").stdout.count("run: ") == 1


@pytest.mark.parametrize("number, rows", [(3, ["c0", "c1", "c2"]), (4, ["c0", "c1", "+2"]),
                                          (40, ["c0", "c1", "+38"])])
def test_many_clusters_with_the_same_cause_do_not_push_the_next_step_away(ctl, manage, number,
                                                                          rows):
    names = [f"c{n}" for n in range(number)]
    manage(*(cluster(name, **held()) for name in names), cluster("good"), health="critical")
    lines = on_terminal(ctl, "status", columns=80, NO_COLOR="1").splitlines()
    first = next(number for number, line in enumerate(lines) if " why: " in line)
    assert [line.split()[0] for line in lines[3:first]] == rows
    assert any(" next: check user, password" in line for line in lines[:10])
    assert f"import --wait {' '.join(names)}" in "\n".join(lines)
    for text in (ctl("status").stdout,
                 on_terminal(ctl, "status", "--problems", columns=80, NO_COLOR="1"),
                 on_terminal(ctl, "status", *names, columns=80, NO_COLOR="1")):
        assert [row(text, name).split()[0] for name in names] == names


def test_clusters_without_a_problem_are_all_listed(ctl, manage):
    names = [f"c{n}" for n in range(9)]
    manage(*(cluster(name, state="disabled", reason="enabled = no") for name in names))
    text = on_terminal(ctl, "status", columns=80, NO_COLOR="1")
    assert [row(text, name).split()[0] for name in names] == names


def test_a_refused_configuration_is_shown(ctl, manage):
    manager = manage(cluster("orders"), health="warning")
    manager.refused = {"file": "/etc/binlog-ssld/a.conf", "line": 5, "text": "unknown key"}
    lines = ctl("status").stdout.splitlines()
    assert lines[2:7] == [
        "  CONFIGURATION", "  on disk it is refused, and the one before stays in force",
        "      why:  /etc/binlog-ssld/a.conf:5: unknown key",
        "      next: correct the file and reload", "      run:  binlog-sslctl reload"]
    manager.refused["line"] = 0
    assert "why:  /etc/binlog-ssld/a.conf: unknown key\n" in ctl("status", "--problems").stdout


def test_without_problems_there_is_only_the_headline(ctl, manage):
    manage(cluster("orders"), cluster("users", state="disabled"), summary="1/1 clusters current")
    done = ctl("status", "--problems")
    assert (done.returncode, done.stdout) == (0, "ok: 1/1 clusters current\n")


def test_what_is_not_current_yet_is_among_the_problems(ctl, manage):
    manage(cluster("orders", state="importing"), cluster("users"))
    text = ctl("status", "--problems").stdout
    assert " orders " in text and " users " not in text


def test_the_member_next_step_of_all_is_printed(ctl, manage):
    states = ["waiting", "importing", "current", "retrying", "held", "disabled"]
    manage(*(cluster(state, state=state, next_step=f"step of {state}") for state in states))
    text = ctl("status").stdout
    assert [text.count(f"next: step of {state}\n") for state in states] == [1] * 6


def test_polled_paths_and_missed_events_are_shown(ctl, manage):
    manage(materials=[material(watch="poll: /nfs/pki cannot be watched: Permission denied",
                               missed_events=3)])
    text = ctl("status").stdout
    assert "watch: poll: /nfs/pki cannot be watched: Permission denied" in text
    assert "3 changes were found by the poll alone" in text


def test_a_file_system_that_does_not_respond_is_shown(ctl, manage):
    manage(cluster("orders"), materials=[material(
        not_responding_since=1, reason="the file system of /nfs/pki has not answered since then",
        next_step="look at the mount and its server", health="warning")],
        health="warning")
    done = ctl("status")
    assert done.returncode == 1
    assert "why:  the file system of /nfs/pki has not answered since then" in done.stdout
    assert "next: look at the mount and its server" in done.stdout
    assert "run:  findmnt -T /etc/binlog-ssld/material\n" in done.stdout
    assert ctl("status", "orders").returncode == 1


def rollout(state: str, reason: str | None, waiting: int, until: int | None = None) -> dict:
    return {"canary": "users", "state": state, "reason": reason, "since": None, "until": until,
            "waiting": waiting}


def test_a_wave_is_shown(ctl, manage):
    waiting = cluster("orders", state="waiting", imported_fingerprint=OLD_SET,
                      reason="the canary users is proving the set",
                      next_step="nothing yet: the import starts by itself")
    manage(waiting, materials=[material(rollout=rollout(
        "holding", "the canary users is proving the set", 1, microseconds(90)))])
    text = ctl("status").stdout
    assert "rollout: the canary users is proving the set; until in 1min" in text
    assert "; 1 waiting\n" in text
    assert "next: nothing yet: the import starts by itself\n" in text
    assert ctl("status", "orders").returncode == 0


def test_a_stopped_wave_is_critical(ctl, manage):
    manage(cluster("orders"), health="critical", materials=[material(
        health="critical", rollout=rollout(
            "stopped", "the canary users failed: replication is stopped", 2))])
    assert ("rollout: stopped: the canary users failed: replication is stopped; 2 waiting\n"
            in ctl("status").stdout)
    assert ctl("status", "orders").returncode == 2


def test_an_open_wave_is_shown(ctl, manage):
    manage(cluster("orders"), materials=[material(rollout=rollout("open", None, 0))])
    assert "rollout: the set is proven\n" in ctl("status").stdout


STOPPED = dict(
    replication=replication(io_running="No", sql_running="No", lag=None), health="warning",
    reason="replication is stopped, not by binlog-ssld, and stays stopped",
    next_step="to start it: CALL mysql.rds_start_replication on the cluster")
FAILING = dict(
    replication=replication(io_running="Connecting", lag=None, io_errno=2026, io_error="expired"),
    health="critical", reason="replication I/O thread (error 2026): expired", next_step="compare the imported set")
SQL_FAILING = dict(
    replication=replication(sql_running="No", lag=None, sql_errno=1062, sql_error="duplicate"),
    health="critical", reason="replication SQL thread (error 1062): duplicate", next_step="repair the cause")


def row(text: str, name: str) -> str:
    return re.search(f"^  {name} .*$", text, re.M)[0]


def word(text: str, name: str) -> str:
    """What the column for replication has in the row of the cluster."""
    return re.search("6d1f0c9a2b3c +(.*?)  +3min ago(, in use)?$", row(text, name))[1]


def test_replication_that_works_is_one_word_in_its_row(ctl, manage):
    manage(cluster("orders", in_use=True, replication=replication(lag=200)),
           cluster("none", replication=replication(configured=False, source=None, lag=None)),
           cluster("young", replication_mode="observe"), cluster("ignored"))
    text = ctl("status").stdout
    assert re.search("^  CLUSTER .* REPLICATION +WHEN$", text, re.M)
    assert [word(text, name) for name in ("orders", "none", "young", "ignored")] == [
        "running, lag 3min 20s", "not configured", "unknown", "-"]
    assert "repl:" not in text


def test_without_replication_there_is_no_column_for_it(ctl, manage):
    manage(cluster("orders"), cluster("off", state="disabled", replication_mode="observe"))
    assert "REPLICATION" not in ctl("status").stdout


def test_a_named_cluster_has_source_tls_lag_and_time_of_the_reading(ctl, manage):
    manage(cluster("orders", replication=replication(lag=3)), cluster("users"))
    text = ctl("status", "orders").stdout
    assert re.search("^      repl: db1.example:3306 over TLS, lag 3s; read 4[23]s ago$", text, re.M)


@pytest.mark.parametrize("fields, state, status", [
    (STOPPED, "stopped", 1), (FAILING, "failing", 2), (SQL_FAILING, "failing", 2),
    (dict(replication=replication(lag=None), health="warning", reason="lag"),
     "running, lag ?", 1),
    (dict(replication=replication(tls=False)), "running, no TLS", 0)])
def test_replication_with_a_problem_has_its_lines_and_exit_status(ctl, manage, fields, state,
                                                                  status):
    manage(cluster("orders", **fields), cluster("users", replication=replication()))
    text = ctl("status").stdout
    assert word(text, "orders") == state
    assert text.count("repl: db1.example:3306") == 1
    for member, label in (("reason", "why:  "), ("next_step", "next: ")):
        assert text.count(label + fields.get(member, "none")) == (member in fields)
    assert not re.search("^ +(I/O|SQL): ", text, re.M)  # they are the reason
    assert ctl("status", "orders").returncode == status
    assert ctl("status", "users").returncode == 0


def test_an_error_that_is_not_the_reason_has_a_line_of_its_own(ctl, manage):
    failing = {**FAILING, **held(), "replication": FAILING["replication"]}
    manage(cluster("orders", **failing), health="critical")
    assert "      I/O:  error 2026: expired\n" in ctl("status").stdout


def test_replication_that_an_import_left_stopped_is_critical(ctl, manage):
    stopped = replication(io_running=None, sql_running=None, tls=None, lag=None, source=None,
                          stopped_by_us=True)
    manage(cluster("orders", state="retrying", replication=stopped, reason="it broke",
                   health="critical"),
           cluster("users", state="importing", replication=stopped))
    text = ctl("status", "orders").stdout
    assert word(text, "orders") == "stopped by import"
    assert re.search("repl: stopped 4[23]s ago, not read since\n", text)
    assert ctl("status", "orders").returncode == 2
    assert ctl("status", "users").returncode == 0


def test_a_table_of_twelve_clusters_fits_80_columns(ctl, manage):
    names = [f"cluster-{n:02}" for n in range(12)]
    manage(*(cluster(name, in_use=True, **{3: STOPPED, 7: FAILING, 9: SQL_FAILING}.get(
        n, dict(replication=replication()))) for n, name in enumerate(names)))
    text = on_terminal(ctl, "status", columns=80, NO_COLOR="1")
    assert max(len(line) for line in text.splitlines()) <= 80
    assert [word(text, name) for name in names[3:10]] == [
        "stopped", *["running, lag 0s"] * 3, "failing", "running, lag 0s", "failing"]
    assert (text.count("running, lag 0s"), text.count("repl: ")) == (9, 3)


def test_a_narrow_terminal_shows_replication_before_the_time_of_the_import(ctl, manage):
    manage(cluster("a" * 30, replication=replication()))
    text = on_terminal(ctl, "status", columns=80, NO_COLOR="1")
    assert "REPLICATION\n" in text and "WHEN" not in text
    assert row(text, "a+").endswith("  running, lag 0s")
    assert "REPLICATION      WHEN\n" in ctl("status").stdout  # a program reads it


def test_what_a_program_reads_is_not_broken_into_lines(ctl, manage):
    long = "word " * 60 + "end"
    manage(cluster("orders", state="held", reason=long, next_step=long), summary=long,
           materials=[material(state="invalid", problems=[problem("key-mismatch", long)])],
           health="critical")
    lines = ctl("status").stdout.splitlines()
    assert [line.partition("word")[0] for line in lines if line.endswith(" end")] == [
        "critical: ", "      why:  ", "      why:  ", "      next: "]


def test_a_headline_is_one_line_of_a_terminal(ctl, manage):
    manager = manage(summary="ü" * 200)
    text = on_terminal(ctl, "status", columns=80, NO_COLOR="1")
    assert text.splitlines()[0] == "ok: " + "ü" * 73 + "..."
    manager.summary = "ü" * 76
    text = on_terminal(ctl, "status", columns=80, NO_COLOR="1")
    assert text.splitlines()[0] == "ok: " + "ü" * 76


def test_a_command_stays_on_its_line(ctl, manage):
    names = [f"cluster-{n:02}" for n in range(12)]
    manage(*(cluster(name, **held()) for name in names), health="critical")
    text = on_terminal(ctl, "status", columns=80, NO_COLOR="1")
    assert f"      run:  binlog-sslctl import --wait {' '.join(names)}\n" in text


GRANT = ("GRANT EXECUTE ON PROCEDURE mysql.rds_import_binlog_ssl_material TO "
         "'ssl; importer'@'%.example';")


def next_lines(ctl, manager, next_step: str) -> list[str]:
    """What a terminal of 80 columns shows of it."""
    manager.clusters["orders"] = cluster("orders", **{**held(), "next_step": next_step})
    text = on_terminal(ctl, "status", columns=80, NO_COLOR="1")
    lines = text.partition("      next: ")[2].partition("\n      run: ")[0].splitlines()
    assert all(line.startswith(" " * 12) for line in lines[1:])
    return [line.removeprefix(" " * 12) for line in lines]


def test_a_statement_has_a_line_of_its_own(ctl, manage):
    rest = "if the server then reports that the procedure does not exist, check host"
    first, *after = next_lines(ctl, manage(), f"{GRANT} {rest}")
    assert first == GRANT and " ".join(after) == rest
    assert max(map(len, after)) <= 68


def test_what_stands_before_a_statement_is_wrapped(ctl, manage):
    *before, last = next_lines(ctl, manage(), f"{'word ' * 20}then {GRANT[:-1]}")
    assert last == GRANT[:-1] and before[-1].endswith("then")
    assert " ".join(before).count("word") == 20 and len(before) == 2


@pytest.mark.parametrize("copied", [
    "CALL mysql.rds_start_replication()", "SHOW REPLICA STATUS", "binlog-sslctl import --force",
    "systemctl restart", "TRUNCATE TABLE performance_schema.host_cache"])
def test_a_short_statement_or_command_is_not_broken(ctl, manage, copied):
    manager = manage()
    for length in range(20, 69):
        lines = next_lines(ctl, manager, f"{'x' * length} {copied} and then another word")
        assert sum(copied in line for line in lines) == 1
        assert max(map(len, lines)) <= 68


def test_capitals_are_wrapped_nevertheless(ctl, manage):
    lines = next_lines(ctl, manage(), "WORD " * 60 + "GRANT nothing to nobody " * 20)
    assert max(map(len, lines)) <= 68 and "".join(lines).count("WORD") == 60


def test_no_line_is_wider_than_100_columns(ctl, manage):
    long = "word " * 60 + "x" * 250 + " ü" * 120
    manage(cluster("c" * 40, **{**held(), "reason": long}), cluster("d" * 40, reason=long),
           materials=[material("m" * 40, state="not_yet_valid", watch=long,
                               problems=[problem("cert-not-yet-valid", long)])],
           summary=long, health="critical")
    lines = on_terminal(ctl, "status", columns=300, NO_COLOR="1").splitlines()
    assert len(lines) > 20
    assert max(len(line) for line in lines if "run:" not in line) <= 100


def test_control_characters_do_not_reach_the_terminal(ctl, manage):
    evil = "a\x1b[2Jb\x07c\u202ed\u009be\nf"
    manage(cluster("orders", state="held", reason=evil, outcome="rejected"), summary=evil,
           materials=[material(directory=evil, watch=evil, reason=evil,
                               problems=[problem("key-type", evil)])])
    text = ctl("status").stdout
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)
    assert "a [2Jb c d e f" in text


def test_only_named_clusters_are_shown_and_decide_the_exit_status(ctl, manage):
    manage(cluster("billing"), cluster("orders", **held()), cluster("slow", state="retrying"),
           cluster("other", material="second"),
           materials=[material(), material("second", state="expired")], health="critical")
    assert ctl("status").returncode == 2
    done = ctl("status", "billing")
    assert done.returncode == 0
    assert done.stdout.startswith("ok: 1/1 of these clusters current\n")
    assert "orders" not in done.stdout and "second" not in done.stdout
    assert ctl("status", "billing", "slow").returncode == 1
    assert ctl("status", "orders", "billing").returncode == 2
    assert ctl("status", "other").returncode == 2
    done = ctl("status", "none")
    assert (done.returncode, done.stderr) == (64, "binlog-sslctl: there is no cluster none\n")


def test_json_is_the_unchanged_answer(ctl, manage):
    manager = manage(cluster("billing"), cluster("orders", **held()), health="critical")
    expected = manager.status()
    done = ctl("status", "--json")
    got = json.loads(done.stdout)
    assert done.returncode == 2
    assert {**got, "started_at": 0, "loaded_at": 0} == {**expected, "started_at": 0,
                                                        "loaded_at": 0}
    assert [c["name"] for c in json.loads(ctl("--json", "status", "orders").stdout)["clusters"]] \
        == ["orders"]


def test_unknown_values_of_a_newer_daemon_are_shown(ctl, manage):
    manage(cluster("orders", state="dreaming", reason="who knows", outcome="strange", more=1),
           materials=[material(problems=[problem("new-rule", "is broken")])])
    text = ctl("status").stdout
    assert "dreaming" in text and "who knows" in text and "new-rule: is broken" in text


def on_terminal(ctl, *arguments: str, columns: int = 100, **environment: str) -> str:
    return terminal.on_terminal([str(CTL), *arguments], columns,
                                {**ctl.environment, **environment})[1]


def test_colour_is_for_terminals_and_can_be_disabled(ctl, manage):
    manage(cluster("orders", **held()), health="critical")
    assert "\x1b[" not in ctl("status").stdout
    assert "\x1b[1;31mheld" in on_terminal(ctl, "status")
    assert "\x1b[" not in on_terminal(ctl, "status", NO_COLOR="1")
    assert "\x1b[1;31mheld" in on_terminal(ctl, "status", NO_COLOR="")
