"""What a command changes: computed from the present state, and judged."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlab.control.proposals.effects import Unknown, queue_effect, stopping_effect, trip_effect
from twinlab.control.proposals.effects.outcome import judge, worst_verdict
from twinlab.control.proposals.effects.queues import Queue
from twinlab.control.proposals.effects.stopping import stopping_way
from twinlab.control.proposals.effects.trips import Connection, Trip
from twinlab.model.commands import QueueEffect, StoppingEffect, TripEffect

NOW = np.datetime64("2026-03-02T09:00", "ns")
QUEUE = QueueEffect(
    kind="queue", place="works_at", waiting="held_at", distance=120, handling="40s", most=40, longest_wait="45min"
)
STOPPING = StoppingEffect(kind="stopping", distance="person_distance")
TRIP = TripEffect(kind="trip", trips="trip", legs="leg")


def _queue(queue: Queue, after: float, **options: object) -> str:
    return queue_effect(queue, 8 / 3.6, after / 3.6, QUEUE.model_copy(update=options), now=NOW).verdict


def test_a_slower_vehicle_fills_a_busy_place_and_not_a_quiet_one() -> None:
    assert _queue(Queue("dock", 5, ((600.0, 4),), (2.2,)), 2) == "safe"
    assert _queue(Queue("dock", 30, ((600.0, 15), (1500.0, 15)), ()), 2) == "unsafe"
    # More room, or a vehicle that doesn't work anyway: its speed changes nothing.
    assert _queue(Queue("dock", 30, ((600.0, 15), (1500.0, 15)), ()), 2, most=200, longest_wait=None) == "safe"
    assert _queue(Queue("dock", 60, ((600.0, 15),), (), works=False), 2) == "safe"


def test_a_vehicle_that_stops_moves_nothing() -> None:
    assert _queue(Queue("dock", 20, (), ()), 0) == "unsafe"


@given(st.floats(0.0, 6.0), st.floats(0.0, 6.0), st.floats(0.1, 30.0))
def test_slower_is_never_worse_for_who_is_near_and_faster_only_with_room(
    before: float, after: float, distance: float
) -> None:
    found = stopping_effect(distance, before, after, STOPPING).verdict
    need = stopping_way(after, reaction=1.0, deceleration=1.5) + 1.0
    assert found == ("safe" if after <= before or need <= distance else "unsafe")


def test_without_a_scanner_faster_can_not_be_judged() -> None:
    assert stopping_effect(Unknown("no scanner"), 2.0, 3.0, STOPPING).verdict == "can't tell"
    assert stopping_effect(Unknown("no scanner"), 3.0, 2.0, STOPPING).verdict == "safe"


def test_a_slower_truck_misses_its_connection() -> None:
    trip = Trip("FRA", 3600.0, (Connection("parcel 7", 6000.0),))
    assert trip_effect(trip, 1.0, 0.9, TRIP).verdict == "safe"
    missed = trip_effect(trip, 1.0, 0.8, TRIP)
    assert missed.verdict == "unsafe"
    assert "parcel 7" in missed.reason
    assert trip_effect(None, 1.0, 0.5, TRIP).verdict == "safe"
    assert trip_effect(Trip("FRA", -60.0), 1.0, 0.9, TRIP).verdict == "can't tell"
    # An hour is allowed.
    assert trip_effect(Trip("FRA", 4 * 3600.0), 1.0, 0.7, TRIP).verdict == "unsafe"
    assert trip_effect(Trip("FRA", 4 * 3600.0), 1.0, 0.82, TRIP).verdict == "can't tell"


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        (np.full(60, 1.0), np.full(60, 2.0), "safe"),
        (np.full(60, 1.0), np.full(60, 11.0), "unsafe"),
        # As bad without the command.
        (np.full(60, 14.0), np.full(60, 14.1), "safe"),
        (np.full(60, 10.1), np.full(60, 12.0), "unsafe"),
        (np.full(60, 1.0), np.r_[np.full(5, 11.0), np.full(55, 2.0)], "can't tell"),
        (np.full(60, 1.0), np.r_[np.full(3, 11.0), np.full(57, 2.0)], "safe"),
        (np.full(60, 1.0), np.full(60, np.nan), "can't tell"),
    ],
)  # fmt: skip
def test_what_the_command_makes_worse_counts(before: np.ndarray, after: np.ndarray, verdict: str) -> None:
    assert judge(before, after, 10.0, what="queue", unit="")[0] == verdict


def test_of_no_effect_nothing_can_be_said() -> None:
    assert worst_verdict(()) == "can't tell"
