"""The suite itself: a watcher with a defect must fail, with the matching message."""

import pytest

from . import example, in_place, links, renaming
from .pattern import PATTERNS
from .pattern_run import PatternRun
from .watcher import MODES, Claim


def attempt(environment, rotate, make, mode=MODES[0]) -> None:
    pattern = next(p for p in PATTERNS if p.rotate is rotate)
    run = PatternRun(pattern, mode, environment.new_root(), environment.pool, make)
    run.timeout = 2
    run.run()


def test_the_example_passes_an_atomic_change_of_all_files(environment):
    attempt(environment, links.mv_t, example.ModificationTime)


@pytest.mark.parametrize("rotate, reason", [
    (in_place.step_rekey, "does not match|never written"),
    (in_place.certmonger, "never written|does not match"),
    (renaming.consul_template_backup, "never written|does not match"),
    (in_place.cp_archive, "not imported|does not match|never written"),
])
def test_the_modification_time_of_one_file_is_not_enough(environment, rotate, reason):
    """A look that comes late finds the set complete, but its stat(2) is older: one import more."""
    with pytest.raises(AssertionError, match=f"{reason}|imported 2 times"):
        attempt(environment, rotate, example.ModificationTime)


class ClaimsTooEarly(example.ModificationTime):
    """Reports an import before the target has it."""

    def claim(self) -> Claim:
        claim = super().claim()
        return Claim(claim.at - 60, claim.imported, claim.current, False, 0, claim.text)


class ImportsTwice(example.ModificationTime):
    def applied(self):
        return [applied for applied in super().applied() for _ in range(2)]


class InvalidTooEarly(example.ModificationTime):
    """Reports an incomplete set as invalid without waiting for the settle limit."""

    def claim(self) -> Claim:
        claim = super().claim()
        return Claim(claim.at, claim.imported, claim.current, True, 0, claim.text)


class FoundByPoll(example.ModificationTime):
    def claim(self) -> Claim:
        claim = super().claim()
        return Claim(claim.at, claim.imported, claim.current, False, 1, claim.text)


class CurrentTooLong(example.ModificationTime):
    """Reports current although another set is on disk."""

    def claim(self) -> Claim:
        claim = super().claim()
        return Claim(claim.at, claim.imported, claim.current, False, 0, claim.text, "another")


@pytest.mark.parametrize("make, reason", [
    (CurrentTooLong, "current, but another set is on disk"),
    (ClaimsTooEarly, "claims an import that the target has not done"),
    (ImportsTwice, "imported 2 times"),
    (InvalidTooEarly, "invalid 0.* s after the rotation began"),
    (FoundByPoll, "found only by a poll")])
def test_a_violation_of_each_invariant_is_detected(environment, make, reason):
    with pytest.raises(AssertionError, match=reason):
        attempt(environment, links.mv_t, make)
