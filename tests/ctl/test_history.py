"""history: the last attempts of each cluster, for people and as JSON."""

import json
import re
import time

from .mock_manager import DAY, OLD_SET, SET, cluster, microseconds
from .test_status import on_terminal


def entry(**fields) -> dict:
    at = fields.pop("at", microseconds(-60))
    return {"at": at, "action": "import", "trigger": "rotation", "fingerprint": SET,
            "outcome": "imported", "sql_errno": None, "reason": None, "duration": 1_250_000,
            "count": 1, "first": at, **fields}


def failure(**fields) -> dict:
    return entry(trigger="retry", outcome="unreachable", sql_errno=2003,
                 reason="2003: Can't connect to server on 'db' (110)", **fields)


def local(usec: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(usec // 1_000_000))


def test_the_name_of_a_cluster_is_utf8(ctl, manage):
    manage()
    for command in ("history", "check-clusters", "import", "remove"):
        done = ctl(command, b"\xff".decode(errors="surrogateescape"))
        assert (done.returncode, done.stdout, done.stderr) == (
            1, "", "binlog-sslctl: the name of a cluster must be valid UTF-8\n")


def test_each_attempt_is_a_row(ctl, manage):
    manager = manage(cluster("orders"), cluster("users"))
    old = entry(at=microseconds(-400 * DAY), fingerprint=OLD_SET, action="rollback", trigger=None,
                duration=65_000_000)
    manager.history["orders"] = {"entries": [entry(), old]}
    done = ctl("history")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "  WHEN              ACTION    TRIGGER   SET           TOOK   OUTCOME",
        "orders",
        f"  {local(microseconds(-60))}  import    rotation  6d1f0c9a2b3c  1s     imported",
        f"  {local(old['at'])}  rollback  -         9a0b1c2d3e4f  1min   imported",
        "users",
        "  no attempt yet"]


def test_what_failed_again_says_how_often_and_why(ctl, manage):
    first = microseconds(-8 * 3600)
    manage(cluster("orders")).history["orders"] = {"entries": [
        failure(count=37, first=first), failure(fingerprint=None)]}
    lines = ctl("history").stdout.splitlines()
    assert lines[3:5] == [f"      37 times since {local(first)}",
                          "      why:  2003: Can't connect to server on 'db' (110)"]
    assert re.search(" retry +- +1s +unreachable$", lines[5])
    assert lines[6] == lines[4] and len(lines) == 7


def test_the_time_is_that_of_the_host(ctl, manage):
    manage(cluster("orders")).history["orders"] = {"entries": [entry(at=1_800_000_000_000_000)]}
    ctl.environment["TZ"] = "UTC"
    assert "  2027-01-15 08:00  import " in ctl("history").stdout
    ctl.environment["TZ"] = "EST5"
    assert "  2027-01-15 03:00  import " in ctl("history").stdout


def test_only_named_clusters_are_asked_for(ctl, manage):
    manager = manage(cluster("orders"), cluster("users"))
    text = ctl("history", "users").stdout
    assert "users" in text and "orders" not in text
    ctl("history")
    assert manager.called("GetHistory") == [{"clusters": ["users"]}, {}]
    done = ctl("history", "users", "nobody")
    assert (done.returncode, done.stdout) == (64, "")
    assert "there is no cluster nobody" in done.stderr


def test_entries_that_are_left_out_are_counted(ctl, manage):
    manage(cluster("orders")).history["orders"] = {"entries": [entry()], "older": 15}
    assert "  15 older: binlog-sslctl history orders\n" in ctl("history").stdout


def test_a_row_fits_80_columns_and_text_is_wrapped(ctl, manage):
    widest = failure(action="rollback", duration=59 * 60_000_000, count=4294967295)
    widest |= {"trigger": "rotation", "outcome": "source_unreachable", "reason": "word " * 60}
    manage(cluster("orders")).history["orders"] = {"entries": [widest], "older": 15}
    text = on_terminal(ctl, "history", columns=80, NO_COLOR="1")
    assert max(len(line) for line in text.splitlines()) <= 80
    assert "59min  source_unreachable\n" in text
    assert sum("word" in line for line in text.splitlines()) > 2
    assert sum("word" in line for line in ctl("history").stdout.splitlines()) == 1


def test_outcomes_have_the_colour_of_their_health(ctl, manage):
    manage(cluster("orders")).history["orders"] = {"entries": [
        entry(), failure(), failure() | {"outcome": "auth", "sql_errno": 1045},
        failure() | {"outcome": "strange"}]}
    text = on_terminal(ctl, "history")
    for word in ("\x1b[32mimported\x1b[0m", "\x1b[33munreachable\x1b[0m", "\x1b[1;31mauth\x1b[0m"):
        assert word in text
    assert re.search("  strange(\x1b\\[0m)?\n", text)


def test_unknown_values_of_a_newer_daemon_are_shown(ctl, manage):
    manage(cluster("orders")).history["orders"] = {"more": 1, "entries": [
        entry(action="dance", trigger="full moon", outcome="strange", more=1)]}
    assert re.search("  dance +full moon +6d1f0c9a2b3c .* strange$", ctl("history").stdout, re.M)


def test_json_is_the_unchanged_answer(ctl, manage):
    manager = manage(cluster("orders"))
    manager.history["orders"] = {"entries": [failure(count=3), entry()], "older": 2}
    assert json.loads(ctl("history", "--json").stdout) == {
        "clusters": [{"name": "orders", **manager.history["orders"]}]}


def test_control_characters_do_not_reach_the_terminal(ctl, manage):
    evil = "a\x1b[2Jb\u202ec\nd"
    manage(cluster("orders")).history["orders"] = {"entries": [
        failure() | {"reason": evil, "outcome": evil, "action": evil, "trigger": evil,
                     "fingerprint": evil}]}
    text = ctl("history").stdout
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)
    assert "why:  a [2Jb c d\n" in text


def test_no_cluster_prints_nothing(ctl, manage):
    manager = manage()
    manager.clusters.clear()
    assert ctl("history").stdout == ""
