"""From a proposal to a value that was read back, and everything that refuses on the way."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import twinlab as tl
from twinlab.control.proposals import Desk
from twinlab.control.proposals.plan_store import DatabasePlans, FilePlans
from twinlab.database.documents import Documents
from twinlab.database.opening import open_database
from twinlab.errors import (
    CommandExpiredError,
    CommandRejectedError,
    ControlError,
    SchemaError,
    SourceError,
    UnitError,
    UnknownTermError,
)
from twinlab.model.storage.catalogues import CatalogueStore

REASON = "ice in the yard"


def _slow(plant: Any, value: object = "6 km/h") -> Any:
    return plant.twin.propose("forklift/F01", "max_speed", value, reason=REASON)


def test_a_forklift_is_slowed_end_to_end(plant: Any) -> None:
    plan = _slow(plant)
    assert (plan.verdict, plan.refused, plan.status) == ("safe", (), "proposed")
    assert [one.kind for one in plan.proposal.effects] == ["queue", "stopping"]
    result = plan.approve(as_=plant.signers["Ann"]).send()
    assert (result.outcome, result.predicted, result.reported, result.unit) == ("done", 6.0, 6.0, "km/h")
    assert result.device == "plant"
    assert [step.name for step in result.steps] == ["select", "select at the device", "operate", "read back"]
    assert plant.device.changes == [("forklift/F01", "max_speed", 6.0)]
    kinds = [row.kind for row in plant.rows()]
    assert [kinds.count(one) for one in ("proposal", "approval", "plan sent", "command accepted")] == [1, 1, 2, 2]
    assert [row.who for row in plant.rows("plan sent")] == [("Ann",), ("Ann",)]


def test_setpoints_are_beside_what_is_reported(plant: Any) -> None:
    assert set(plant.twin.setpoints()["state"]) == {"not set"}
    _slow(plant).approve(as_=plant.signers["Ann"]).send()
    row = plant.twin.setpoints().loc["forklift/F01"]
    # The device has it; its next report is still to come.
    assert (row["setpoint"], row["reported"], row["state"], row["set_by"]) == (6.0, 8.0, "differs", "Ann")
    assert plant.twin.commands.loc[("cold_room", "set_point"), "people"] == 2


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("13 km/h", "expected a setpoint from 0 to 12 km/h"),
        ("1 km/h", "expected a step of at most 6 km/h, got 7 km/h"),
        ("8 km/h", "expected another value than the reported one"),
    ],
)
def test_limits_and_steps_refuse_before_anything_is_simulated(plant: Any, value: str, said: str) -> None:
    plan = _slow(plant, value)
    assert plan.status == "refused"
    assert plan.proposal.effects == ()
    assert said in " ".join(plan.refused)
    with pytest.raises(CommandRejectedError, match=said):
        plan.approve(as_=plant.signers["Ann"])


def test_names_units_and_reasons_are_checked_at_once(plant: Any) -> None:
    propose = plant.twin.propose
    with pytest.raises(UnknownTermError, match="did you mean 'max_speed'"):
        propose("forklift/F01", "max_sped", 6, reason=REASON)
    with pytest.raises(UnknownTermError, match="F77"):
        propose("forklift/F77", "max_speed", 6, reason=REASON)
    with pytest.raises(UnknownTermError, match="nothing of 'hub' can be set"):
        propose("hub/FRA", "max_speed", 6, reason=REASON)
    with pytest.raises(UnitError):
        propose("forklift/F01", "max_speed", "6 kg", reason=REASON)
    with pytest.raises(SchemaError):
        propose("forklift/F01", "max_speed", "1e999", reason=REASON)
    with pytest.raises(CommandRejectedError, match="reason"):
        propose("forklift/F01", "max_speed", 6, reason=" ")
    assert propose("forklift/F01", "max_speed", "1.5 m/s", reason=REASON).proposal.value == 5.4


def test_stale_data_refuse(plant: Any) -> None:
    plan = _slow(plant)
    plant.now.wait(150)
    with pytest.raises(CommandRejectedError, match="max_speed is stale"):
        plan.approve(as_=plant.signers["Ann"])
    assert "stale" in " ".join(_slow(plant).refused)
    assert plant.device.changes == []


def test_sources_that_are_not_settled_refuse(plant: Any) -> None:
    plan = _slow(plant)
    plant.twin.control._settled = lambda target, _: f"what is known of {target} isn't settled: rows missing"
    with pytest.raises(CommandRejectedError, match="rows missing"):
        plan.approve(as_=plant.signers["Ann"])
    assert "rows missing" in " ".join(_slow(plant).refused)


def test_a_state_that_moved_since_it_was_shown_refuses(plant: Any, tmp_path: Path) -> None:
    plan = _slow(plant)
    path = tmp_path / "more.csv"
    path.write_text(
        f"time,forklift,max_speed,person_distance\n{plant.now():%Y-%m-%dT%H:%M:%SZ},F01,7,12\n", encoding="utf-8"
    )
    plant.twin.ingest(tl.sources.csv(path, name="drives"))
    with pytest.raises(CommandRejectedError, match="has changed since it was shown"):
        plan.approve(as_=plant.signers["Ann"])


def test_the_device_refuses_if_its_own_state_is_another(plant: Any) -> None:
    plan = _slow(plant).approve(as_=plant.signers["Ann"])
    plant.device.values["forklift/F01", "max_speed"] = 7.0
    result = plan.send()
    assert result.outcome == "refused"
    assert "changed since it was looked at" in result.reason
    assert plant.device.changes == []


def test_two_persons_sign_where_the_model_says_so(plant: Any) -> None:
    plan = plant.twin.propose("cold_room/R03", "set_point", "3 degC", reason="a warm night")
    plan.approve(as_=plant.signers["Ann"])
    with pytest.raises(CommandRejectedError, match="expected signatures of 2 different persons, got 1"):
        plan.send()
    with pytest.raises(CommandRejectedError, match="another person"):
        plan.approve(as_=plant.signers["Ann"])
    # Another session, with another browser.
    other = plant.twin.plan(plan.id)
    assert (other.persons, other.status) == (("Ann",), "proposed")
    other.approve(as_=plant.signers["Bob"])
    assert other.signed_by() == ("Ann", "Bob")
    assert other.send().outcome == "done"
    with pytest.raises(CommandRejectedError, match="another session has sent"):
        plan.send()
    assert plant.device.changes == [("cold_room/R03", "set_point", 3.0)]


def test_who_may_not_send_can_not_approve(plant: Any) -> None:
    plan = _slow(plant)
    with pytest.raises(CommandRejectedError, match="role operator or dispatcher, got Vic, who has viewer"):
        plan.approve(as_=plant.signers["Vic"])
    with pytest.raises(CommandRejectedError, match="key of a person"):
        plan.approve(as_=plant.signers["plant"])
    with pytest.raises(UnknownTermError, match="whose key is on this machine"):
        plan.approve(as_="Ann")
    plant.write_keys("Ann")
    with pytest.raises(CommandRejectedError, match="isn't revoked"):
        plan.approve(as_=plant.signers["Ann"])
    assert [row.what["outcome"] for row in plant.rows("approval")] == ["refused"]


def test_signatures_last_a_minute(plant: Any) -> None:
    plan = _slow(plant).approve(as_=plant.signers["Ann"])
    plant.now.wait(61)
    assert plan.status == "expired"
    with pytest.raises(CommandExpiredError, match="expired"):
        plan.send()
    assert plan.approve(as_=plant.signers["Ann"]).send().outcome == "done"


def test_a_plan_is_sent_once(plant: Any) -> None:
    plan = _slow(plant).approve(as_=plant.signers["Ann"])
    plan.send()
    with pytest.raises(CommandRejectedError, match="never repeated"):
        plan.send()
    assert len(plant.device.changes) == 1


def test_no_answer_ends_in_unknown_and_is_not_repeated(plant: Any) -> None:
    plan = _slow(plant).approve(as_=plant.signers["Ann"])
    channel = plant.device
    real = channel.send

    def lose(wire: bytes, *, target: str, timeout: float) -> bytes:
        answer = real(wire, target=target, timeout=timeout)
        if channel.changes:
            raise ControlError(f"{target}: no answer")
        return bytes(answer)

    channel.send = lose
    result = plan.send()
    assert (result.outcome, result.reported) == ("unknown", 6.0)
    assert plan.status == "unknown"
    assert channel.changes == [("forklift/F01", "max_speed", 6.0)]


def test_a_link_that_is_lost_after_operate_leaves_a_result_and_a_row(plant: Any) -> None:
    plan = _slow(plant).approve(as_=plant.signers["Ann"])
    channel = plant.device
    send, read = channel.send, channel.read

    def lose(wire: bytes, *, target: str, timeout: float) -> bytes:
        answer = send(wire, target=target, timeout=timeout)
        if channel.changes:
            raise ControlError(f"{target}: no answer")
        return bytes(answer)

    def unreachable(target: str, parameter: str, *, timeout: float) -> Any:
        if channel.changes:
            raise SourceError("gateway 127.0.0.1:1: no connection; nothing was sent")
        return read(target, parameter, timeout=timeout)

    channel.send, channel.read = lose, unreachable
    result = plan.send()
    assert (result.outcome, result.reported) == ("unknown", None)
    assert result.steps[-1].said == "gateway 127.0.0.1:1: no connection; nothing was sent"
    assert plant.twin.plan(plan.id).status == "unknown"
    assert [row.what["outcome"] for row in plant.rows("plan sent")] == ["under way", "unknown"]
    with pytest.raises(CommandRejectedError, match="never repeated"):
        plan.send()


def test_a_link_that_is_lost_before_the_selection_refuses(plant: Any) -> None:
    plan = _slow(plant).approve(as_=plant.signers["Ann"])

    def unreachable(wire: bytes, *, target: str, timeout: float) -> bytes:
        raise SourceError("gateway 127.0.0.1:1: no connection; nothing was sent")

    plant.device.send = unreachable
    result = plan.send()
    assert result.outcome == "refused"
    assert result.reason == "nothing was set: gateway 127.0.0.1:1: no connection; nothing was sent"
    assert plan.status == "refused"
    assert plant.device.changes == []


def test_a_read_back_that_differs_goes_to_fail_safe(plant: Any) -> None:
    plant.device.stuck = True
    plan = _slow(plant).approve(as_=plant.signers["Ann"])
    clock = plant.device.guard._here.time
    object.__setattr__(clock, "sleep", lambda seconds: None)
    ticks = iter(range(10**6))
    object.__setattr__(clock, "monotonic", lambda: float(next(ticks)))
    result = plan.send()
    assert (result.outcome, result.reported) == ("fail_safe", 0.0)


def test_an_audit_that_can_not_be_written_stops_everything_but_the_emergency_stop(plant: Any) -> None:
    plan = _slow(plant).approve(as_=plant.signers["Ann"])

    def full(_: object) -> None:
        raise OSError(28, "No space left on device")

    plant.record = full
    with pytest.raises(ControlError, match="nothing is sent"):
        plan.send()
    with pytest.raises(ControlError, match="nothing is sent"):
        _slow(plant)
    assert plant.device.changes == []
    assert plant.twin.emergency_stop("forklift/F01", as_=plant.signers["Ann"]).outcome == "done"


def test_an_emergency_stop_needs_no_proposal_and_no_fresh_state(plant: Any) -> None:
    plant.now.wait(86_400)
    result = plant.twin.emergency_stop("forklift/F02", as_=plant.signers["Bob"], reason="somebody fell")
    assert (result.outcome, result.reported, result.predicted) == ("done", 0.0, 0.0)
    refused = plant.twin.emergency_stop("forklift/F02", as_=plant.signers["Vic"])
    assert refused.outcome == "refused"


def test_an_emergency_stop_needs_no_memory_of_the_twin(plant: Any) -> None:
    folder = plant.twin.folder / "control"
    folder.mkdir(exist_ok=True)
    (folder / "guard.db").write_bytes(b"x" * 5000)
    with pytest.raises(ControlError, match="can't be opened"):
        _slow(plant).approve(as_=plant.signers["Ann"]).send()
    result = plant.twin.emergency_stop("forklift/F02", as_=plant.signers["Bob"], reason="somebody fell")
    assert (result.outcome, result.reported, result.device) == ("done", 0.0, "plant")
    (row,) = plant.rows("emergency stop")
    assert (row.who, row.what["outcome"], row.what["asked_because"]) == (("Bob",), "done", "somebody fell")
    plant.device.answers = False
    lost = plant.twin.emergency_stop("forklift/F02", as_=plant.signers["Bob"])
    assert lost.outcome == "unknown"
    assert "look at forklift/F02 itself" in lost.reason


def test_an_emergency_stop_beside_a_guard_that_has_sent_ends_what_is_under_way(plant: Any) -> None:
    assert _slow(plant).approve(as_=plant.signers["Ann"]).send().outcome == "done"
    assert plant.twin.control.has_guard
    result = plant.twin.emergency_stop("forklift/F01", as_=plant.signers["Bob"])
    assert (result.outcome, result.reported) == ("done", 0.0)
    assert plant.rows("command answered")[-1].what["operation"] == "stop"


def test_a_stored_plan_reads_back_equal_and_a_changed_file_does_not_send(plant: Any) -> None:
    plan = _slow(plant).approve(as_=plant.signers["Ann"])
    again = plant.twin.plan(plan.id)
    assert again.proposal == plan.proposal
    path = plant.twin.folder / "control" / "plans" / f"{plan.id}.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    data["proposal"]["value"] = 4.0
    path.write_text(json.dumps(data), encoding="utf-8")
    result = plant.twin.plan(plan.id)
    with pytest.raises(CommandRejectedError, match="was signed"):
        result.send()
    assert plant.device.changes == []


def test_a_twin_without_commands_is_read_only(tmp_path: Path) -> None:
    (tmp_path / "gauge.csv").write_text("time,level (m)\n2026-03-01T00:00Z,2.1\n", encoding="utf-8")
    twin = tl.create(tmp_path / "pilot", files=[tmp_path / "gauge.csv"])
    for act in (
        lambda: twin.propose("gauge/gauge", "level", 2, reason=REASON),
        lambda: twin.emergency_stop("gauge/gauge", as_="Ann"),
    ):
        with pytest.raises(CommandRejectedError, match="is read-only: its twin.yaml has no `commands:`"):
            act()
    assert twin.commands.empty
    assert twin.setpoints().empty


def test_after_a_guard_with_another_ledger_only_what_is_signed_later_is_sent(plant: Any) -> None:
    plan = _slow(plant).approve(as_=plant.signers["Ann"])
    assert plant.twin.control.guard is not None
    plant.twin.control.carried._fence.advance()
    result = plan.send()
    assert result.outcome == "refused"
    assert "another guard may have carried it out; decide again" in result.reason
    assert plant.device.changes == []


def test_what_a_person_sees_has_verdict_numbers_and_escapes(plant: Any) -> None:
    plan = plant.twin.propose("forklift/F01", "max_speed", "6 km/h", reason="<script>ice</script>")
    shown = plan._repr_html_()
    assert "<script>" not in shown
    assert shown.count("<svg") == 1
    assert "✓ safe" in shown
    assert "refused" in _slow(plant, "13 km/h")._repr_html_()
    assert "8 -> 6 km/h" in repr(plan)


def _other_process(plant: Any) -> Any:
    """Return the twin as another process opens it."""
    other = tl.open(plant.twin.folder)
    desk = plant.twin.control
    other.control = Desk(
        desk.folder, reader=lambda: other.reader, ring=desk.ring, record=desk.record, channel=lambda: plant.device, clock=plant.now,
        plans=None if isinstance(desk.stored, FilePlans) else desk.stored,
    )  # fmt: skip
    return other


@pytest.fixture
def sharing(plant: Any, catalogue_url: str | None) -> Iterator[Any]:
    """A plant whose plans are files, or in a database."""
    if catalogue_url is None:
        yield plant
        return
    settings = CatalogueStore(url=catalogue_url)
    database = open_database(settings, folder=plant.twin.folder, twin=f"t{uuid.uuid4().hex[:12]}")
    plant.twin.control.stored = DatabasePlans(Documents(database, "plan"), plant.twin.folder / "control")
    yield plant
    database.close()


def test_two_processes_send_in_turn(plant: Any) -> None:
    other = _other_process(plant)
    for place, twin in enumerate((plant.twin, other, plant.twin, other), 1):
        plan = twin.propose(f"forklift/F{place:02d}", "max_speed", "6 km/h", reason=REASON).approve(
            as_=plant.signers["Ann"]
        )
        result = plan.send()
        assert (result.outcome, result.reason.count("taken over")) == ("done", 0)
    assert other.emergency_stop("forklift/F01", as_=plant.signers["Bob"]).outcome == "done"
    assert plant.twin.emergency_stop("forklift/F02", as_=plant.signers["Bob"]).outcome == "done"
    other.control.close()


def test_one_plan_is_sent_once_by_two_sessions_at_once(sharing: Any) -> None:
    plant = sharing
    plan = _slow(plant).approve(as_=plant.signers["Ann"])
    sessions = [plan, plant.twin.plan(plan.id), _other_process(plant).plan(plan.id)]
    outcomes: list[str] = []

    def send(one: Any) -> None:
        try:
            outcomes.append(one.send().outcome)
        except CommandRejectedError as error:
            outcomes.append("already" if "was" in str(error) or "has sent" in str(error) else str(error))

    threads = [threading.Thread(target=send, args=(one,)) for one in sessions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["already", "already", "done"]
    assert plant.device.changes == [("forklift/F01", "max_speed", 6.0)]


def test_two_persons_who_sign_at_once_both_count(sharing: Any) -> None:
    plant = sharing
    plan = plant.twin.propose("cold_room/R03", "set_point", "3 degC", reason="a warm night")
    # Both looked at it before either signed.
    ann, bob = plant.twin.plan(plan.id), _other_process(plant).plan(plan.id)
    threads = [
        threading.Thread(target=lambda one=one, name=name: one.approve(as_=plant.signers[name]))
        for one, name in ((ann, "Ann"), (bob, "Bob"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(plant.twin.plan(plan.id).persons) == ["Ann", "Bob"]
    assert plant.twin.plan(plan.id).send().outcome == "done"
