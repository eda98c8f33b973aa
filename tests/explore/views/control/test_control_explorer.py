"""The page Control & audit without a browser: propose, sign as two persons, send, stop, prove."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests.explore.views.control.conftest import PASSPHRASES
from twinlab.errors import SchemaError
from twinlab.explore.kit.link import Link
from twinlab.explore.kit.session import Session
from twinlab.explore.pages.control import PAGE
from twinlab.explore.views.control.explorer import ControlExplorer
from twinlab.explore.views.control.possible import can_command, has_control
from twinlab.explore.views.control.signing import SHIFT, SignerOfPage
from twinlab.testing import FakeTwin


def page_of(plant: Any, user: str = "", **link: Any) -> ControlExplorer:
    return ControlExplorer(plant.twin, session=Session(user=user), link=Link(**link))


def propose(page: ControlExplorer, target: str, value: str, reason: str = "ice in the yard") -> None:
    page.setpoints.choose(target)
    page.setpoints.value.value, page.setpoints.reason.value = value, reason
    page.setpoints.propose_now()


def test_setpoints_are_shown_beside_what_is_reported(signing_plant: Any) -> None:
    page = page_of(signing_plant)
    shown = page.setpoints._grid.value
    assert list(shown["asset"][:2]) == ["forklift/F01", "forklift/F02"]
    assert shown.loc[0, ["setpoint", "reported", "state"]].tolist() == ["–", "8 km/h", "· not set"]
    assert page.data() is page.setpoints.table
    assert page.code().endswith("data = twin.setpoints()\n")
    page.setpoints.choose("forklift/F01")
    assert "in steps of at most" in page.setpoints.hint.object
    assert page.stop.target.value == "forklift/F01"


def test_a_command_of_one_person_is_proposed_signed_and_sent(signing_plant: Any) -> None:
    page = page_of(signing_plant, "Ann")
    propose(page, "forklift/F01", "6 km/h")
    assert page.part == "plans"
    plan = page.plans
    assert "<svg" in plan._picture.object
    assert "It needs the signature of one person with the role" in plan._signatures.object
    assert (plan.approve.visible, plan.send.visible) == (True, False)
    plan.passphrase.value = PASSPHRASES["Ann"]
    plan.approve_now()
    assert plan.passphrase.value == ""
    assert not plan.alert.visible
    assert "Signed by Ann. It can be sent until" in plan._signatures.object
    assert (plan.approve.visible, plan.send.visible) == (False, True)
    plan.send_now()
    assert signing_plant.device.changes == [("forklift/F01", "max_speed", 6.0)]
    assert plan._timeline.object.count('<li data-state="done"') == 4
    assert "done: asked for 6 km/h, reports 6 km/h, signed by plant" in plan._timeline.object
    assert not plan._buttons.visible
    # Each step was shown as it happened.
    assert [one.outcome for one in plan._steps] == [
        "under way", "selected", "under way", "selected", "under way", "done", "under way", "reported",
    ]  # fmt: skip
    assert page.link() == Link(part="plans", find=plan.chosen)


def test_two_persons_sign_on_two_pages(signing_plant: Any) -> None:
    ann, bob = page_of(signing_plant, "Ann"), page_of(signing_plant, "Bob", part="plans")
    propose(ann, "cold_room/R03", "3 degC", "a warm night")
    ann.plans.passphrase.value = PASSPHRASES["Ann"]
    ann.plans.approve_now()
    bob.refresh()
    assert bob.plans.table.iloc[0]["persons"] == ("Ann",)
    bob.plans.choose(ann.plans.chosen)
    assert "Signed by Ann until" in bob.plans._signatures.object
    bob.plans.passphrase.value = PASSPHRASES["Bob"]
    bob.plans.approve_now()
    ann.refresh()
    assert "Signed by Ann and Bob. It can be sent until" in ann.plans._signatures.object
    assert "signed by Ann and Bob" in ann.plans._picture.object
    ann.plans.send_now()
    bob.refresh()
    assert 'data-state="done"' in bob.plans._timeline.object
    assert signing_plant.device.changes == [("cold_room/R03", "set_point", 3.0)]


@pytest.mark.parametrize(
    ("user", "passphrase", "why"),
    [
        ("Ann", "wrong passphrase", "the passphrase isn't the one of the key of Ann"),
        ("Vic", "anything at all", "expected Vic to sign, got nobody"),
        ("Mallory", PASSPHRASES["Ann"], "expected Mallory to sign, got nobody"),
    ],
)
def test_who_has_no_key_here_signs_nothing(signing_plant: Any, user: str, passphrase: str, why: str) -> None:
    page = page_of(signing_plant, user)
    propose(page, "forklift/F01", "6 km/h")
    page.plans.passphrase.value = passphrase
    page.plans.approve_now()
    assert why in page.plans.alert.object
    assert page.plans.plan.status == "proposed"


def test_who_has_no_key_here_reads_how_it_is_made(signing_plant: Any) -> None:
    page = page_of(signing_plant, "Vic")
    propose(page, "forklift/F01", "6 km/h")
    assert (
        f"Vic has no key on this server, and signs nothing here. It is made with: twinlab keys seal {signing_plant.twin.folder} Vic."
        in page.plans._signatures.object
    )
    assert page.plans.approve.disabled
    assert page.stop.stop.disabled
    assert "Use the stop at the asset itself." in page.stop.said.object


def test_what_is_refused_says_why_and_cannot_be_signed(signing_plant: Any) -> None:
    page = page_of(signing_plant, "Ann")
    propose(page, "forklift/F01", "13 km/h")
    assert "expected a setpoint from 0 to 12 km/h" in page.plans._picture.object
    assert not page.plans._buttons.visible
    page.part = "setpoints"
    propose(page, "forklift/F01", "6 kg")
    assert page.setpoints.alert.visible
    assert page.part == "setpoints"
    page.setpoints.value.value = ""
    page.setpoints.propose_now()
    assert page.setpoints.alert.object == "Expected a setpoint; nothing was proposed."


def test_signatures_that_expired_are_said_to(signing_plant: Any) -> None:
    page = page_of(signing_plant, "Ann")
    propose(page, "forklift/F01", "6 km/h")
    page.plans.passphrase.value = PASSPHRASES["Ann"]
    page.plans.approve_now()
    signing_plant.now.wait(61)
    page.refresh()
    assert "older than 60 s" in page.plans._signatures.object
    assert not page.plans._buttons.visible
    assert signing_plant.device.changes == []


def test_an_emergency_stop_needs_one_press_once_the_key_is_unlocked(signing_plant: Any) -> None:
    page = page_of(signing_plant, "Bob")
    stop = page.stop
    stop.stop_now()
    assert "Choose an asset to stop." in stop.said.object
    stop.target.value = "forklift/F02"
    stop.stop_now()
    assert "forklift/F02 wasn&#39;t stopped: the passphrase isn&#39;t the one" in stop.said.object
    stop.passphrase.value = PASSPHRASES["Bob"]
    stop._unlock()
    assert (stop.passphrase.visible, stop.lock.visible) == (False, True)
    stop.stop_now()
    assert "✓" in stop.said.object
    assert signing_plant.device.values["forklift/F02", "max_speed"] == 0.0
    # An unlocked key signs no plan.
    propose(page, "forklift/F01", "6 km/h")
    page.plans.approve_now()
    assert "the passphrase isn't the one of the key of Bob" in page.plans.alert.object
    stop._lock()
    assert (stop.passphrase.visible, stop.lock.visible) == (True, False)


def test_a_stop_without_an_answer_says_what_to_do(signing_plant: Any) -> None:
    page = page_of(signing_plant, "Bob")
    signing_plant.device.answers = False
    page.stop.target.value, page.stop.passphrase.value = "forklift/F02", PASSPHRASES["Bob"]
    page.stop.stop_now()
    assert "✕" in page.stop.said.object


def test_an_unlocked_key_is_forgotten_after_a_shift() -> None:
    now = [0.0]
    twin = SimpleNamespace(signing_names=lambda: ["Ann"], unlock_key=lambda name, passphrase: f"{name}'s signer")
    signing = SignerOfPage(twin, "Ann", clock=lambda: now[0])
    signing.unlock("Ann", "x")
    now[0] = SHIFT - 1
    assert signing.unlocked("Ann") == "Ann's signer"
    now[0] = SHIFT
    assert signing.unlocked("Ann") is None


def broken_rows(**_: Any) -> None:
    message = "row 1: expected JSON"
    raise SchemaError(message)


def test_the_audit_is_shown_with_its_proof(signing_plant: Any) -> None:
    page = page_of(signing_plant, "Ann")
    propose(page, "forklift/F01", "6 km/h")
    signing_plant.audit.flush()
    audit = page_of(signing_plant, "Ann", part="audit")
    assert "Intact: 2 rows" in audit.audit._proof.object
    assert "All are proved by signed heads." in audit.audit._proof.object
    assert audit.audit._grid.value["what"][0].startswith("forklift/F01 max speed → 6 km/h; proposed; ice in the yard")
    audit.audit.text.value = "nobody wrote this"
    assert "No rows" in audit.audit._place[0].object
    audit.audit.text.value = "ICE"
    assert len(audit.audit.rows) == 1
    assert audit.link() == Link(part="audit", find="ICE")
    assert list(audit.tables()) == ["audit"]
    rows = signing_plant.twin.audit_rows
    signing_plant.twin.audit_rows = broken_rows
    audit.audit.text.value = "F01"
    assert audit.notice == "The data can't be read: row 1: expected JSON"
    assert len(audit.audit.rows) == 1
    signing_plant.twin.audit_rows = rows
    path = next((signing_plant.twin.folder / "audit" / "rows").iterdir())
    path.write_bytes(path.read_bytes().replace(b"ice in the yard", b"ice on the yard"))
    audit.audit.prove_now()
    assert "Broken at row 1" in audit.audit._proof.object


def test_a_read_only_twin_says_what_to_state(template: Any) -> None:
    twin = FakeTwin.example(days=1, trips=1)
    assert not has_control(twin)
    assert PAGE.has(twin) is False
    page = ControlExplorer(twin)
    assert "This twin is read-only" in str(page.__panel__().object)
    assert page.data() is None
    assert page.tables() == {}
    assert page.code() == ""


def test_a_link_with_an_unknown_plan_becomes_a_notice(signing_plant: Any) -> None:
    assert can_command(signing_plant.twin)
    page = page_of(signing_plant, part="plans", find="abc")
    assert "the twin has no plan 'abc'" in page.notice
    assert page.settings()["part"] == "plans"
    assert page.figure() is None
