"""What all live sources share: the protocol, pauses between attempts, the meter of health."""

from __future__ import annotations

import random

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlab.errors import SourceError
from twinlab.model.extensions.live_kind import LiveKind
from twinlab.sources.live import LIVE_KINDS, Backoff, Gap, HealthMeter, LiveBatch

OBSERVED = pa.RecordBatch.from_pydict({"tag": ["a", "b"], "source_time": [0, 1], "value": [1.0, 2.0]})


@given(st.integers(0, 2**32), st.floats(0.001, 10), st.floats(0.001, 100))
def test_pauses_stay_below_limits_that_double_and_begin_again_after_a_success(
    seed: int, least: float, most: float
) -> None:
    backoff = Backoff(least, most, random=random.Random(seed))
    for attempt in range(80):
        assert 0 <= backoff.next() <= min(most, least * 2.0**attempt)
    backoff.reset()
    assert backoff.next() <= least


def test_many_clients_that_lose_their_connection_at_once_come_back_at_different_times() -> None:
    pauses = [Backoff(1.0, random=random.Random(seed)).next() for seed in range(100)]
    assert max(pauses) - min(pauses) > 0.8


def test_the_meter_has_state_rate_errors_and_gaps() -> None:
    now = 1_000 * 10**9
    meter = HealthMeter(suspect_offset=5.0, now_ns=lambda: now)
    assert meter.health().state == "connecting"
    meter.failed_once(OSError("refused"))
    assert (meter.health().errors, meter.health().error) == (1, "refused")
    meter.connected()
    for _ in range(10):
        meter.received(50, last_event_ns=now - 10**9)
        now += 10**9
    found = meter.health()
    assert (found.state, found.rows, found.rate, found.error) == ("connected", 500, 50.0, "")
    assert found.last_row_ns == now - 10**9
    assert found.connections == 1
    lost, open_gap = Gap("", "queue overflow"), Gap("truck/1", "outage", first_sequence=5, stop_sequence=9)
    meter.gap(lost, lost=True)
    meter.gap(open_gap)
    meter.filled(open_gap)
    meter.clock(-7.0)
    found = meter.health()
    assert (found.gaps, found.gaps_lost, found.clock_suspect) == ((lost,), 1, True)
    meter.disconnected("reset by peer")
    now += 60 * 10**9
    found = meter.health()
    assert (found.state, found.rate, found.since_ns) == ("connecting", 0.0, now - 60 * 10**9)


def test_a_meter_stays_bounded() -> None:
    meter = HealthMeter()
    for number in range(1_000):
        meter.gap(Gap(str(number), "shed"), lost=True)
    assert (len(meter.health().gaps), meter.health().gaps_lost) == (100, 1_000)


def test_a_batch_counts_the_rows_of_its_parts() -> None:
    assert LiveBatch((OBSERVED, OBSERVED)).rows == 4
    assert LiveBatch(offsets={"": 3}).rows == 0


def test_the_kinds_of_this_package_import_without_their_client_libraries() -> None:
    for name in LIVE_KINDS.built_in():
        kind = LIVE_KINDS.get(name)
        assert isinstance(kind, LiveKind)
        assert bool(kind.needs) == bool(kind.extra)


def test_a_missing_client_library_is_an_error_that_names_the_extra() -> None:
    kind = LiveKind("pigeon", lambda options, context: None, needs=("no_such_library",), extra="pigeon")
    with pytest.raises(SourceError, match=r'no_such_library.*pip install "twinlab-kit\[pigeon\]"'):
        kind.check_installed()
