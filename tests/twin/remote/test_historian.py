"""The historian of a twin in a store goes on when its requests are cut: none of them ends it, or its standby."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable

import pyarrow as pa
import pytest
from s3_server import Proxy
from test_written import frame

import twinlab as tl
from twinlab.errors import SourceError
from twinlab.twin.remote.working import open_working


@pytest.fixture
def far(twin: tl.Twin, network: Proxy, place: str) -> tl.Twin:
    """Return a twin in the store with a day of rows, and five more that aren't published."""
    twin.push(place)
    far = tl.open(place)
    working = open_working(far.bucket)
    with working.ledger.writer("log") as writer:
        writer.append_records("log", pa.RecordBatch.from_pandas(frame("2026-01-03", 5)))
    working.close()
    return far


def cut(network: Proxy, text: str, faults: list[str], afterwards: Callable[[], object] = lambda: None) -> None:
    """Let writes of objects with a text in their names go wrong, as a list says; call a function once when all have."""
    waiting = [afterwards]

    def fault(request: str) -> str:
        if not request.startswith("PUT"):
            return ""
        if text in request and faults:
            return faults.pop(0)
        if not faults and waiting and "twin.json" in request:
            waiting.pop()()
        return ""

    network.fault = fault


def stop() -> None:
    """Stop this process as a service manager does, if it runs a historian."""
    if signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        signal.raise_signal(signal.SIGTERM)


@pytest.mark.parametrize(
    ("text", "faults"),
    [("historian.json", ["cut", "no answer", "cut", "twice"]), ("twin.json", ["cut", "no answer", "twice"])],
)
def test_cuts_do_not_end_a_standby_that_takes_over(far: tl.Twin, network: Proxy, text: str, faults: list[str]) -> None:
    cut(network, text, faults, lambda: threading.Timer(1.0, stop).start())
    far.run(standby=True, lease_seconds=2)
    assert not faults
    assert far.history("room").time.size == 2 * 1440 + 5
    assert "no rows wait" in str(far.store_status())
    assert "historian: none (last process" in str(far.store_status())


def test_who_runs_it_once_is_told_that_the_store_does_not_answer(far: tl.Twin, network: Proxy) -> None:
    cut(network, "twin.json", ["cut"] * 20)
    with pytest.raises(SourceError, match=r"can't write twin\.json"):
        far.run(once=True)
    network.fault = lambda _request: ""
    far.run(once=True)
    assert far.history("room").time.size == 2 * 1440 + 5
