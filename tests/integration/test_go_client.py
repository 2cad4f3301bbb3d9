"""A client in Go, from the generator of varlink-go as the manual describes it."""

import os
import re
import subprocess
from pathlib import Path

from tests.standin.service import Service

MANUAL = Path(__file__).resolve().parents[2] / "man" / "io.binlogssl.Manager.7"

CONFIGURATION = """[material default]
directory = {0}
[cluster orders]
host = localhost
port = 1
user = ssl_importer
password-file = {0}/password
"""

PROGRAM = """package main

import (
        "context"
        "fmt"
        "os"

        "github.com/varlink/go/varlink"
        "iobinlogsslmanager"
)

func main() {
        ctx := context.Background()
        connection, err := varlink.NewConnection(ctx, "unix:"+os.Args[1])
        if err != nil {
                panic(err)
        }
        _, _, _, _, health, _, _, materials, clusters, err :=
                iobinlogsslmanager.GetStatus().Call(ctx, connection)
        fmt.Println(health, materials[0].State, clusters[0].Name, err)
        _, err = iobinlogsslmanager.Import().Call(ctx, connection, &[]string{"none"}, nil)
        _, known := err.(*iobinlogsslmanager.NoSuchCluster)
        fmt.Println(known)
}
"""


def commands_of_the_manual() -> str:
    """Those behind the one that asks a service for the description."""
    text = MANUAL.read_text().replace("\\e", "\\")
    block, = re.findall(r"^varlinkctl introspect[^\n]*\n(.*?)^\.Ed$", text, re.M | re.S)
    return block


def test_the_generated_client_calls_and_knows_the_errors(tmp_path):
    service = Service(Path(os.environ.get("BUILD", "build")).resolve(), tmp_path / "s")
    service.configure(CONFIGURATION.format(service.material))
    service.start()
    try:
        package = tmp_path / "src" / "iobinlogsslmanager"
        program = tmp_path / "src" / "client" / "main.go"
        package.mkdir(parents=True)
        program.parent.mkdir()
        program.write_text(PROGRAM)
        with service.varlink() as varlink:
            description = varlink.call("org.varlink.service.GetInterfaceDescription",
                                       interface="io.binlogssl.Manager")["description"]
        (package / "io.binlogssl.Manager.varlink").write_text(description)
        subprocess.run(["sh", "-ec", commands_of_the_manual()], cwd=package, check=True)
        environment = {**os.environ, "GO111MODULE": "off", "GOPATH": f"{tmp_path}:/usr/share/gocode",
                       "GOCACHE": str(tmp_path / "cache"), "GOFLAGS": ""}
        subprocess.run(["go", "build", "-o", tmp_path / "client", "client"], env=environment,
                       check=True)
        socket = tmp_path / "s" / "run" / "io.binlogssl.Manager"
        done = subprocess.run([tmp_path / "client", socket], capture_output=True, text=True,
                              timeout=60)
        assert done.stdout == "critical missing orders <nil>\ntrue\n", done.stderr
    finally:
        service.kill()
