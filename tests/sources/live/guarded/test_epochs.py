"""Which epochs and sequences of a gateway may come."""

from __future__ import annotations

from twinlab.edge.handshake import Birth
from twinlab.sources.live.guarded.epochs import Epochs


def birth(token: int, *runs: int) -> Birth:
    return Birth(token, 1, 0, 0, {}, runs=tuple((n, n) for n in runs))


def word(fault: tuple[str, str] | None) -> str | None:
    return None if fault is None else fault[0]


def test_rows_before_any_handshake_wait_for_one() -> None:
    assert word(Epochs().fault_of_rows("a", 7, 10, now=0.0)) == "no handshake"


def test_rows_sent_again_within_a_minute_are_no_regression_and_later_they_are() -> None:
    epochs = Epochs()
    epochs.begin("a", birth(7), now=0.0)
    epochs.acknowledge("a", 7, 100, now=0.0)
    assert epochs.fault_of_rows("a", 7, 100, now=30.0) is None
    assert word(epochs.fault_of_rows("a", 7, 100, now=61.0)) == "sequence again"
    assert epochs.fault_of_rows("a", 7, 101, now=61.0) is None


def test_acknowledgements_that_follow_fast_are_settled_one_after_the_other() -> None:
    epochs = Epochs()
    epochs.begin("a", birth(7), now=0.0)
    for second in range(200):
        epochs.acknowledge("a", 7, second, now=float(second))
    assert word(epochs.fault_of_rows("a", 7, 130, now=200.0)) == "sequence again"
    assert epochs.fault_of_rows("a", 7, 150, now=200.0) is None


def test_after_a_new_epoch_only_rows_on_their_way_are_of_the_one_before() -> None:
    epochs = Epochs()
    assert epochs.begin("a", birth(7), now=0.0) == ""
    assert "follows" in epochs.begin("a", birth(8), now=100.0)
    assert epochs.fault_of_rows("a", 7, 1, now=110.0) is None
    assert word(epochs.fault_of_rows("a", 7, 1, now=140.0)) == "earlier epoch"
    assert word(epochs.fault_of_birth("a", birth(7))) == "earlier epoch"
    assert word(epochs.fault_of_rows("a", 9, 1, now=140.0)) == "no handshake"


def test_an_earlier_handshake_of_the_same_epoch_is_one_sent_again_by_somebody() -> None:
    epochs = Epochs()
    epochs.begin("a", birth(7, 1, 20), now=0.0)
    assert word(epochs.fault_of_birth("a", birth(7, 1))) == "sequence again"
    assert epochs.fault_of_birth("a", birth(7, 1, 20, 30)) is None


def test_after_a_restart_the_ledger_says_which_epoch_is_the_latest() -> None:
    epochs = Epochs()
    epochs.restore("a", [7, 8], 50, now=0.0)
    assert word(epochs.fault_of_birth("a", birth(7))) == "earlier epoch"
    assert epochs.begin("a", birth(8), now=1.0) == ""
    assert word(epochs.fault_of_rows("a", 8, 50, now=70.0)) == "sequence again"
