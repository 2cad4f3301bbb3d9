"""The work itself, under the unit's own sandbox."""

import re

import pytest

from tests.service.installed import EXAMPLES, MATERIAL, SOCKET_PATH, Installed
from tests.service.names import NameServer
from tests.standin.cluster import IMPORT_PASSWORD


def test_a_first_import_and_three_rotations(service: Installed):
    service.start()
    service.wait_imports(1)
    for number in (2, 3, 4):
        pair = service.rotate()
        service.wait_imports(number)
        assert service.aurora.imports()[-1]["ssl_cert"] == pair.certificate.read_text()
    assert service.show("StatusText").startswith("1/1 clusters current, certificate valid until 20")
    assert service.ctl("status").returncode == 0
    assert "TLS" in str(service.aurora.imports()[0]["cipher"])


def test_events_and_mounts_reach_it_without_any_poll(service: Installed):
    service.configure(poll="1h")
    service.start()
    service.wait_imports(1)
    service.rotate()
    service.wait_imports(2)
    # Another set behind the same path, as a renewed volume brings it.
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


def test_the_exposure_is_small_and_the_units_raise_no_word(service: Installed):
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
        assert names.asked > 0
    finally:
        names.close()
        service.machine.shell("mv /etc/resolv.conf.before /etc/resolv.conf;"
                              "rm /usr/local/share/ca-certificates/standin.crt")


def test_no_process_of_it_has_a_capability_or_may_get_one(service: Installed):
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


def test_the_manager_goes_before_its_importers(service: Installed):
    service.aurora.set_option("slow_seconds", "2")
    service.start()
    service.wait(lambda: bool(service.importers()))
    nice = [service.machine.shell(f"ps -o ni= -p {pid}").strip()
            for pid in (service.show("MainPID"), service.importers()[0])]
    assert nice == ["-10", "0"]


# More memory than an importer is allowed, as an interpreter with its libraries may want it.
TOKEN = """#!/usr/bin/python3
import sys, time
print("made for", sys.argv[1], file=sys.stderr)
memory = b"x" * (200 << 20)
with open("/etc/binlog-ssld/password") as file:
    print(file.read(), end="", flush=True)
time.sleep(0.3)  # the journal asks whose words these were
"""


def test_a_command_for_passwords_runs_in_it_and_complains_to_the_journal(service: Installed):
    service.machine.write("/usr/local/bin/token", TOKEN, "0755")
    service.configure(password='password-command = /usr/local/bin/token "orders; $HOME"')
    service.start()
    service.wait_imports(1)
    said = [entry for entry in service.entries() if entry["MESSAGE"] == "made for orders; $HOME"]
    assert [entry["_SYSTEMD_UNIT"] for entry in said] == ["binlog-ssld.service"]
    assert IMPORT_PASSWORD not in service.messages()


def test_the_plugins_are_where_the_program_looks_for_them(service: Installed):
    """libmariadb3's own, whichever the architecture."""
    found = service.machine.shell("grep -aoE '/usr/lib/[a-z0-9_-]+/libmariadb3/plugin' "
                                  "/usr/sbin/binlog-ssld")
    (directory,) = set(found.split())
    files = service.machine.run("dpkg", "--listfiles", "libmariadb3").stdout.splitlines()
    assert f"{directory}/caching_sha2_password.so" in files


def test_what_the_sandbox_is_there_to_refuse_is_refused(service: Installed):
    service.machine.shell("touch /home/probe /tmp/probe")
    service.drop_in("Type=oneshot\nWatchdogSec=0\nExecStart=\n"
                    "ExecStart=/usr/bin/python3 -B /source/tests/service/probe.py")
    service.systemctl("start", check=False)
    said = [entry["MESSAGE"] for entry in service.entries() if entry["_COMM"] == "python3"]
    assert said == ["ended"]


def test_who_is_in_the_control_group_is_seen_at_a_price(service: Installed):
    service.machine.shell("groupadd --force dba; id carol || useradd --groups dba carol")
    service.configure(daemon="control-group = dba")
    service.start()
    assert ask_for_reload(service, "root") == '{"parameters":{}}'
    assert "PermissionDenied" in ask_for_reload(service, "carol")
    service.drop_in(service.machine.shell(f"cat {EXAMPLES}/control-group.conf"))
    done = service.machine.run("systemd-analyze", "security", "--threshold=12", "binlog-ssld")
    assert "Overall exposure level for binlog-ssld.service: 1.2" in done.stdout
    service.systemctl("restart")
    assert ask_for_reload(service, "carol") == '{"parameters":{}}'
    assert "PermissionDenied" in ask_for_reload(service, "nobody")
    service.wait_imports(1)


def test_metrics_are_written_where_a_site_allows_it(service: Installed):
    place = "/var/lib/node-exporter"
    service.machine.shell(f"install -d -m 2775 -g binlog-ssld {place}")
    service.configure(daemon=f"metrics-file = {place}/binlog-ssld.prom")
    service.start()
    service.wait_imports(1)
    service.wait(lambda: "Read-only file system" in service.messages())
    service.drop_in(f"ReadWritePaths={place}")
    service.systemctl("restart")
    service.wait(lambda: "binlog_ssld_" in service.machine.shell(f"cat {place}/* || true"))
    assert service.machine.shell(f"stat -c %a {place}/binlog-ssld.prom") == "644\n"


RELOAD = ("import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]);"
          "s.sendall(b'{\"method\":\"io.binlogssl.Manager.Reload\"}\\0');"
          "print(s.recv(4096).decode().rstrip('\\0'), end='')")


def ask_for_reload(service: Installed, user: str) -> str:
    return service.machine.run("runuser", "-u", user, "--", "/usr/bin/python3", "-c", RELOAD,
                               SOCKET_PATH).stdout


def test_what_lies_below_home_is_shown_read_only_where_a_site_says_so(service: Installed):
    service.machine.shell("install -d -m 2750 -g binlog-ssld /home/tls;"
                          f"cp -a {MATERIAL}/. /home/tls")
    service.configure(material="directory = /home/tls")
    service.start()
    service.wait(lambda: "file-unreadable" in service.show("StatusText"))
    service.drop_in("ProtectHome=read-only")
    service.systemctl("restart")
    service.wait_imports(1)


@pytest.mark.parametrize("encrypted", [False, True])
def test_a_password_comes_as_a_credential(service: Installed, encrypted: bool):
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


def test_the_key_of_another_group_is_read_with_a_supplementary_group(service: Installed):
    service.machine.shell("groupadd --force --system tls-keys;"
                          "chgrp tls-keys /etc/binlog-ssld/material/client-key.pem")
    service.start()
    service.wait(lambda: "file-unreadable" in service.ctl("status").stdout)
    service.drop_in("SupplementaryGroups=tls-keys")
    service.systemctl("restart")
    service.wait_imports(1)


def test_the_tree_that_certbot_keeps_is_read_as_the_readme_tells(service: Installed):
    """Private to root at first; the links of live/ lead into archive/."""
    service.machine.shell("""
        mkdir /etc/letsencrypt; umask 077
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


def test_the_clusters_are_checked_with_the_credentials_that_systemd_hands_over(service: Installed):
    """The line of the manual, which people copy."""
    service.machine.shell("mkdir -p -m 0700 /etc/binlog-ssld/credentials")
    path = "/etc/binlog-ssld/credentials/checked"
    service.machine.write(path, IMPORT_PASSWORD + "\n", "0600")
    service.configure(password="password-credential = orders")
    done = service.machine.run(
        "systemd-run", "--pipe", "--wait", "--quiet", "-p", "User=binlog-ssld",
        "-p", f"LoadCredential=orders:{path}",
        "binlog-ssld", "--check-clusters", "--json")
    assert '"good":true' in done.stdout
