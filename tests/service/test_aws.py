"""The examples for the AWS CLI, each of which serves all clusters, in the sandbox of the unit."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.conftest import NAMES
from tests.service.installed import CONFIGURATION, EXAMPLES, Installed
from tests.standin.client import quoted
from tests.standin.cluster import IMPORT_PASSWORD, IMPORT_USER

COMMAND = Path(__file__).with_name("aws_command.py")
FILES = "/etc/binlog-ssld/aws"
SECRETS_HOST = "secrets.standin.test"
USERS = {NAMES[0]: IMPORT_USER, NAMES[1]: "billing_importer"}
PASSWORDS = {NAMES[0]: IMPORT_PASSWORD, NAMES[1]: "the other \"importer\" of the stand-in\\"}


class SecretsManager(http.server.BaseHTTPRequestHandler):
    """Answers with the secret of a cluster: /binlog-ssld/HOST."""

    def do_GET(self) -> None:
        host = self.path.removeprefix("/binlog-ssld/")
        text = json.dumps({"username": USERS[host], "password": PASSWORDS[host], "host": host})
        self.send_response(200)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def secrets_manager(service: Installed) -> Iterator[int]:
    with service.machine.network():
        server = http.server.HTTPServer(("127.0.0.1", 0), SecretsManager)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def aws(service: Installed, secrets_manager: int) -> Iterator[Installed]:
    """The command, its files with a role, and a second cluster with a user of its own."""
    machine, billing = service.machine, USERS[NAMES[1]]
    machine.write("/usr/bin/aws", COMMAND.read_text(), "0755")
    machine.shell(f"install -d -m 2750 -g binlog-ssld {FILES}; rm -rf /run/binlog-ssld/.aws;"
                  "cp /etc/hosts /etc/hosts.before;"
                  f"echo 127.0.0.1 {NAMES[1]} {SECRETS_HOST} >>/etc/hosts")
    machine.write(f"{FILES}/config", "[default]\nrole_arn = arn:aws:iam::123456789012:role/import\n"
                  f"endpoint_url = http://{SECRETS_HOST}:{secrets_manager}\n", "0640")
    machine.write(f"{FILES}/credentials", "[default]\naws_access_key_id = AKIDEXAMPLE\n"
                  "aws_secret_access_key = of the stand-in\n", "0640")
    service.aurora.sql(f"""
        CREATE USER {billing}@'%' IDENTIFIED BY {quoted(PASSWORDS[NAMES[1]])} REQUIRE SSL;
        GRANT EXECUTE ON PROCEDURE mysql.rds_import_binlog_ssl_material TO {billing}@'%';
        GRANT REPLICA MONITOR ON *.* TO {billing}@'%'""")
    service.configure(password="", cluster=f"""[cluster billing]
host = {NAMES[1]}
port = {service.aurora.port}
user = {billing}
server-ca = /etc/binlog-ssld/rds.pem""")
    yield service
    service.aurora.sql(f"DROP USER {billing}@'%'; ALTER USER {IMPORT_USER}@'%' "
                       f"IDENTIFIED BY {quoted(IMPORT_PASSWORD)} REQUIRE SSL")
    machine.shell(f"mv /etc/hosts.before /etc/hosts; rm -r /usr/bin/aws {FILES}")


def use_example(service: Installed, name: str) -> None:
    service.machine.shell(f"mkdir -p {CONFIGURATION}.d; cp {EXAMPLES}/{name} {CONFIGURATION}.d/")


def use_drop_in(service: Installed) -> None:
    service.drop_in(service.machine.shell(f"cat {EXAMPLES}/aws-cli.conf"))


def tokens(service: Installed) -> list[str]:
    """The token of each cluster; its user has it as the password from now on."""
    made = []
    for host, user in USERS.items():
        token = service.machine.shell(
            f"AWS_CONFIG_FILE={FILES}/config AWS_SHARED_CREDENTIALS_FILE={FILES}/credentials "
            "HOME=/tmp aws rds generate-db-auth-token --region eu-west-1 "
            f"--hostname {host} --port {service.aurora.port} --username {user}").strip()
        service.aurora.sql(f"ALTER USER {user}@'%' IDENTIFIED BY {quoted(token)} REQUIRE SSL")
        made.append(token)
    return made


def clusters(service: Installed) -> list[dict]:
    done = service.ctl("--json", "status")
    return json.loads(done.stdout)["clusters"] if done.stdout else []


def wait_states(service: Installed, state: str) -> list[dict]:
    service.wait(lambda: [cluster["state"] for cluster in clusters(service)] == [state] * 2)
    return clusters(service)


def output(service: Installed) -> str:
    return service.messages() + service.ctl("--json", "status").stdout


def test_one_command_makes_the_iam_token_of_every_cluster(aws: Installed):
    use_example(aws, "aws-iam.conf")
    use_drop_in(aws)
    made = tokens(aws)
    assert len(set(made)) == 2 and min(map(len, made)) > 1000
    aws.start()
    wait_states(aws, "current")
    assert len(aws.aurora.imports()) == 2
    assert all(token[-128:] not in output(aws) for token in made)
    assert aws.machine.shell("stat -c '%a %U' /run/binlog-ssld/.aws") == "700 binlog-ssld\n"


def test_one_command_reads_the_secret_of_every_cluster(aws: Installed):
    use_example(aws, "aws-secrets-manager.conf")
    use_drop_in(aws)
    aws.start()
    wait_states(aws, "current")
    assert len(aws.aurora.imports()) == 2
    for secret in (*PASSWORDS.values(), '"username"'):
        assert secret not in output(aws)
        assert json.dumps(secret)[1:-1] not in output(aws)


@pytest.mark.parametrize("variables, message", [
    ("", "Unable to locate credentials"),
    (f"Environment=AWS_CONFIG_FILE={FILES}/config AWS_SHARED_CREDENTIALS_FILE={FILES}/credentials",
     "Read-only file system: '/nonexistent'"),
])
def test_without_a_variable_of_the_drop_in_the_command_fails(
        aws: Installed, variables: str, message: str):
    use_example(aws, "aws-secrets-manager.conf")
    aws.drop_in(variables)
    aws.start()
    for cluster in wait_states(aws, "retrying"):
        assert cluster["outcome"] == "auth"
        assert "no password: /usr/bin/aws exited with status 1" in cluster["reason"]
    assert message in "\n".join(entry["MESSAGE"] for entry in aws.entries())
    use_drop_in(aws)
    aws.systemctl("restart")
    wait_states(aws, "current")
