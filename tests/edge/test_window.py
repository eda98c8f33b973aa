"""The window: bounded, repeated after a timeout or a gap, never before the acknowledgement."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from twinlab.edge.window import Window


def test_a_full_window_waits_for_an_acknowledgement() -> None:
    window = Window(0, rows=10)
    window.sent(10, now=0.0)
    assert window.next(now=1.0) is None
    window.accept(1, now=1.0)
    assert window.next(now=1.0) == 11


def test_without_progress_all_is_sent_again_with_growing_pauses() -> None:
    window = Window(5, rows=10, patience=1.0, longest=3.0)
    resent, now = [], 0.0
    window.sent(15, now=0.0)
    for _ in range(200):
        now += 0.1
        first = window.next(now=now)
        if first is not None:
            assert first == 6
            resent.append(round(now, 1))
            window.sent(15, now=now)
    assert [round(b - a) for a, b in zip(resent, resent[1:], strict=False)][:4] == [2, 3, 3, 3]
    assert window.resends == len(resent)


def test_an_idle_window_never_times_out() -> None:
    window = Window(5, patience=1.0)
    assert window.next(now=1e6) == 6
    assert window.resends == 0
    window.sent(7, now=1e6)
    assert window.next(now=1e6 + 0.5) == 8


def test_the_same_gap_reported_many_times_is_sent_once() -> None:
    window = Window(0, patience=1.0)
    window.sent(500, now=0.0)
    for _ in range(50):
        window.miss(101, now=0.1)
    assert window.next(now=0.1) == 101
    window.sent(500, now=0.2)
    window.miss(101, now=0.3)
    assert window.next(now=0.3) == 501
    window.miss(101, now=1.2)
    assert window.next(now=1.2) == 101


@given(
    st.lists(
        st.tuples(st.sampled_from(["accept", "miss", "sent", "next", "restart"]), st.integers(0, 60), st.floats(0, 2))
    )
)
def test_nothing_acknowledged_is_sent_and_no_more_than_the_window(steps: list[tuple[str, int, float]]) -> None:
    window, now, sent = Window(0, rows=20, patience=1.0), 0.0, 0
    for what, number, pause in steps:
        now += pause
        first = window.next(now=now)
        if first is not None:
            assert window.acknowledged < first <= window.acknowledged + 20
        if what == "sent" and first is not None:
            sent = max(sent, first + number % 5)
            window.sent(first + number % 5, now=now)
        elif what == "accept":
            window.accept(min(number, sent), now=now)
        elif what == "miss":
            window.miss(number, now=now)
        elif what == "restart":
            window.restart(min(number, sent), now=now)
