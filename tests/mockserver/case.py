"""One deviation from the successful conversation, and the outcomes that are correct for it."""

from __future__ import annotations

from dataclasses import dataclass, field

from .conversation import Handler
from .secret import PASSWORD

TRANSIENT = {"unreachable", "tls", "timed_out", "unknown", "not_writer"}
TRANSIENT_ERRNOS = {1205, 1213, 1317}  # a rejection with one of these is retried with back-off


@dataclass(frozen=True)
class Case:
    """Handlers that replace the default ones, and the expected result.

    handlers: by step (conversation.STEPS); outcomes: any of these is correct; errno: the expected
    server error; last_step: the last step that the client may reach, if that matters; identity: the
    server's certificate (server_identity.py); verified: that certificate is trusted;
    sends_password: this login sends the password itself, inside TLS; settings: keys of the cluster
    section that differ from the default ones.
    """

    name: str
    handlers: dict[str, Handler]
    outcomes: set[str]
    errno: int | None = None
    last_step: str = ""
    identity: str = "good"
    verified: bool = True
    sends_password: bool = False
    password: str = PASSWORD
    settings: dict[str, str] = field(default_factory=dict)

    def state(self, outcome: str) -> str:
        if outcome == "imported":
            return "current"
        transient = outcome in TRANSIENT or (outcome == "rejected" and
                                             self.errno in TRANSIENT_ERRNOS)
        return "retrying" if transient else "held"


def case(name: str, step: str, handler: Handler, *outcomes: str, **more) -> Case:
    return Case(name, {step: handler} if step else {}, set(outcomes), **more)


def by_name(cases: list[Case]) -> dict[str, Case]:
    found = {case.name: case for case in cases}
    assert len(found) == len(cases)
    return found
