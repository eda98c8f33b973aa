"""An emergency stop needs one person and one valid signature, and nothing else delays it."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.commands.guard.site import Site, in_thread, under_way
from tests.commands.guard.test_acting import refuse
from twinlab.commands.guard import Rates


def stopped(site: Site, wire: bytes | None = None) -> bool:
    before = len(site.forklift.safe)
    answer = site.guard.submit(site.stop_wire() if wire is None else wire)
    return answer.outcome == "done" and answer.value == 0.0 and site.forklift.safe[before:] == ["forklift/7"]


def flood(site: Site) -> None:
    site.rates = Rates(total=1, target=1)
    site.restart()
    for _ in range(5):
        site.guard.submit(b"x")


def break_keys(site: Site) -> None:
    # They could be read before.
    site.select()
    site.keys.write_text("people: [", encoding="utf-8")


def set_clock_back(site: Site) -> None:
    site.time.now -= timedelta(days=400)


def take_over(site: Site) -> None:
    site.newer = site.new_guard()  # type: ignore[attr-defined]


OBSTACLES: dict[str, Callable[[Site], object]] = {
    "flood": flood,
    "clock_set_back": set_clock_back,
    "keys_not_readable_now": break_keys,
    "ledger_lost": lambda site: site.ledger.unlink(),
    "ledger_closed": lambda site: site.guard._here.ledger.close(),
    "audit_full": lambda site: setattr(site, "record", refuse),
    "stale_state": lambda site: setattr(site.forklift, "age", 1000.0),
    "state_changed": lambda site: setattr(site.forklift, "load", 5.0),
    "selected_by_others": lambda site: site.select(),
    "interlock": lambda site: setattr(site.forklift, "blocked", ("door: expected closed, got open",)),
    "another_command_in_its_checks": lambda site: site.guard._lock.acquire(),
    "another_guard_took_over": take_over,
    "another_entry_is_being_written": lambda site: site.guard._late_lock.acquire(),
}


@pytest.mark.parametrize("name", OBSTACLES)
def test_nothing_delays_a_stop(name: str, site: Site) -> None:
    OBSTACLES[name](site)
    begun = time.monotonic()
    assert stopped(site)
    assert time.monotonic() - begun < 1.0


@pytest.mark.parametrize("signer", ["ann", "bob"])
def test_one_person_is_enough(site: Site, signer: str) -> None:
    assert stopped(site, site.stop_wire(signer=signer))
    assert site.entries[-1]["who"] == [{"ann": "Ann", "bob": "Bob"}[signer]]
    assert site.entries[-1]["what"]["operation"] == "stop"


@pytest.mark.parametrize("signer", ["vic", "eve", "olaf", "device"])
def test_a_stop_needs_a_signature_of_somebody_who_may_stop(site: Site, signer: str) -> None:
    answer = site.guard.submit(site.stop_wire(signer=signer))
    assert (answer.outcome, site.forklift.safe) == ("refused", [])
    assert site.entries[-1]["kind"] == "command refused"


def test_a_stop_again_within_its_minute_stops_again_and_later_does_not(site: Site) -> None:
    wire = site.stop_wire()
    assert stopped(site, wire)
    assert stopped(site, wire)
    site.time.wait(60)
    assert not stopped(site, wire)
    site.restart()
    assert not stopped(site, wire)
    # One that comes late for the first time still counts.
    late = site.stop_wire()
    site.time.wait(600)
    assert stopped(site, late)


def test_a_stop_is_recorded_as_soon_as_the_audit_can_be_written(site: Site) -> None:
    keep, site.record = site.record, refuse
    assert stopped(site)
    site.record = keep
    site.guard.tick()
    assert [(entry["kind"], entry["what"]["outcome"]) for entry in site.entries] == [("command answered", "done")]
    assert site.guard._here.ledger.stop_ids() == site.guard._here.stop_ids


def test_a_stop_that_is_not_acknowledged_is_unknown(site: Site) -> None:
    site.forklift.link = False
    answer = site.guard.submit(site.stop_wire())
    assert answer.outcome == "unknown"
    assert "emergency stop by Ann" in answer.reason
    assert "no route to the forklift" in answer.reason


def test_after_a_stop_the_select_is_gone_and_work_goes_on_with_new_commands(site: Site) -> None:
    assert site.select().outcome == "selected"
    assert stopped(site)
    site.time.wait(6)
    assert "got none" in site.operate(value=6.0).reason
    assert site.set(5.0).outcome == "done"


def test_a_setpoint_that_says_it_is_a_stop_is_none(site: Site) -> None:
    from tests.commands.guard.attacks import stop_signed_as

    flood(site)
    answer = site.guard.submit(stop_signed_as(site, operation="operate", value=6.0, unit="km/h"))
    assert (answer.outcome, site.forklift.changes) == ("refused", [])


def test_a_stop_takes_at_most_200_ms_while_everything_else_is_busy(
    tmp_path: Path, need: Callable[[str], object]
) -> None:
    """Real clock, real ledger: garbage from one thread, a command inside the asset in another."""
    need("securesystemslib")
    site = Site(tmp_path)
    go, flying, _ = under_way(site)
    over = threading.Event()

    def garbage() -> None:
        while not over.is_set():
            site.guard.submit(site_wire)
            time.sleep(0.001)

    site_wire = site.wire()
    noise, _ = in_thread(garbage)
    seconds = []
    try:
        for _ in range(15):
            stop = site.stop_wire()
            before = time.perf_counter()
            assert site.guard.submit(stop).outcome == "done"
            seconds.append(time.perf_counter() - before)
    finally:
        over.set()
        go.set()
        flying.join(20)
        noise.join(20)
    assert statistics.median(seconds) < 0.2
    assert site.forklift.values["forklift/7"] == 0.0
