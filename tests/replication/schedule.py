"""The rotations of a campaign, each with its step, fault and moment: a function of the seed."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from typing import Literal, get_args

Mode = Literal["restart", "repoint"]
# A new CA comes in three sets: both CAs with the old leaf; a leaf of the new CA; the new CA alone.
Step = Literal["both", "leaf", "drop"]
# Who is killed or cut off while a set is imported, a state directory without space, a person who
# stops replication before, or a wrong set that comes before the good one.
Fault = Literal["none", "manager", "importer", "replica", "source", "cluster-network",
                "source-network", "disk-full", "person",
                "wrong-ca", "other-issuer", "other-subject"]
# When a fault hits: what has been seen of the import before.
Phase = Literal["importer", "stopped", "call", "imported"]
# What the configuration has against a wrong set.
Guard = Literal["none", "probe", "canary", "rollback"]

MODES: tuple[Mode, ...] = get_args(Mode)
STEPS: tuple[Step, ...] = get_args(Step)
FAULTS: tuple[Fault, ...] = get_args(Fault)
PHASES: tuple[Phase, ...] = get_args(Phase)
GUARDS: tuple[Guard, ...] = ("probe", "canary", "rollback")
WRONG: tuple[Fault, ...] = ("wrong-ca", "other-issuer", "other-subject")
DURING: tuple[Fault, ...] = ("manager", "importer", "replica", "source", "cluster-network",
                             "source-network")


@dataclass(frozen=True)
class Rotation:
    number: int
    step: Step
    fault: Fault
    guard: Guard
    phase: Phase
    cluster: int  # the number of the cluster that a fault of one cluster hits
    moment: float  # 0 to 1: of the short time between the phase and the fault

    def __str__(self) -> str:
        when = f" at {self.phase}+{self.moment:.3f}" if self.fault in DURING else ""
        return f"{self.number} {self.step}, {self.guard}: {self.fault}{when} ({self.cluster})"


def schedule(seed: int, mode: Mode, rotations: int, clusters: int,
             guards: tuple[Guard, ...] = GUARDS) -> list[Rotation]:
    """The first len(FAULTS) rotations have each fault once, three times as many each in each step.

    The two modes have the faults in opposite orders: half of the rotations in both suffice for all.
    """
    order = list(FAULTS)
    random.Random(seed).shuffle(order)
    if mode == MODES[1]:
        order.reverse()
    choice = random.Random(f"{seed}-{mode}")
    seen: Counter[tuple[Fault, str]] = Counter()
    planned = []
    for number in range(1, rotations + 1):
        step = STEPS[(number - 1) % len(STEPS)]
        fault = min(order, key=lambda fault: (seen[fault, step], seen[fault, ""]))
        # The rarest, and one of them by lot.
        phase = min(choice.sample(PHASES, len(PHASES)), key=lambda phase: seen[fault, phase])
        guard = min(choice.sample(guards, len(guards)), key=lambda guard: seen[fault, guard])
        seen.update([(fault, step), (fault, phase), (fault, guard), (fault, "")])
        planned.append(Rotation(number, step, fault, guard, phase, choice.randrange(clusters),
                                choice.random()))
    return planned
