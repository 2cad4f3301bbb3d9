"""The schedule is a function of seed and mode, and leaves nothing out."""

from __future__ import annotations

import pytest

from tests.replication.schedule import FAULTS, GUARDS, MODES, PHASES, STEPS, schedule

SEEDS = range(50)


@pytest.mark.parametrize("mode", MODES)
def test_it_depends_on_its_arguments_alone(mode):
    first = schedule(7, mode, 50, 3)
    assert first == schedule(7, mode, 50, 3)
    assert first != schedule(8, mode, 50, 3)
    assert first[:20] == schedule(7, mode, 20, 3)


def test_each_mode_has_its_own():
    assert schedule(7, MODES[0], 50, 3) != schedule(7, MODES[1], 50, 3)


@pytest.mark.parametrize("mode", MODES)
def test_a_ca_is_exchanged_in_three_steps(mode):
    assert [planned.step for planned in schedule(1, mode, 6, 1)] == [*STEPS, *STEPS]


@pytest.mark.parametrize("mode", MODES)
def test_fifty_rotations_have_each_fault_at_each_step(mode):
    for seed in SEEDS:
        planned = schedule(seed, mode, 50, 3)
        assert {(one.step, one.fault) for one in planned} == {
            (step, fault) for step in STEPS for fault in FAULTS}
        assert {one.cluster for one in planned} == {0, 1, 2}


@pytest.mark.parametrize("mode", MODES)
def test_fifty_rotations_have_each_fault_in_each_phase_and_with_each_guard(mode):
    for seed in SEEDS:
        planned = schedule(seed, mode, 50, 3)
        assert {(one.fault, one.phase) for one in planned} == {
            (fault, phase) for fault in FAULTS for phase in PHASES}
        assert {(one.fault, one.guard) for one in planned} == {
            (fault, guard) for fault in FAULTS for guard in GUARDS}


def test_half_of_the_rotations_suffice_for_both_modes_together():
    half = (len(FAULTS) + 1) // 2
    for seed in SEEDS:
        assert {one.fault for mode in MODES for one in schedule(seed, mode, half, 3)} == set(FAULTS)
