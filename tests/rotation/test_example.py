"""The suite itself: a watcher that is wrong must fail, and for the reason it is wrong."""

import pytest

from . import example, in_place, links, renaming
from .pattern import PATTERNS
from .trial import Trial
from .watcher import MODES, Claim


def attempt(ground, rotate, make, mode=MODES[0]) -> None:
    pattern = next(p for p in PATTERNS if p.rotate is rotate)
    trial = Trial(pattern, mode, ground.place(), ground.pool, make)
    trial.patience = 2
    trial.run()


def test_a_change_that_comes_at_once_is_within_everybodys_reach(ground):
    attempt(ground, links.mv_t, example.ModificationTime)


@pytest.mark.parametrize("rotate, reason", [
    (in_place.step_rekey, "does not match|never laid out"),
    (in_place.certmonger, "never laid out|does not match"),
    (renaming.consul_template_backup, "never laid out|does not match"),
    (in_place.cp_archive, "not imported|does not match|never laid out"),
])
def test_the_modification_time_of_one_file_is_not_enough(ground, rotate, reason):
    with pytest.raises(AssertionError, match=reason):
        attempt(ground, rotate, example.ModificationTime)


class Hasty(example.ModificationTime):
    """Says that it is done before the target has it."""

    def claim(self) -> Claim:
        claim = super().claim()
        return Claim(claim.at - 60, claim.imported, claim.current, False, 0, claim.text)


class Eager(example.ModificationTime):
    def applied(self):
        return [applied for applied in super().applied() for _ in range(2)]


class Rash(example.ModificationTime):
    """Calls half a set invalid at once."""

    def claim(self) -> Claim:
        claim = super().claim()
        return Claim(claim.at, claim.imported, claim.current, True, 0, claim.text)


class Blind(example.ModificationTime):
    def claim(self) -> Claim:
        claim = super().claim()
        return Claim(claim.at, claim.imported, claim.current, False, 1, claim.text)


class Proud(example.ModificationTime):
    """Stays current when another set stands on disk."""

    def claim(self) -> Claim:
        claim = super().claim()
        return Claim(claim.at, claim.imported, claim.current, False, 0, claim.text, "another")


@pytest.mark.parametrize("make, reason", [
    (Proud, "current, but on disk is another set"),
    (Hasty, "claims an import that the target has not done"), (Eager, "imported 2 times"),
    (Rash, "invalid 0.* s after the rotation began"), (Blind, "found by a poll only")])
def test_each_invariant_has_teeth(ground, make, reason):
    with pytest.raises(AssertionError, match=reason):
        attempt(ground, links.mv_t, make)
