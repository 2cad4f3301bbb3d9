"""One break of the good conversation, and what must come of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from .conversation import Deed
from .secret import PASSWORD

PASSING = {"unreachable", "tls", "timed_out", "unknown", "not_writer"}
OF_THE_MOMENT = {1205, 1213, 1317}  # what is rejected so is tried again by itself


@dataclass(frozen=True)
class Case:
    """`last` is the step at which the server must lose sight of the client, where that matters.

    `identity` names the server's certificate, `verified` tells whether that is one to trust, and
    `tells_password` whether the login is one that hands the password over, inside TLS.
    """

    name: str
    deeds: dict[str, Deed]
    outcomes: set[str]
    errno: int | None = None
    last: str = ""
    identity: str = "good"
    verified: bool = True
    tells_password: bool = False
    password: str = PASSWORD
    settings: dict[str, str] = field(default_factory=dict)

    def state(self, outcome: str) -> str:
        if outcome == "imported":
            return "current"
        passing = outcome in PASSING or (outcome == "rejected" and self.errno in OF_THE_MOMENT)
        return "retrying" if passing else "held"


def case(name: str, step: str, deed: Deed, *outcomes: str, **more) -> Case:
    return Case(name, {step: deed} if step else {}, set(outcomes), **more)


def named(cases: list[Case]) -> dict[str, Case]:
    found = {case.name: case for case in cases}
    assert len(found) == len(cases)
    return found
