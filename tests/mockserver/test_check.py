"""A server that was told the key once, and repeats it when it is only asked how it is."""

from __future__ import annotations

from collections.abc import Callable

from . import packet
from .conversation import Conversation, good
from .stage import Stage

SECONDS = 20.0
COLUMNS = ["Replica_IO_Running", "Replica_SQL_Running", "Last_IO_Errno", "Last_IO_Error"]


def test_what_is_repeated_at_a_check_is_covered(make_stage: Callable[[str], Stage]) -> None:
    heard: list[bytes] = []

    def hear(conversation: Conversation, payloads: list[bytes]) -> None:
        heard.append(conversation.parameters[-1])
        good(conversation, payloads)

    def repeat(conversation: Conversation, payloads: list[bytes]) -> None:
        if conversation.parameters:
            return good(conversation, payloads)  # the import's own look
        text = "SSL error: " + heard[0][-1000:-700].decode()
        row = packet.text_row(["No", "Yes", "2026", text])
        conversation.send(packet.table(COLUMNS, [row]))

    stage = make_stage("check-interval = 200ms")
    stage.add("forgetful", stage.script(deeds={"call": hear, "status": repeat}))
    stage.start()

    def broken() -> bool:
        replication = stage.clusters()["forgetful"]["replication"]
        return replication is not None and replication["io_errno"] == 2026

    stage.service.wait(broken, SECONDS)
    cluster = stage.clusters()["forgetful"]
    assert cluster["state"] == "current" and len(heard) == 1
    assert cluster["replication"]["io_error"].startswith("SSL error: ")
    assert "*" * 60 in cluster["replication"]["io_error"]
    assert stage.props.secret.found_in(heard[0])
    for where, text in stage.told().items():
        assert stage.props.secret.found_in(text) == [], where
    assert stage.service.stop() == 0
