"""certbot's deploy hook with the service: the renewal succeeds or fails as the import does."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from subprocess import CompletedProcess

from tests.integration.conftest import configuration
from tests.standin import write_material

HOOK = Path(__file__).resolve().parents[2] / "conf/hooks/certbot-deploy"


def renew(testbed, service, common_name: str) -> CompletedProcess[str]:
    lineage = service.directory / "live" / "replica"
    lineage.mkdir(parents=True, exist_ok=True)
    pair = testbed.client(common_name)
    shutil.copy(testbed.authority.certificate, lineage / "chain.pem")
    shutil.copy(pair.certificate, lineage / "cert.pem")
    shutil.copy(pair.key, lineage / "privkey.pem")
    settings = service.directory / "hook"
    settings.write_text(f"LINEAGE=replica\nMATERIAL={service.material}\nGROUP=root\nTIMEOUT=30s\n")
    environment = service.environment
    return subprocess.run(
        [str(HOOK)], capture_output=True, text=True, timeout=60,
        env={**environment, "PATH": f"{service.build}:{environment['PATH']}",
             "RENEWED_LINEAGE": str(lineage), "BINLOG_SSL_HOOK_SETTINGS": str(settings)})


def test_the_hook_ends_after_the_import_and_fails_if_it_fails(testbed, service):
    service.configure(configuration(service, testbed.aurora))
    write_material(service.material, testbed.authority.certificate, testbed.client("before"))
    service.start()
    service.wait_cluster("orders", "current")
    before = len(testbed.aurora.imports())
    done = renew(testbed, service, "renewed")
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(testbed.aurora.imports()) == before + 1
    assert service.cluster("orders")["state"] == "current"

    testbed.aurora.set_option("fail_at", "import")
    done = renew(testbed, service, "refused")
    assert done.returncode == 1
    assert "orders" in done.stdout + done.stderr
    assert "rejected" in done.stdout + done.stderr or "held" in done.stdout + done.stderr


def test_the_hook_fails_without_the_service(testbed, service):
    done = renew(testbed, service, "nobody")
    assert done.returncode == 3
    assert done.stderr
