"""A server that received the key in an import and repeats it in the periodic status check."""

from __future__ import annotations

from collections.abc import Callable

from . import packet
from .conversation import Conversation, good
from .harness import Harness

SECONDS = 20.0
COLUMNS = ["Replica_IO_Running", "Replica_SQL_Running", "Last_IO_Errno", "Last_IO_Error"]


def test_a_key_repeated_in_a_status_check_is_redacted(make_harness: Callable[[str],
                                                                             Harness]) -> None:
    parameters: list[bytes] = []

    def record(conversation: Conversation, payloads: list[bytes]) -> None:
        parameters.append(conversation.parameters[-1])
        good(conversation, payloads)

    def repeat(conversation: Conversation, payloads: list[bytes]) -> None:
        if conversation.parameters:
            return good(conversation, payloads)  # the status check of the import itself
        # A last letter that precedes the piece in the key too would be redacted with it.
        word = "fault" if parameters[0][:-1000].rstrip().endswith(b"r") else "error"
        text = f"SSL {word}: " + parameters[0][-1000:-700].decode()
        row = packet.text_row(["No", "Yes", "1045", text])  # 2026 is healed by an import
        conversation.send(packet.table(COLUMNS, [row]))

    harness = make_harness("check-interval = 200ms")
    harness.add("repeating", harness.script(handlers={"call": record, "status": repeat}))
    harness.start()

    def broken() -> bool:
        replication = harness.clusters()["repeating"]["replication"]
        return replication is not None and replication["io_errno"] == 1045

    harness.service.wait(broken, SECONDS)
    cluster = harness.clusters()["repeating"]
    assert cluster["state"] == "current" and len(parameters) == 1
    assert cluster["replication"]["io_error"].startswith(("SSL error: ", "SSL fault: "))
    assert "*" * 60 in cluster["replication"]["io_error"]
    assert harness.session.secret.found_in(parameters[0])
    for where, text in harness.readable_output().items():
        assert harness.session.secret.found_in(text) == [], where
    assert harness.service.stop() == 0
