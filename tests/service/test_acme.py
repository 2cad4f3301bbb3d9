"""The recipes for renewal tools in binlog-ssld(8), KEY FILE, with the tools and a test server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from tests.service.installed import EXAMPLES, MATERIAL, Installed
from tests.service.package import SOURCE

FOLDER = "/run/pebble"
SERVER = "https://localhost:14000/dir"
NAME = "replica.example.com"
HOOK = "/usr/local/sbin/binlog-ssld-acme"

PEBBLE = {"pebble": {
    "listenAddress": "127.0.0.1:14000", "managementListenAddress": "127.0.0.1:15000",
    "certificate": f"{FOLDER}/cert.pem", "privateKey": f"{FOLDER}/key.pem",
    "httpPort": 5002, "tlsPort": 5001, "ocspResponderURL": ""}}


def recipe(tool: str) -> list[str]:
    """The literal blocks below a tool in the manual, with the name of this test."""
    manual = (SOURCE / "man" / "binlog-ssld.8").read_text()
    section, = re.findall(rf"^\.It {tool}\n(.*?)^(?:\.It |\.El)", manual, re.M | re.S)
    blocks = re.findall(r"^\.Bd -literal\n(.*?)^\.Ed", section, re.M | re.S)
    return [block.replace("\\e", "\\").replace("NAME", NAME) for block in blocks]


@pytest.fixture
def running(service: Installed) -> Iterator[Installed]:
    """Without a material."""
    service.machine.shell(f"rm -rf {MATERIAL}/*")
    service.start()
    yield service
    service.machine.shell(f"rm -rf {MATERIAL}/*")


@pytest.fixture
def acme(running: Installed) -> Iterator[Installed]:
    """An ACME server that confirms every challenge."""
    machine = running.machine
    machine.shell(f"""mkdir {FOLDER}
        openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost \
            -addext subjectAltName=DNS:localhost -keyout {FOLDER}/key.pem \
            -out {FOLDER}/cert.pem 2>/dev/null""")
    machine.write(f"{FOLDER}/config.json", json.dumps(PEBBLE))
    machine.shell(f"""systemd-run --quiet --unit=test-pebble -E PEBBLE_VA_NOSLEEP=1 \
        -E PEBBLE_VA_ALWAYS_VALID=1 -E PEBBLE_WFE_NONCEREJECT=0 \
        pebble -config {FOLDER}/config.json""")
    running.wait(lambda: machine.run("curl", "--silent", "--cacert", f"{FOLDER}/cert.pem", SERVER,
                                     check=False).returncode == 0)
    yield running
    machine.shell(f"systemctl stop test-pebble; rm -rf {FOLDER} {HOOK} /etc/default/binlog-ssld-hook")


def assert_imported_once_each(service: Installed, renew: str, number: int = 3) -> None:
    """`renew` makes a new certificate each time; the first is there."""
    service.wait_imports(1)
    for n in range(2, number + 1):
        service.machine.shell(renew)
        service.wait_imports(n)


def test_certbot(acme: Installed):
    commands, material = recipe("certbot")
    assert "certbot certonly --key-type rsa " in commands
    options = f"-n --agree-tos --register-unsafely-without-email --server {SERVER} --standalone" \
        " --http-01-port 5002"
    commands = commands.replace("certonly ", f"certonly {options} ")
    acme.machine.shell(f"export REQUESTS_CA_BUNDLE={FOLDER}/cert.pem\n{commands}")
    acme.configure(material=material.replace("[material default]\n", ""))
    acme.systemctl("reload")
    assert_imported_once_each(acme, f"REQUESTS_CA_BUNDLE={FOLDER}/cert.pem certbot renew "
                              "--force-renewal --no-random-sleep-on-renew")


def test_lego(acme: Installed):
    acme.machine.shell(recipe("lego, dehydrated")[0])
    lego = (f"LEGO_CA_CERTIFICATES={FOLDER}/cert.pem lego --server {SERVER} --accept-tos"
            f" --email a@example.com --path /run/lego --domains {NAME} --http --http.port :5002"
            " --key-type rsa2048")
    acme.machine.shell(f"{lego} run --run-hook {HOOK}")
    assert_imported_once_each(
        acme, f"{lego} renew --days 9999 --no-random-sleep --renew-hook {HOOK}")


def test_dehydrated(acme: Installed):
    acme.machine.shell(recipe("lego, dehydrated")[0])
    acme.machine.write("/run/dehydrated.conf", f"""CA={SERVER}
BASEDIR=/run/dehydrated
WELLKNOWN=/run/dehydrated/challenges
KEY_ALGO=rsa
KEYSIZE=2048
HOOK={HOOK}
""")
    dehydrated = (f"CURL_CA_BUNDLE={FOLDER}/cert.pem dehydrated --config /run/dehydrated.conf"
                  f" --domain {NAME}")
    acme.machine.shell(f"mkdir -p /run/dehydrated/challenges; {dehydrated} --register"
                       f" --accept-terms; {dehydrated} --cron")
    assert_imported_once_each(acme, f"{dehydrated} --cron --force")


def test_certmonger(running: Installed):
    """With the CA of certmonger itself."""
    machine = running.machine
    machine.shell("systemctl start dbus certmonger")
    machine.shell(recipe("certmonger")[0].replace("-c CA", "-c local"))
    try:
        assert_imported_once_each(running, "getcert resubmit -w -i binlog-ssld")
        machine.shell("getcert rekey -w -i binlog-ssld")
        running.wait_imports(4)
        shown = machine.shell(f"stat -c '%U %G %a %n' {MATERIAL}/*").splitlines()
        assert shown == [f"root binlog-ssld {mode} {MATERIAL}/{name}" for mode, name in (
            ("644", "ca.pem"), ("644", "client-cert.pem"), ("640", "client-key.pem"))]
    finally:
        machine.shell("getcert stop-tracking -i binlog-ssld; systemctl stop certmonger")


def test_the_hook_ignores_other_names_and_events(running: Installed):
    machine = running.machine
    hook = f"{EXAMPLES}/hooks/acme-deploy"
    assert machine.run(hook, "deploy_challenge", NAME, check=False).returncode == 0
    machine.write("/run/hook", f"LINEAGE={NAME}\n")
    call = ["env", "BINLOG_SSL_HOOK_SETTINGS=/run/hook", hook, "deploy_cert"]
    assert machine.run(*call, "other", "a", "b", "c", "d", check=False).returncode == 0
    done = machine.run(*call, NAME, "a", "b", "c", "d", check=False)
    assert done.returncode == 1 and "nothing was replaced" in done.stderr
    assert machine.shell(f"ls -A {MATERIAL}") == ""
