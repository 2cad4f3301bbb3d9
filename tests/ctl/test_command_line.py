"""Options, help, and the commands metrics and reload."""

import json

import pytest

COMMANDS = ["status", "history", "explain", "check", "check-clusters", "import", "remove", "wait",
            "monitor", "metrics", "nagios", "reload"]


def test_help_lists_every_command_within_100_columns(ctl):
    done = ctl("--help")
    assert done.returncode == 0
    for command in COMMANDS:
        assert f"\n  {command} " in done.stdout
        text = ctl(command, "--help").stdout
        assert text.startswith(f"binlog-sslctl {command}") and "\nExit: " in text
        assert max(len(line) for line in text.splitlines()) <= 100
    assert max(len(line) for line in done.stdout.splitlines()) <= 100


def test_version(ctl):
    assert ctl("--version").stdout.startswith("binlog-sslctl ")


@pytest.mark.parametrize("arguments, hint", [
    ([], "a command is needed"),
    (["statsu"], "did you mean status?"),
    (["xyzzy"], "binlog-sslctl --help lists them"),
    (["--colour", "status"], "--help lists the options"),
    (["status", "--force"], "binlog-sslctl status --help"),
    (["metrics", "all"], "usage: binlog-sslctl metrics"),
])
def test_a_wrong_command_line_exits_with_64_and_a_hint(ctl, arguments, hint):
    done = ctl(*arguments)
    assert (done.returncode, done.stdout) == (64, "")
    assert hint in done.stderr


def test_metrics_are_printed_line_by_line(ctl, manage):
    manager = manage()
    assert ctl("metrics").stdout == "# TYPE binlog_ssld_up gauge\nbinlog_ssld_up 1\n"
    manager.script["GetMetrics"] = lambda c, _: c.reply({"text": "a\x1b[2J 1\nb 2\n"})
    assert ctl("metrics").stdout == "a [2J 1\nb 2\n"
    assert json.loads(ctl("--json", "metrics").stdout) == {"text": "a\x1b[2J 1\nb 2\n"}


def test_reload_reports_success(ctl, manage):
    manager = manage()
    done = ctl("reload")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "the configuration was read again and is in force\n"
    assert ctl("--json", "reload").stdout == "{}\n"
    assert ctl("reload", "--dry-run").stdout == "the configuration on disk can be loaded\n"
    assert manager.called("Reload") == [{}, {}, {"dry_run": True}]


def test_a_refused_configuration_is_named_with_its_line(ctl, manage):
    manager = manage()
    manager.script["Reload"] = lambda c, _: c.error(
        "InvalidConfiguration", file="/etc/b.conf", line=7, text="unknown key colour")
    done = ctl("reload")
    assert (done.returncode, done.stdout) == (1, "")
    assert "/etc/b.conf:7: unknown key colour" in done.stderr
    assert "stays in force" in done.stderr
    answer = json.loads(ctl("--json", "reload").stdout)
    assert answer["error"] == "io.binlogssl.Manager.InvalidConfiguration"
    assert answer["parameters"]["line"] == 7


@pytest.mark.parametrize("method, command", [("Reload", "reload"), ("Import", "import")])
def test_permission_denied_names_control_group(ctl, manage, method, command):
    manage().script[method] = lambda c, _: c.error("org.varlink.service.PermissionDenied")
    done = ctl(command)
    assert done.returncode == 1
    assert "control-group" in done.stderr


@pytest.mark.parametrize("method, command", [
    ("GetMetrics", "metrics"), ("Reload", "reload"), ("GetHistory", "history")])
def test_an_older_daemon_is_recognised(ctl, manage, method, command):
    manage().script[method] = lambda c, _: c.error(
        "org.varlink.service.MethodNotFound", method=method)
    done = ctl(command)
    assert done.returncode == 1
    assert f"has no method {method}" in done.stderr and "restart" in done.stderr
