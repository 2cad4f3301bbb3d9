"""status --watch: the status again at each change."""

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator

import pytest

from .conftest import CTL
from .mock_manager import cluster, material, microseconds
from .test_status import held

HOME = "\x1b[H"


def block(process) -> list[str]:
    """The lines up to the end of the table of clusters, each of which has no detail."""
    lines = [process.stdout.readline().rstrip("\n")]
    while not lines[-1].startswith("  orders "):
        assert process.poll() is None
        lines.append(process.stdout.readline().rstrip("\n"))
    return lines


def test_each_state_is_printed_after_a_blank_line(ctl, manage):
    manager = manage(cluster("orders"), summary="1/1 clusters current")
    process = ctl.start("status", "--watch")
    first = block(process)
    assert first[0] == "ok: 1/1 clusters current" and " current " in first[-1]
    manager.wait_subscriber()
    manager.summary = "0/1 clusters current"
    manager.change_cluster("orders", state="importing")
    second = block(process)
    assert second[:2] == ["", "ok: 0/1 clusters current"] and " importing " in second[-1]
    assert [line.split()[:1] for line in second[1:]] == [line.split()[:1] for line in first]
    process.terminate()
    assert process.wait(60) == -signal.SIGTERM
    assert process.stderr.read() == ""


def test_changes_that_come_together_are_one_state(ctl, manage):
    manager = manage(cluster("orders"), *(cluster(f"c{n}") for n in range(30)))
    process = ctl.start("status", "--watch", "--json")
    process.stdout.readline()
    manager.wait_subscriber()
    for n in range(30):
        manager.change_cluster(f"c{n}", state="importing")
    states = [json.loads(process.stdout.readline())]
    while any(c["state"] != "importing" for c in states[-1]["clusters"][1:]):
        states.append(json.loads(process.stdout.readline()))
    assert len(states) < 10


def test_json_is_a_document_on_each_line(ctl, manage):
    manager = manage(cluster("orders"), cluster("users"))
    process = ctl.start("status", "--json", "--watch", "orders")
    first = json.loads(process.stdout.readline())
    expected = json.loads(ctl("status", "--json", "orders").stdout)
    assert first.keys() == expected.keys()
    assert (first["clusters"], first["materials"]) == (expected["clusters"], expected["materials"])
    manager.wait_subscriber()
    manager.change_cluster("orders", **held())
    second = json.loads(process.stdout.readline())
    assert [c["state"] for c in second["clusters"]] == ["held"]
    manager.publish("reloaded")
    assert json.loads(process.stdout.readline())["clusters"] == second["clusters"]


def test_the_end_of_the_service_is_said_once_and_does_not_end_the_command(ctl, manage):
    manager = manage(cluster("orders"))
    process = ctl.start("status", "--watch")
    block(process)
    manager.wait_subscriber()
    manager.stop()
    assert process.stderr.readline() == (
        "binlog-sslctl: binlog-ssld is gone; waiting for it to come back\n")
    manager.clusters["orders"]["state"] = "importing"
    manager.start()
    assert " importing " in block(process)[-1]
    process.terminate()
    process.wait(60)
    assert process.stderr.read() == ""


def test_a_state_that_could_not_be_read_is_read_later(ctl, manage):
    manager = manage(cluster("orders"))
    process = ctl.start("status", "--watch")
    block(process)
    manager.wait_subscriber()
    manager.script["GetStatus"] = lambda c, _: c.error("TooManyClients")
    calls = len(manager.called("GetStatus"))
    manager.change_cluster("orders", state="importing")
    manager.wait(lambda: len(manager.called("GetStatus")) > calls)
    del manager.script["GetStatus"]
    assert " importing " in block(process)[-1]


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_what_is_wrong_at_first_ends_the_command(ctl, manage, options):
    (ctl.directory / "binlog-ssld.conf").touch()
    done = ctl("status", "--watch", *options)
    assert (done.returncode, done.stdout) == (3, "") and "systemctl start" in done.stderr
    manage()
    done = ctl("status", "--watch", "nobody", *options)
    assert (done.returncode, done.stdout) == (64, "")
    assert done.stderr == "binlog-sslctl: there is no cluster nobody\n"


def test_only_status_can_be_watched(ctl):
    assert ctl("import", "--watch").returncode == 64


class Screen:
    """A terminal with the command on it."""

    def __init__(self, ctl, *arguments: str, rows: int = 50) -> None:
        self.master, slave = pty.openpty()
        self.resize(rows)
        self.modes = termios.tcgetattr(slave)
        self.process = subprocess.Popen([str(CTL), "status", "--watch", *arguments],
                                        env={**ctl.environment, "NO_COLOR": "1"},
                                        stdin=slave, stdout=slave, stderr=slave)
        self.slave = slave
        self.output = ""

    def resize(self, rows: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, 100, 0, 0))

    def text(self) -> str:
        """What is painted now, as far as a whole text is."""
        return (HOME + self.output.replace("\r", "").rpartition("\x1b[J")[0]).rpartition(HOME)[2]

    def wait(self, *words: str, without: str = "\0") -> list[str]:
        end = time.monotonic() + 20
        while not all(word in self.text() for word in words) or without in self.text():
            assert time.monotonic() < end, self.text()
            if select.select([self.master], [], [], 1)[0]:
                self.output += os.read(self.master, 65536).decode()
        return [line.removesuffix("\x1b[K") for line in self.text().splitlines()]

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.slave)
        os.close(self.master)


@pytest.fixture
def watch(ctl) -> Iterator:
    screens = []

    def start(*arguments: str, **more) -> Screen:
        screens.append(Screen(ctl, *arguments, **more))
        return screens[-1]

    yield start
    for screen in screens:
        screen.close()


def test_a_terminal_shows_the_present_state(ctl, manage, watch):
    manager = manage(cluster("orders"))
    screen = watch()
    names = [line.split()[:1] for line in screen.wait(" current ")]
    assert names == [line.split()[:1] for line in ctl("status").stdout.splitlines()]
    manager.wait_subscriber()
    manager.change_cluster("orders", **held())
    lines = screen.wait("why:  1045: Access denied", without=" current ")
    assert sum(line.startswith("  orders ") for line in lines) == 1


def test_ages_grow_on_a_terminal_without_an_event(ctl, manage, watch):
    manage(cluster("orders", **{**held(), "since": microseconds(-5)}))
    screen = watch()
    lines = screen.wait("held for ")
    first = next(re.search(r"held for \d+s", line)[0] for line in lines if "held for" in line)
    screen.wait("held for ", without=first)


def test_what_changes_without_an_event_is_read_as_well(ctl, manage, watch):
    manager = manage(cluster("orders"))
    screen = watch()
    screen.wait(" current ")
    manager.wait_subscriber()
    manager.refused = {"file": "/etc/a.conf", "line": 5, "text": "unknown key"}
    screen.wait("/etc/a.conf:5: unknown key")


def test_the_terminal_is_as_before_at_the_end(ctl, manage, watch):
    manage(cluster("orders"))
    screen = watch()
    screen.wait(" current ")
    screen.process.send_signal(signal.SIGINT)
    assert screen.process.wait(60) == -signal.SIGINT
    assert termios.tcgetattr(screen.slave) == screen.modes
    assert "\x1b[?" not in screen.output  # no other screen, no hidden cursor, no mode
    assert screen.output.startswith("\r\n" * 50 + HOME)  # nothing is erased that was there


def test_the_end_of_the_service_is_shown_above_the_last_state(ctl, manage, watch):
    manager = manage(cluster("orders"))
    screen = watch()
    screen.wait(" current ")
    manager.wait_subscriber()
    manager.stop()
    lines = screen.wait("binlog-ssld is gone", "s ago:")
    assert lines[0].startswith(
        "binlog-ssld is gone; waiting for it to come back; this was the state ")
    assert any(line.startswith("  orders ") for line in lines)
    manager.clusters["orders"]["state"] = "importing"
    manager.start()
    screen.wait(" importing ", without="gone")


def test_what_has_no_room_is_left_out_until_there_is(ctl, manage, watch):
    manage(*(cluster(f"c{n:02}") for n in range(20)), materials=[material()])
    screen = watch(rows=10)
    lines = screen.wait("... and ")
    assert len(lines) == 9 and lines[-1] == "... and 19 more lines"
    screen.resize(50)
    assert len(screen.wait("  c19 ")) > 20


def test_a_watch_without_a_terminal_uses_no_processor_time(ctl, manage):
    manager = manage(cluster("orders"))
    process = ctl.start("status", "--watch")
    block(process)
    manager.wait_subscriber()
    time.sleep(1)
    fields = open(f"/proc/{process.pid}/stat").read().rsplit(")", 1)[1].split()
    assert int(fields[11]) + int(fields[12]) < 10  # ticks of user and system time
    assert len(manager.called("GetStatus")) == 1
