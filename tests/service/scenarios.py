"""The faults of a night on call, each with what an operator does who reads the page of status."""

from __future__ import annotations

import re

from tests.service.conftest import NAMES
from tests.service.installed import DROP_INS, MATERIAL, STATE, Installed
from tests.service.name_server import NameServer
from tests.service.night import NO_RETRY, SCENARIOS, Night, Page, Play, scenario
from tests.standin import Authority
from tests.standin.cluster import IMPORT_USER

__all__ = ["SCENARIOS"]

PASSWORD, SERVER_CA = "/etc/binlog-ssld/password", "/etc/binlog-ssld/rds.pem"
FILES = ("ca.pem", "client-cert.pem", "client-key.pem")
IMPORT = "rds_import_binlog_ssl_material"
DAY = 86400.0


def section(name: str, host: str, port: int, password: str = PASSWORD) -> str:
    return f"""[cluster {name}]
host = {host}
port = {port}
user = {IMPORT_USER}
password-file = {password}
server-ca = {SERVER_CA}
"""


def run_statement(service: Installed, page: Page, pattern: str) -> None:
    """Runs the statement of the next step on the cluster, as its administrator."""
    statement = re.match(pattern, page.part("next"))
    assert statement, page.lines
    service.aurora.sql(statement[1])


def replicates(service: Installed) -> bool:
    """The status says so; after a reload there is none until it is read."""
    replication = service.cluster()["replication"]
    return replication is not None and replication["io_running"] == "Yes"


@scenario(2, "orders: Access denied for user", "check the user ssl_importer")
def wrong_password_file(night: Night) -> Play:
    service = night.service
    night.undo.callback(service.secrets)
    service.machine.write(PASSWORD, "another password\n", "0640")
    service.rotate()
    service.wait_cluster("held")
    page = yield
    assert PASSWORD in page.part("next")
    service.secrets()
    night.run(page)


@scenario(2, "orders: execute command denied to user", f"GRANT EXECUTE ON PROCEDURE mysql.{IMPORT}")
def missing_grant(night: Night) -> Play:
    service = night.service
    night.undo.callback(service.aurora.grant, IMPORT)
    service.aurora.revoke(IMPORT)
    service.rotate()
    service.wait_cluster("held")
    page = yield
    run_statement(service, page, "(GRANT [^;]+);")
    night.run(page)


@scenario(2, "material default invalid: key-mismatch", "write the key that belongs to")
def mismatching_key(night: Night) -> Play:
    service = night.service
    right = service.machine.shell(f"cat {MATERIAL}/client-key.pem")
    service.replace("client-key.pem", service.authority.issue_client("other").key.read_text())
    night.wait_material("invalid")
    yield
    service.replace("client-key.pem", right)


@scenario(2, "material default invalid: pem-malformed", "have the renewal tool write it again")
def certificate_cut_short(night: Night) -> Play:
    service = night.service
    whole = service.machine.shell(f"cat {MATERIAL}/client-cert.pem")
    service.replace("client-cert.pem", whole[:len(whole) // 2])
    night.wait_material("invalid")
    yield
    service.rotate()


@scenario(2, "material default invalid: file-unreadable", "give the service's user the right")
def closed_directory(night: Night) -> Play:
    machine = night.service.machine
    night.undo.callback(machine.shell, f"chmod 2750 {MATERIAL}")
    machine.shell(f"chmod 0700 {MATERIAL}")
    night.wait_material("invalid")
    page = yield
    assert page.part("why") == f"{MATERIAL}: cannot be entered: Permission denied"
    command = page.part("run")
    assert command == "binlog-sslctl explain default"
    explained = machine.run(*command.split(), check=False).stdout
    fix = re.search(r"^next step\n.*\n {6}(.*)$", explained, re.M)
    assert fix, explained
    machine.shell(fix[1])


@scenario(2, "material default expired: cert-expired", "renew the certificate")
def expired_set(night: Night) -> Play:
    night.service.rotate(valid=(-10 * DAY, -DAY))
    night.wait_material("expired")
    yield
    night.service.rotate()


@scenario(1, "1/1 clusters current; material default expiring on 2[-0-9]{9}: ",
          "renew it; check the renewal tool's timer")
def set_that_expires_in_six_days(night: Night) -> Play:
    night.service.rotate(valid=(-300 * DAY, 6 * DAY))
    night.wait_material("expiring")
    night.service.wait_imports(2)
    page = yield
    assert "expires in 5d 23h" in page.part("note")
    night.service.rotate()


@scenario(2, "material default invalid: chain-broken", "write the CA that issued the certificate")
def broken_chain(night: Night) -> Play:
    service = night.service
    service.replace("ca.pem", service.aurora.ca.read_text())
    night.wait_material("invalid")
    yield
    service.replace("ca.pem", service.authority.certificate.read_text())


@scenario(1, "orders: this server is a reader", "host must be the cluster endpoint")
def reader_instead_of_writer(night: Night) -> Play:
    service, other = night.service, night.other

    def restart(*options: str) -> None:
        with service.machine.network():
            other.restart(options)

    night.undo.callback(restart)
    restart("--innodb-read-only")
    night.reload(port=other.port)
    service.wait_cluster("retrying")
    yield
    night.reload()


@scenario(2, "orders: the server would write the key to a", "GRANT ")
def general_log(night: Night) -> Play:
    """With the privilege the session turns that log off."""
    service = night.service
    night.undo.callback(service.aurora.sql, "SET GLOBAL general_log = 0;"
                                            f"REVOKE SUPER ON *.* FROM {IMPORT_USER}@'%'")
    service.aurora.sql("SET GLOBAL general_log = 1")
    service.rotate()
    service.wait_cluster("held")
    page = yield
    assert page.part("why").endswith(": general_log = ON")
    run_statement(service, page, "(GRANT [^;]+);")
    night.run(page)


@scenario(1, "orders: unable to get local issuer certificate", "server-ca lacks the CA that")
def wrong_server_ca(night: Night) -> Play:
    service = night.service
    night.undo.callback(service.secrets)
    service.machine.write(SERVER_CA, service.authority.certificate.read_text())
    service.rotate()
    service.wait_cluster("retrying")
    page = yield
    service.secrets()
    night.run(page)


@scenario(1, "orders: unable to get local issuer certificate", "server-ca lacks the CA that")
def server_certificate_of_a_new_ca(night: Night) -> Play:
    """Of the same name as the CA in server-ca, with another key."""
    service, aurora = night.service, night.service.aurora
    successor = Authority(aurora.directory / "successor", "RDS stand-in CA")
    pair = successor.issue_server(*NAMES)
    certificate = aurora.private_file("new-cert.pem", pair.certificate.read_bytes())
    key = aurora.private_file("new-key.pem", pair.key.read_bytes())

    def restart(*options: str) -> None:
        with service.machine.network():
            aurora.restart(options)

    night.undo.callback(restart)
    night.undo.callback(service.secrets)
    restart(f"--ssl-cert={certificate}", f"--ssl-key={key}")
    service.rotate()
    service.wait_cluster("retrying")
    page = yield
    assert page.part("why").endswith(", but another of that name signed")
    service.machine.write(SERVER_CA, successor.certificate.read_text())
    night.run(page)


@scenario(1, "orders: Unknown server host 'order.standin", "check host, port, name resolution")
def name_that_does_not_resolve(night: Night) -> Play:
    service = night.service
    night.undo.callback(service.machine.shell, "mv /etc/resolv.conf.before /etc/resolv.conf")
    service.machine.shell("cp /etc/resolv.conf /etc/resolv.conf.before;"
                          "echo nameserver 127.0.0.1 >/etc/resolv.conf")
    with service.machine.network():
        night.undo.callback(NameServer("orders.standin.test").close)
    night.reload(host="order.standin.test")
    service.wait_cluster("retrying")
    yield
    night.reload(host="orders.standin.test")


@scenario(1, "2/3 clusters current; billing: Can't connect to server", "check host, port")
def one_of_three_clusters_down(night: Night) -> Play:
    service, other = night.service, night.other

    def start() -> None:
        with service.machine.network():
            other.restart()

    night.reload(cluster=section("billing", "localhost", other.port)
                 + section("users", "users.standin.test", service.aurora.port))
    night.wait_clusters(*["current"] * 3)
    night.undo.callback(start)
    other.kill()
    service.rotate()
    night.wait_clusters("retrying", "current", "current")
    page = yield
    start()
    night.run(page)


@scenario(1, "1/1 clusters current; configuration refused: unknown key check-",
          "correct the file and reload")
def typo_at_reload(night: Night) -> Play:
    service = night.service
    service.configure(daemon="check-intervall = 1min", retry=NO_RETRY)
    assert service.systemctl("reload", check=False).returncode == 1
    page = yield
    assert "binlog-ssld.conf:4: unknown key check-intervall" in page.part("why")
    service.configure(retry=NO_RETRY)
    night.run(page)


@scenario(3, "start.*: .*binlog-ssld.conf:4: unknown key check-intervall", "")
def typo_at_restart(night: Night) -> Play:
    service = night.service
    service.configure(daemon="check-intervall = 1min", retry=NO_RETRY)
    assert service.systemctl("restart", check=False).returncode == 1
    page = yield
    service.configure(retry=NO_RETRY)
    service.machine.shell(page.headline().partition("when that is mended: ")[2])


@scenario(3, "", "")
def stopped_daemon(night: Night) -> Play:
    night.service.stop()
    page = yield
    said, _, command = page.headline().partition("; fix: ")
    assert said == "binlog-ssld is stopped"
    night.service.machine.shell(command)


@scenario(1, "orders: No space left on device: the record", "make room there, see df")
def full_disk(night: Night) -> Play:
    service = night.service
    service.stop()
    service.machine.shell(f"mount -t tmpfs -o size=16k,mode=0700,uid=binlog-ssld,gid=binlog-ssld "
                          f"tmpfs {STATE}")
    service.start()
    service.wait_imports(2)
    service.machine.shell(f"head -c 16384 /dev/zero >{STATE}/fill || true")
    service.rotate()
    service.wait_imports(3)
    service.wait(lambda: not night.is_well())
    page = yield
    assert page.part("why").endswith(f" to {STATE}")
    service.machine.shell(f"rm {STATE}/fill")


@scenario(3, "", "")
def daemon_that_dies_at_each_start(night: Night) -> Play:
    """Killed by a sandbox that is too narrow. The unit has no limit of starts."""
    service = night.service
    service.stop()
    service.drop_in("SystemCallFilter=~epoll_create1:kill\nRestartSec=100ms")
    assert service.systemctl("start", check=False).returncode == 1
    service.wait(lambda: int(service.show("NRestarts")) > 1)
    page = yield
    said = re.match(r"binlog-ssld ends whenever it is started \(.*\d+ restarts so far\); "
                    "see: (.+); when the cause is mended, it starts by itself$", page.headline())
    assert said, page.lines
    assert "status=31/SYS" in service.machine.shell(said[1])
    service.machine.shell(f"rm -r {DROP_INS}; systemctl daemon-reload")


def replicate(night: Night, replication: str) -> None:
    """The source requires the certificate of the set that is imported."""
    service, aurora = night.service, night.service.aurora
    night.undo.callback(aurora.sql, "STOP SLAVE; RESET SLAVE ALL")
    night.source.require_subject(service.rotate().subject)
    service.wait_imports(2)
    aurora.follow(night.source)
    aurora.start_replication()
    night.reload(daemon="check-interval = 100ms", cluster=f"replication = {replication}")
    service.wait(lambda: replicates(service))


@scenario(1, "orders: replication is stopped, not by binlog-",
          "if that is intended, nothing; to start it: CALL")
def stopped_replica(night: Night) -> Play:
    service, aurora = night.service, night.service.aurora
    replicate(night, "observe")
    aurora.sql("CALL mysql.rds_stop_replication()")
    service.wait(lambda: not night.is_well())
    page = yield
    run_statement(service, page, r".*; to start it: (CALL \S+) on the cluster")


def write_set_of_another_ca(night: Night) -> None:
    service = night.service
    service.machine.shell(f"cp -a {MATERIAL} {MATERIAL}.before")
    night.undo.callback(service.machine.shell, f"rm -r {MATERIAL}.before")
    stranger = Authority(service.aurora.directory / "stranger", "CA of somebody else")
    pair = stranger.issue_client("stranger")
    for name, path in zip(FILES, (stranger.certificate, *pair[:2])):
        service.replace(name, path.read_text())


def write_set_before(night: Night, page: Page) -> None:
    assert "write the set before it to disk" in page.part("next")
    night.service.machine.shell(f"cp -a {MATERIAL}.before/* {MATERIAL}")


REFUSES = "the source ends each conn"  # after a second connect


@scenario(2, "orders: replication does not run: error 20(13|26):", REFUSES)
def source_that_does_not_know_the_ca_of_a_new_set(night: Night) -> Play:
    replicate(night, "restart")
    write_set_of_another_ca(night)
    night.service.wait_cluster("held")
    page = yield
    write_set_before(night, page)


@scenario(2, "orders: replication I/O thread .error 20(13|26)", REFUSES)
def source_that_is_asked_again_after_such_a_set(night: Night) -> Play:
    """Nothing has failed until the network between the two does."""
    service, aurora = night.service, night.service.aurora
    replicate(night, "observe")
    before = service.cluster()["imported_fingerprint"]
    write_set_of_another_ca(night)
    service.wait_imports(3)
    aurora.sql("STOP SLAVE IO_THREAD; START SLAVE IO_THREAD")
    service.wait_imports(4)  # once more, as the instance may have lost the set
    service.wait(lambda: (service.cluster()["next_step"] or "").startswith(REFUSES))
    page = yield
    write_set_before(night, page)
    service.wait(lambda: service.cluster()["imported_fingerprint"] == before)
    aurora.sql("STOP SLAVE IO_THREAD; START SLAVE IO_THREAD")


@scenario(2, "37/40 clusters current; c03: Access denied for user", "check the user ssl_importer",
          "--problems")
def three_of_forty_clusters(night: Night) -> Play:
    """They are explained once, and the page fits a screen."""
    service, machine, other = night.service, night.service.machine, "/etc/binlog-ssld/other"
    machine.write(other, "another password\n", "0640")
    machine.shell(f"chgrp binlog-ssld {other}")
    night.reload(cluster="".join(
        section(name, f"{name}.standin.test", service.aurora.port,
                other if name in ("c03", "c17", "c31") else PASSWORD)
        for name in (f"c{number:02}" for number in range(1, 40))))
    night.wait_clusters(*["current"] * 37, *["held"] * 3)
    page = yield
    assert len(page.lines) <= 24
    machine.shell(f"cp {PASSWORD} {page.part('next').split()[-1]}")
    assert page.part("run") == "binlog-sslctl import --wait c03 c17 c31"
    night.run(page)
