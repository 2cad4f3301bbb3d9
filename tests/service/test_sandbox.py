"""Imports and rotations in the sandbox of the unit."""

import re

import pytest

from tests.service.installed import EXAMPLES, MATERIAL, SOCKET_PATH, Installed
from tests.service.name_server import NameServer
from tests.service.package import SOURCE
from tests.standin.cluster import IMPORT_PASSWORD


def test_a_first_import_and_three_rotations(service: Installed):
    service.start()
    service.wait_imports(1)
    for number in (2, 3, 4):
        pair = service.rotate()
        service.wait_imports(number)
        assert service.aurora.imports()[-1]["ssl_cert"] == pair.certificate.read_text()
    service.wait(lambda: service.show("StatusText").startswith(
        "1/1 clusters current, certificate valid until 20"))
    assert service.ctl("status").returncode == 0
    assert "TLS" in str(service.aurora.imports()[0]["cipher"])


def test_events_and_mounts_are_found_without_a_poll(service: Installed):
    service.configure(poll="1h")
    service.start()
    service.wait_imports(1)
    service.rotate()
    service.wait_imports(2)
    # Another set under the same path, as a mounted volume has it.
    service.machine.shell(f"mkdir /etc/volume; cp -a {MATERIAL}/. /etc/volume")
    service.rotate()
    service.wait_imports(3)
    service.machine.shell(f"mount --bind /etc/volume {MATERIAL}")
    try:
        service.wait_imports(4)
        status = service.ctl("--json", "status").stdout
        assert '"watch":"inotify"' in status and '"missed_events":0' in status
    finally:
        service.machine.shell(f"umount {MATERIAL}")


def test_the_exposure_level_and_systemd_analyze_verify(service: Installed):
    done = service.machine.run("systemd-analyze", "security", "--threshold=11", "binlog-ssld")
    figure = re.search(r"Overall exposure level for binlog-ssld.service: ([\d.]+)", done.stdout)
    assert figure and float(figure[1]) <= 1.1
    service.machine.shell(f"install -m 0644 {EXAMPLES}/binlog-ssld-once.* /etc/systemd/system/")
    for unit in ("binlog-ssld.service", "binlog-ssld.socket", "binlog-ssld-once.service",
                 "binlog-ssld-once.timer"):
        done = service.machine.run("systemd-analyze", "verify", unit)
        assert done.stdout + done.stderr == ""


def test_a_name_is_resolved_and_the_systems_trust_store_is_used(service: Installed):
    service.machine.write("/usr/local/share/ca-certificates/standin.crt",
                          service.aurora.ca.read_text())
    service.machine.shell("update-ca-certificates; cp /etc/resolv.conf /etc/resolv.conf.before;"
                          "echo nameserver 127.0.0.1 >/etc/resolv.conf")
    with service.machine.network():
        names = NameServer("orders.standin.test")
    try:
        service.configure(host="orders.standin.test", server_ca="")
        service.start()
        service.wait_imports(1)
        assert names.queries > 0
    finally:
        names.close()
        service.machine.shell("mv /etc/resolv.conf.before /etc/resolv.conf;"
                              "rm /usr/local/share/ca-certificates/standin.crt")


def test_no_process_has_or_can_get_a_capability(service: Installed):
    service.aurora.set_option("slow_seconds", "2")
    service.start()
    service.wait(lambda: bool(service.importers()))
    for pid in (service.show("MainPID"), service.importers()[0]):
        status = dict(line.split(":\t", 1) for line in service.machine.shell(
            f"cat /proc/{pid}/status").splitlines())
        assert {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} \
            == {"0" * 16}
        assert status["NoNewPrivs"].strip() == "1" and status["Seccomp"].strip() == "2"
        limits = service.machine.shell(f"cat /proc/{pid}/limits")
        assert re.search(r"Max core file size +0 +0 ", limits)
    assert service.show("MemorySwapMax") == "0"


def test_the_manager_has_a_higher_priority_than_importers(service: Installed):
    service.aurora.set_option("slow_seconds", "2")
    service.start()
    service.wait(lambda: bool(service.importers()))
    nice = [service.machine.shell(f"ps -o ni= -p {pid}").strip()
            for pid in (service.show("MainPID"), service.importers()[0])]
    assert nice == ["-10", "0"]


# More memory than the limit of an importer, as an interpreter may need.
TOKEN = """#!/usr/bin/python3
import sys, time
print("made for", sys.argv[1], file=sys.stderr)
memory = b"x" * (200 << 20)
with open("/etc/binlog-ssld/password") as file:
    print(file.read(), end="", flush=True)
time.sleep(0.3)  # the journal reads the unit of the process after the message
"""


def test_a_password_command_runs_in_the_sandbox_and_logs_to_the_journal(service: Installed):
    service.machine.write("/usr/local/bin/token", TOKEN, "0755")
    service.configure(password='password-command = /usr/local/bin/token "orders; $HOME"')
    service.start()
    service.wait_imports(1)
    entries = [entry for entry in service.entries() if entry["MESSAGE"] == "made for orders; $HOME"]
    assert [entry["_SYSTEMD_UNIT"] for entry in entries] == ["binlog-ssld.service"]
    assert IMPORT_PASSWORD not in service.messages()


def test_the_plugin_directory_of_the_program_is_that_of_libmariadb3(service: Installed):
    """It depends on the architecture."""
    found = service.machine.shell("grep -aoE '/usr/lib/[a-z0-9_-]+/libmariadb3/plugin' "
                                  "/usr/sbin/binlog-ssld")
    (directory,) = set(found.split())
    files = service.machine.run("dpkg", "--listfiles", "libmariadb3").stdout.splitlines()
    assert f"{directory}/caching_sha2_password.so" in files


def test_the_sandbox_refuses_what_the_service_does_not_need(service: Installed):
    service.machine.shell("touch /home/probe /tmp/probe")
    service.drop_in("Type=oneshot\nWatchdogSec=0\nExecStart=\n"
                    "ExecStart=/usr/bin/python3 -B /source/tests/service/sandbox_probe.py")
    service.systemctl("start", check=False)
    service.machine.run("journalctl", "--sync")
    messages = service.machine.run("journalctl", "--output=cat", "--identifier=python3").stdout
    assert messages == "ended\n"


def test_the_control_group_works_with_its_drop_in(service: Installed):
    service.machine.shell("groupadd --force dba; id carol || useradd --groups dba carol")
    service.configure(daemon="control-group = dba")
    service.start()
    assert reload_as(service, "root") == '{"parameters":{}}'
    assert "PermissionDenied" in reload_as(service, "carol")
    service.drop_in(service.machine.shell(f"cat {EXAMPLES}/control-group.conf"))
    done = service.machine.run("systemd-analyze", "security", "--threshold=12", "binlog-ssld")
    assert "Overall exposure level for binlog-ssld.service: 1.2" in done.stdout
    service.systemctl("restart")
    assert reload_as(service, "carol") == '{"parameters":{}}'
    assert "PermissionDenied" in reload_as(service, "nobody")
    service.wait_imports(1)


def commands_for_metrics() -> str:
    """Those of the manual."""
    manual = (SOURCE / "man" / "binlog-ssld.8").read_text()
    block, = re.findall(r"^(cd /var/lib/prometheus.*?)^\.Ed$", manual, re.M | re.S)
    return block


def test_metrics_are_written_after_the_commands_of_the_manual(service: Installed):
    directory = "/var/lib/prometheus/node-exporter"
    service.machine.shell(f"install -d {directory}")
    service.configure(daemon=f"metrics-file = {directory}/binlog-ssld.prom")
    service.start()
    service.wait_imports(1)
    service.wait(lambda: "Read-only file system" in service.messages())
    try:
        service.machine.shell(commands_for_metrics())
        service.wait(lambda: "binlog_ssld_" in service.machine.shell(f"cat {directory}/* || true"))
        assert service.machine.shell(f"stat -c %a {directory}/binlog-ssld.prom") == "644\n"
    finally:
        service.machine.shell("rm -r /etc/systemd/system/binlog-ssld.service.d;"
                              f"rm -f {directory}/binlog-ssld.prom")


RELOAD = ("import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]);"
          "s.sendall(b'{\"method\":\"io.binlogssl.Manager.Reload\"}\\0');"
          "print(s.recv(4096).decode().rstrip('\\0'), end='')")


def reload_as(service: Installed, user: str) -> str:
    return service.machine.run("runuser", "-u", user, "--", "/usr/bin/python3", "-c", RELOAD,
                               SOCKET_PATH).stdout


def test_material_below_home_is_readable_with_a_drop_in(service: Installed):
    service.machine.shell("install -d -m 2750 -g binlog-ssld /home/tls;"
                          f"cp -a {MATERIAL}/. /home/tls")
    service.configure(material="directory = /home/tls")
    service.start()
    service.wait(lambda: "file-unreadable" in service.show("StatusText"))
    service.drop_in("ProtectHome=read-only")
    service.systemctl("restart")
    service.wait_imports(1)


@pytest.mark.parametrize("encrypted", [False, True])
def test_a_password_as_a_credential(service: Installed, encrypted: bool):
    service.machine.shell("mkdir -p -m 0700 /etc/binlog-ssld/credentials")
    path = "/etc/binlog-ssld/credentials/orders"
    service.machine.write(path, IMPORT_PASSWORD + "\n", "0600")
    if encrypted:
        service.machine.shell("systemd-creds setup && systemd-creds encrypt --with-key=host "
                              f"--name=orders {path} {path}.cred && rm {path}")
        service.drop_in(f"LoadCredentialEncrypted=orders:{path}.cred")
    else:
        service.drop_in(f"LoadCredential=orders:{path}")
    service.configure(password="password-credential = orders")
    service.start()
    service.wait_imports(1)
    done = service.ctl("--json", "check-clusters")
    assert done.returncode == 0 and '"good":true' in done.stdout


def test_the_key_of_another_group_is_read_with_a_supplementary_group(service: Installed):
    service.machine.shell("groupadd --force --system tls-keys;"
                          "chgrp tls-keys /etc/binlog-ssld/material/client-key.pem")
    service.start()
    service.wait(lambda: "file-unreadable" in service.ctl("status").stdout)
    service.drop_in("SupplementaryGroups=tls-keys")
    service.systemctl("restart")
    service.wait_imports(1)


def test_the_directories_of_certbot_are_readable_as_in_the_readme(service: Installed):
    """First only root can read them; the links in live/ point to archive/."""
    service.machine.shell("""
        mkdir -p /etc/letsencrypt; umask 077
        mkdir -p /etc/letsencrypt/live/orders /etc/letsencrypt/archive/orders
        cd /etc/letsencrypt/archive/orders
        cp /etc/binlog-ssld/material/client-key.pem privkey1.pem
        cp /etc/binlog-ssld/material/client-cert.pem cert1.pem
        cp /etc/binlog-ssld/material/ca.pem chain1.pem
        chmod 0644 cert1.pem chain1.pem; chmod 0600 privkey1.pem
        cd ../../live/orders
        for name in privkey cert chain; do ln -s ../../archive/orders/${name}1.pem $name.pem; done
    """)
    service.configure(material="directory = /etc/letsencrypt/live/orders\nca = chain.pem\n"
                      "cert = cert.pem\nkey = privkey.pem")
    service.start()
    service.wait(lambda: "file-unreadable" in service.ctl("status").stdout)
    service.machine.shell("""
        cd /etc/letsencrypt
        chgrp binlog-ssld live live/orders archive archive/orders archive/orders/privkey1.pem
        chmod 0750 live live/orders archive archive/orders
        chmod 0640 archive/orders/privkey1.pem
    """)
    service.wait_imports(1)
    service.wait(lambda: '"watch":"inotify"' in service.ctl("--json", "status").stdout)


def test_check_clusters_with_a_credential_of_systemd_run(service: Installed):
    """The command line of binlog-ssld(8)."""
    service.machine.shell("mkdir -p -m 0700 /etc/binlog-ssld/credentials")
    path = "/etc/binlog-ssld/credentials/checked"
    service.machine.write(path, IMPORT_PASSWORD + "\n", "0600")
    service.configure(password="password-credential = orders")
    done = service.machine.run(
        "systemd-run", "--pipe", "--wait", "--quiet", "-p", "User=binlog-ssld",
        "-p", f"LoadCredential=orders:{path}",
        "binlog-ssld", "--check-clusters", "--json")
    assert '"good":true' in done.stdout
