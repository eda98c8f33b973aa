"""After the checks: no acknowledgement, another value read back, a lost link (attack 22) end at the fail-safe value."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest

from tests.commands.guard.site import NOW, Site, ended, in_thread, under_way
from twinlab.commands.guard import State
from twinlab.errors import ControlError


def safe(site: Site) -> bool:
    return site.forklift.values["forklift/7"] == 0.0 and site.forklift.safe[-1:] == ["forklift/7"]


def test_without_an_acknowledgement_the_target_goes_to_fail_safe(site: Site) -> None:
    site.forklift.acknowledges = False
    answer = site.set()
    assert (answer.outcome, answer.value) == ("fail_safe", 0.0)
    assert "expected an acknowledgement within 1 s, got none; forklift/7 went to max_speed 0 km/h" in answer.reason
    assert safe(site)
    assert site.entries[-1]["what"]["outcome"] == "fail_safe"


def test_an_acknowledgement_that_comes_too_late_is_none(site: Site) -> None:
    site.forklift.on_apply = lambda: site.time.wait(1.5)
    answer = site.set()
    assert answer.outcome == "fail_safe"
    assert "within 1 s, got none in 1.5 s" in answer.reason
    assert safe(site)


def test_another_value_that_is_read_back_ends_at_fail_safe(site: Site) -> None:
    site.forklift.stuck = True
    before = site.time.passed
    answer = site.set()
    assert answer.outcome == "fail_safe"
    assert "expected 6 km/h (± 0.2) to be read back within 1 s, got 8 km/h" in answer.reason
    assert 1.0 <= site.time.passed - before < 1.2
    assert safe(site)


def test_a_value_may_be_reached_within_the_time(site: Site) -> None:
    site.forklift.stuck = True
    site.guard._here.time = site.time.clock()
    pauses = iter(range(10))

    def ramp() -> None:
        if next(pauses) == 5:
            site.forklift.values["forklift/7"] = 6.1

    object.__setattr__(site.guard._here.time, "sleep", lambda seconds: (site.time.wait(seconds), ramp()))
    answer = site.set()
    assert (answer.outcome, answer.value) == ("done", 6.1)
    assert site.forklift.safe == []


def test_an_error_when_setting_ends_at_fail_safe(site: Site) -> None:
    def fail() -> None:
        raise ConnectionResetError("the broker closed the connection")

    site.forklift.on_apply = fail
    answer = site.set()
    assert answer.outcome == "fail_safe"
    assert "expected an acknowledgement, got: the broker closed the connection" in answer.reason
    assert safe(site)


def test_a_link_lost_while_moving_is_unknown_and_asked_for_safety(site: Site) -> None:
    site.forklift.on_apply = lambda: setattr(site.forklift, "link", False)
    answer = site.set()
    assert (answer.outcome, answer.value) == ("unknown", None)
    assert "read back within 1 s, got nothing (no route to the forklift)" in answer.reason
    assert "look at forklift/7 itself" in answer.reason
    assert site.forklift.safe == ["forklift/7"]


@pytest.mark.parametrize(
    "state", [State(float("nan"), "km/h", NOW, "0" * 64), State(6.0, "mph", NOW, "0" * 64), State(6.0, "km/h", NOW - timedelta(seconds=9), "0" * 64),
              State(None, "km/h", NOW, "0" * 64)],  # type: ignore[arg-type]
    ids=["nan", "unit", "stale", "none"],
)  # fmt: skip
def test_what_is_read_back_must_be_a_fresh_number_in_the_unit(site: Site, state: State) -> None:
    site.forklift.read_back = lambda target, parameter: state  # type: ignore[method-assign]
    answer = site.set()
    assert answer.outcome == "fail_safe"
    assert safe(site)


def test_a_fault_while_reading_back_ends_at_fail_safe(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    from twinlab.commands.guard import acting

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(acting, "_within", broken)
    answer = site.set()
    assert answer.outcome == "fail_safe"
    assert "fault while reading back: ZeroDivisionError" in answer.reason
    assert safe(site)


def test_a_link_that_is_silent_takes_what_was_set_to_fail_safe_once(site: Site) -> None:
    site.set()
    for _ in range(3):
        site.time.wait(2)
        site.guard.link_alive("forklift/7")
        site.guard.tick()
    assert site.forklift.safe == []
    for _ in range(3):
        site.time.wait(2)
        site.guard.tick()
    assert site.forklift.safe == ["forklift/7"]
    assert safe(site)
    lost = [entry for entry in site.entries if entry["kind"] == "link lost"]
    assert len(lost) == 1
    assert "expected a sign of life within 3 s, got none for 4 s" in lost[0]["what"]["reason"]


def test_a_target_that_was_never_set_is_left_alone_when_its_link_is_silent(site: Site) -> None:
    site.select()
    site.time.wait(60)
    site.guard.tick()
    assert site.forklift.safe == []


def test_a_silent_link_is_noticed_after_a_restart_too(site: Site) -> None:
    site.set()
    site.restart()
    site.time.wait(2)
    site.guard.tick()
    assert site.forklift.safe == []
    site.time.wait(2)
    site.guard.tick()
    assert safe(site)


def test_a_silent_link_while_moving_ends_at_fail_safe_whatever_the_asset_answers(site: Site) -> None:
    flying = under_way(site)
    site.time.wait(3.5)
    site.guard.tick()
    assert safe(site)
    answer = ended(*flying)
    assert answer.outcome == "fail_safe"
    assert "expected a sign of life within 3 s" in answer.reason
    assert safe(site)


def test_an_action_that_does_not_end_is_made_safe_by_the_watch(site: Site) -> None:
    flying = under_way(site)
    site.guard.link_alive("forklift/7")
    site.time.wait(2.9)
    site.guard.tick()
    assert site.forklift.safe == []
    site.time.wait(0.2)
    site.guard.link_alive("forklift/7")
    site.guard.tick()
    site.guard.tick()
    assert site.forklift.safe == ["forklift/7"]
    assert ended(*flying).outcome == "fail_safe"
    assert site.forklift.safe == ["forklift/7", "forklift/7"]
    assert safe(site)


def test_an_emergency_stop_while_a_command_is_under_way_wins(site: Site) -> None:
    flying = under_way(site)
    assert site.guard.submit(site.stop_wire()).outcome == "done"
    answer = ended(*flying)
    assert answer.outcome == "fail_safe"
    assert "an emergency stop came meanwhile" in answer.reason
    assert safe(site)


def test_an_emergency_stop_between_the_ledger_and_the_asset_wins(site: Site) -> None:
    assert site.select().outcome == "selected"
    keep = site.record
    site.record = lambda entry: (
        keep(entry),
        site.guard.submit(site.stop_wire()) if entry["kind"] == "command accepted" else None,
    )
    answer = site.operate()
    assert answer.outcome == "refused"
    assert "nothing was set: an emergency stop came meanwhile" in answer.reason
    assert site.forklift.changes == []
    assert safe(site)


def test_two_guards_the_older_one_changes_nothing(site: Site) -> None:
    assert site.select().outcome == "selected"
    taken: list[object] = []
    keep = site.record
    # The other guard takes over after the ledger is written and before the asset is reached; it has a ledger of its own.
    from twinlab.commands.guard import GuardLedger

    site.record = lambda entry: (
        keep(entry), taken or taken.append(site.new_guard(ledger=GuardLedger(site.folder / "other.db", create=True)))
    )  # fmt: skip
    answer = site.operate()
    assert answer.outcome == "refused"
    assert "guard: expected the epoch 2, got 1: another guard has taken over" in answer.reason
    assert (site.forklift.changes, site.forklift.safe) == ([], [])


def test_a_setpoint_that_arrives_after_the_fail_safe_value_is_undone(site: Site) -> None:
    def lost() -> None:
        raise TimeoutError("no acknowledgement")

    site.forklift.on_apply = lost
    assert site.set().outcome == "fail_safe"
    site.time.wait(2)
    site.guard.link_alive("forklift/7")
    site.guard.tick()
    assert site.forklift.safe == ["forklift/7"]
    # The network delivers it now.
    site.forklift.values["forklift/7"] = 6.0
    site.guard.tick()
    assert (site.forklift.safe, site.forklift.values["forklift/7"]) == (["forklift/7"] * 2, 0.0)
    assert "expected 6 km/h never to arrive" in site.entries[-1]["what"]["reason"]


def test_a_target_that_could_not_be_reached_goes_to_safety_once_it_can(site: Site) -> None:
    def lost() -> None:
        # It arrives, and nothing after it.
        site.forklift.values["forklift/7"] = 6.0
        site.forklift.link = False
        raise TimeoutError("no acknowledgement")

    site.forklift.on_apply = lost
    assert site.set().outcome == "unknown"
    for _ in range(20):
        site.time.wait(20)
        site.guard.link_alive("forklift/7")
        site.guard.tick()
    assert site.forklift.values["forklift/7"] == 6.0
    site.forklift.link = True
    site.time.wait(2)
    site.guard.link_alive("forklift/7")
    site.guard.tick()
    assert safe(site)


def test_a_silent_link_is_tried_again_until_the_target_can_be_reached(site: Site) -> None:
    assert site.set().outcome == "done"
    site.forklift.link = False
    for _ in range(5):
        site.time.wait(4)
        site.guard.tick()
    assert site.forklift.values["forklift/7"] == 6.0
    site.forklift.link = True
    for _ in range(5):
        site.time.wait(4)
        site.guard.tick()
    assert safe(site)
    outcomes = [entry["what"]["outcome"] for entry in site.entries if entry["kind"] == "link lost"]
    assert outcomes == ["unknown"] * 5 + ["fail_safe"]


def test_what_was_refused_by_the_asset_is_not_watched(site: Site) -> None:
    test_a_gateway_whose_device_refuses_has_changed_nothing(site)
    site.time.wait(10)
    site.guard.tick()
    assert site.forklift.safe == []


def test_an_entry_that_is_written_late_has_the_time_of_what_it_is_about(site: Site) -> None:
    keep, site.record = site.record, refuse
    begun = site.time.now
    assert site.guard.submit(site.stop_wire()).outcome == "done"
    site.time.wait(50)
    site.record = keep
    site.guard.tick()
    assert site.entries[-1]["time"] == begun.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def test_a_driver_may_set_another_value_after_a_fail_safe(site: Site) -> None:
    site.forklift.acknowledges = False
    assert site.set().outcome == "fail_safe"
    site.forklift.values["forklift/7"] = 3.0
    site.guard.tick()
    # And the same value once nothing can be under way any more.
    site.time.wait(31)
    site.forklift.values["forklift/7"] = 6.0
    site.guard.tick()
    assert site.forklift.safe == ["forklift/7"]


def test_a_command_that_expires_while_the_audit_is_slow_is_not_done(site: Site) -> None:
    assert site.select().outcome == "selected"
    keep = site.record
    site.record = lambda entry: (site.time.wait(40), setattr(site.forklift, "age", -40), keep(entry))
    answer = site.operate()
    assert (answer.outcome, site.forklift.changes) == ("refused", [])
    assert "nothing was set: it expired at" in answer.reason


def test_a_target_that_is_slow_to_read_delays_no_other(site: Site) -> None:
    state, begun, go = site.forklift.state, threading.Event(), threading.Event()

    def slow(target: str, parameter: str) -> State:
        if target == "forklift/8":
            begun.set()
            assert go.wait(20)
        return state(target, parameter)

    site.forklift.state = slow  # type: ignore[method-assign]
    wire = site.wire(target="forklift/8")
    thread, found = in_thread(lambda: site.guard.submit(wire))
    assert begun.wait(20)
    assert site.set().outcome == "done"
    go.set()
    thread.join(20)
    assert found[0].outcome == "selected"


def test_an_actuator_that_cannot_be_locked_changed_nothing(site: Site) -> None:
    assert site.select().outcome == "selected"
    (site.folder / "epoch").write_text("x")
    answer = site.operate()
    assert (answer.outcome, site.forklift.changes, site.forklift.safe) == ("refused", [], [])
    assert "expected a number" in answer.reason


def refuse(_: object) -> None:
    raise OSError("no space left on the device")


def test_what_cannot_be_recorded_is_not_done(site: Site) -> None:
    assert site.select().outcome == "selected"
    keep, site.record = site.record, refuse
    operate = site.wire(operation="operate")
    answer = site.guard.submit(operate)
    assert answer.outcome == "refused"
    assert "expected an audit that can be written, got: no space left on the device" in answer.reason
    assert site.forklift.changes == []
    # Nor when it can be recorded again: it was refused.
    site.record = keep
    again = site.guard.submit(operate)
    assert again.outcome == "refused"
    assert "whose outcome is refused" in again.reason
    assert site.forklift.changes == []


def test_a_refusal_that_cannot_be_recorded_says_so(site: Site) -> None:
    site.record = refuse
    answer = site.guard.submit(b"x")
    assert answer.outcome == "refused"
    assert answer.reason.endswith("this refusal couldn't be recorded: no space left on the device")


def test_an_outcome_that_cannot_be_recorded_is_recorded_later_and_nothing_is_done_before(site: Site) -> None:
    assert site.select().outcome == "selected"
    keep = site.record

    def full_after_acting(entry: dict[str, Any]) -> None:
        if entry["kind"] == "command answered":
            raise OSError("no space left on the device")
        keep(entry)

    site.record = full_after_acting
    assert site.operate().outcome == "done"
    refused = site.select(value=5.0)
    assert (refused.outcome, site.entries[-1]["kind"]) == ("refused", "command refused")
    with pytest.raises(ControlError, match="no space"):
        site.guard.tick()
    site.record = keep
    site.guard.tick()
    assert (site.entries[-1]["kind"], site.entries[-1]["what"]["outcome"]) == ("command answered", "done")
    assert site.set(5.0).outcome == "done"


def test_a_fault_of_a_check_refuses(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(site.guard._here.all_messages, "full", broken)
    answer = site.select()
    assert answer.outcome == "refused"
    assert "fault of the guard: ZeroDivisionError" in answer.reason


def test_a_state_that_cannot_be_read_refuses(site: Site) -> None:
    wire = site.wire()
    site.forklift.link = False
    answer = site.guard.submit(wire)
    assert answer.outcome == "refused"
    assert "forklift/7: expected the reported max_speed, got: no route to the forklift" in answer.reason


def test_a_flood_is_recorded_once_a_second_with_its_number(site: Site) -> None:
    from twinlab.commands.guard import Rates

    site.rates = Rates(total=5, target=5)
    site.restart()
    for _ in range(105):
        assert site.guard.submit(b"x").outcome == "refused"
    assert len(site.entries) == 6
    site.time.wait(1.0)
    for _ in range(6):
        site.guard.submit(b"x")
    assert [entry["what"].get("more", 0) for entry in site.entries] == [0] * 6 + [99] + [0] * 5


def test_a_flood_of_what_says_it_is_a_stop_does_not_fill_the_disk(site: Site) -> None:
    from twinlab.commands.guard import Rates

    site.rates = Rates(total=5, target=5)
    site.restart()
    forged, large = site.stop_wire(signer="eve"), b"x" * 20_000
    for _ in range(50):
        assert [site.guard.submit(wire).outcome for wire in (forged, large)] == ["refused"] * 2
    assert len(site.entries) <= 6
    site.guard.tick()
    site.time.wait(1)
    site.guard.tick()
    assert sum(1 + entry["what"].get("more", 0) for entry in site.entries) == 101
    assert site.guard.submit(site.stop_wire()).outcome == "done"


def test_a_state_that_grows_old_while_the_audit_is_slow_is_not_acted_on(site: Site) -> None:
    assert site.select().outcome == "selected"
    keep = site.record
    site.record = lambda entry: (site.time.wait(6), keep(entry))
    answer = site.operate()
    assert (answer.outcome, site.forklift.changes) == ("refused", [])
    assert "became 6.0 s old while it waited" in answer.reason


def test_a_gateway_whose_device_refuses_has_changed_nothing(site: Site) -> None:
    from twinlab.errors import CommandRejectedError

    def refuses() -> None:
        raise CommandRejectedError("forklift: expected the driver's seat to be empty")

    site.forklift.on_apply = refuses
    answer = site.set()
    assert (answer.outcome, site.forklift.safe) == ("refused", [])
    assert "driver's seat" in answer.reason


def test_two_rules_of_one_thing_are_refused(site: Site) -> None:
    from twinlab.commands.guard import Guard
    from twinlab.errors import SchemaError

    with pytest.raises(SchemaError, match="expected one of max_speed for forklift/[78], got two"):
        Guard(
            [site.rule, site.rule], twin="parcel", device="gateway/1", ring=lambda: None, ledger=None,  # type: ignore[arg-type,return-value]
            actuator=site.forklift, record=site.record,
        )  # fmt: skip


def test_the_watch_reports_a_ledger_that_cannot_be_written(site: Site) -> None:
    site.set()
    site.ledger.unlink()
    site.time.wait(5)
    with pytest.raises(ControlError, match="the ledger of the guard can't be written: .*No such file"):
        site.guard.tick()
    # What must be made safe is safe.
    assert safe(site)
