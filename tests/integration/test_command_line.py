"""Options and exit statuses of the daemon."""

import pytest

from tests.integration.conftest import configuration
from tests.standin import write_material


@pytest.fixture
def configured(testbed, service):
    service.configure(configuration(service, testbed.aurora))
    write_material(service.material, testbed.authority.certificate, testbed.client("line"))
    return service


def test_a_bad_configuration_exits_with_78_and_names_the_line(testbed, service):
    service.configure(configuration(service, testbed.aurora, cluster="colour = red"))
    done = service.run()
    assert done.returncode == 78
    assert "binlog-ssld.conf:" in done.stderr and "unknown key colour" in done.stderr


@pytest.mark.parametrize("lines, place, text", [
    ("password-command = /bin/t %h %x", -1, "password-command: this is not an absolute path and"),
    ("password-command = /bin/t\n  100%", -2, "%h (host), %p (port), %u (user) and %%"),
    ("\n  --region eu", -1, "there is no key before it"),
    ("  port = 1", -1, "continues the value of server-ca"),
])
def test_an_error_names_the_line_the_key_and_what_is_allowed(
        testbed, service, lines, place, text):
    content = configuration(service, testbed.aurora).rstrip() + "\n" + lines
    service.configure(content)
    done = service.run()
    assert done.returncode == 78
    number = len(content.splitlines()) + 1 + place
    assert f"binlog-ssld.conf:{number}: " in done.stderr and text in done.stderr


def test_check_of_a_good_set_sends_nothing(testbed, configured):
    before = len(testbed.aurora.imports())
    done = configured.run("--check")
    assert (done.returncode, done.stdout) == (0, "material default: good\n")
    assert len(testbed.aurora.imports()) == before


def test_two_clusters_with_one_server_are_a_warning(testbed, configured):
    path = configured.directory / "etc" / "binlog-ssld.conf"
    text = path.read_text() + "replication = ignore\n"
    twin = text[text.index("[cluster orders]"):].replace("orders", "users", 1)
    configured.configure(text + twin)
    done = configured.run("--check")
    assert (done.returncode, done.stdout.splitlines()[1:]) == (0, [
        "cluster orders: warning: cluster users has the same host and port",
        "cluster users: warning: cluster orders has the same host and port"])
    configured.start()
    configured.wait_cluster("orders", "current")
    user = configured.wait_cluster("users", "current")
    assert (user["health"], user["reason"]) == (
        "warning", "cluster orders has the same host and port; each set is imported there twice")
    assert "cluster users: cluster orders has the same host and port" in configured.log()


def test_check_names_the_rule_and_exits_with_1(configured):
    (configured.material / "client-key.pem").unlink()
    done = configured.run("--check")
    assert done.returncode == 1
    assert "material default: not usable" in done.stdout
    assert "error: file-missing: " in done.stdout


@pytest.mark.parametrize("option", ["--check", "--check-clusters"])
def test_a_check_of_a_bad_configuration_begins_with_the_file_and_exits_with_78(
        testbed, configured, option):
    configured.configure(configuration(configured, testbed.aurora, cluster="enabled = perhaps"))
    done = configured.run(option)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (78, "", 1)
    assert done.stderr.startswith(f"{configured.directory}/etc/binlog-ssld.conf:")
    assert "enabled = perhaps" in done.stderr and "yes or no" in done.stderr


def test_another_configuration_can_be_named(configured):
    other = configured.directory / "other.conf"
    (configured.directory / "etc" / "binlog-ssld.conf").rename(other)
    assert configured.run("--check").returncode == 78
    assert configured.run("--check", "--config", str(other)).returncode == 0


def test_version_help_and_unknown_options(configured):
    assert configured.run("--version").stdout.startswith("binlog-ssld ")
    assert "--once" in configured.run("--help").stdout
    assert configured.run("--colour").returncode == 64
    assert configured.run("argument").returncode == 64


def test_once_waits_for_a_set_that_is_being_written(testbed, configured):
    (configured.material / "client-key.pem").write_text("half")
    done = configured.run("--once")
    assert done.returncode == 1
    assert "material default is invalid" in done.stderr
