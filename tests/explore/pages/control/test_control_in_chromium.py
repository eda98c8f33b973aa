"""Control & audit in Chromium: two persons with logins of their own in two browsers at once, on a desktop and on a phone.

A story each, since a server, a login and a first page take most of the time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.apps.login.web import log_in
from tests.explore.views.control.conftest import PASSPHRASES, close, make_signing_plant
from twinlab.apps import start
from twinlab.apps.login.passwords import Cost
from twinlab.apps.login.users import Users
from twinlab.control.audit import verify_audit

pytestmark = [pytest.mark.browser]

PASSWORD = "a password for the tests"
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def users(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("users") / "users.json"
    for name, role in (("ann", "operator"), ("bob", "operator"), ("sue", "security"), ("vic", "viewer")):
        Users(path, cost=Cost(passes=1, memory=32)).add(name, PASSWORD, roles=(role,))
    return path


@pytest.fixture
def plant(tmp_path: Path, template: Path, cheap_keys: None) -> Iterator[Any]:
    """A plant of its own: its data are fresh for two minutes."""
    made = make_signing_plant(tmp_path, template)
    yield made
    close(made)


@pytest.fixture
def visit(open_page: Callable[..., Any], plant: Any, users: Path) -> Iterator[Callable[..., Any]]:
    """Return ``visit(name, query)``: the page of somebody who has logged in, in a browser of their own."""
    served = start(plant.twin, users=users, warm=False)

    def go(name: str, query: str = "page=control", **context: Any) -> Any:
        page = open_page(f"{served.url}login", **context)
        log_in(page, name, PASSWORD)
        page.goto(f"{served.url}?{query}")
        return page

    yield go
    served.stop()


def propose(page: Any, asset: str, value: str, why: str) -> None:
    page.get_by_role("gridcell", name=asset, exact=True).click()
    page.get_by_label("Setpoint", exact=True).fill(value)
    page.get_by_label("Why").fill(why)
    page.get_by_role("button", name="Propose").click()


def approve(page: Any, name: str) -> None:
    page.get_by_label("Passphrase").last.fill(PASSPHRASES[name])
    page.get_by_role("button", name="Approve", exact=True).click()


def test_two_persons_approve_send_and_stop_in_two_browsers(
    visit: Callable[..., Any], plant: Any, grave_faults: Callable[[Any], list[str]]
) -> None:
    ann, bob = visit("ann"), visit("bob", "page=control&part=plans", viewport=PHONE)
    bob.get_by_text("No plan yet").wait_for()
    # What is beyond a limit says so, and can't be approved.
    propose(ann, "forklift/F01", "13 km/h", "faster")
    ann.get_by_text("expected a setpoint from 0 to 12 km/h").first.wait_for()
    assert not ann.get_by_role("button", name="Approve", exact=True).is_visible()
    ann.get_by_role("button", name="Setpoints", exact=True).click()
    propose(ann, "cold_room/R03", "3 degC", "a warm night")
    ann.get_by_text("It needs the signature of 2 different persons").wait_for()
    # The other browser sees it by itself.
    bob.get_by_role("gridcell", name="cold_room/R03").click()
    bob.get_by_text("It needs the signature of 2 different persons").wait_for()
    ann.get_by_label("Passphrase").last.fill("not this one at all")
    ann.get_by_role("button", name="Approve", exact=True).click()
    ann.get_by_text("the passphrase isn't the one of the key of Ann").wait_for()
    approve(ann, "Ann")
    bob.get_by_text("Signed by Ann until").wait_for()
    approve(bob, "Bob")
    ann.get_by_text("Signed by Ann and Bob. It can be sent until").wait_for()
    assert plant.device.changes == []
    ann.get_by_role("button", name="Send", exact=True).click()
    for page in (ann, bob):
        page.get_by_text("done: asked for 3 degC, reports 3 degC, signed by plant").wait_for()
        assert page.locator("li[data-state=done]").count() == 4
        # What was predicted is compared with what comes.
        page.get_by_text("Predicted against actual: not yet").wait_for()
    assert plant.device.changes == [("cold_room/R03", "set_point", 3.0)]
    assert plant.twin.audit_rows(newest=1, kinds=("plan sent",))["who"][0] == ("Ann", "Bob")
    for page in (ann, bob):
        assert grave_faults(page) == []
    # An emergency stop is one press, from every part, wherever the page is scrolled to.
    bob.get_by_label("Asset to stop").fill("F02")
    bob.get_by_role("option", name="forklift/F02").click()
    bob.get_by_label("Passphrase").first.fill(PASSPHRASES["Bob"])
    bob.get_by_role("button", name="Unlock for this shift").click()
    bob.get_by_text("Bob can stop assets by one press").wait_for()
    bob.get_by_role("button", name="Setpoints", exact=True).click()
    bob.get_by_role("gridcell", name="forklift/F01", exact=True).hover()
    bob.mouse.wheel(0, 2000)
    stop = bob.get_by_role("button", name="Emergency stop")
    bob.wait_for_function("window.scrollY > 0 || document.scrollingElement.scrollHeight <= innerHeight")
    box = stop.bounding_box()
    assert 0 <= box["y"] <= PHONE["height"] - box["height"]
    stop.click()
    bob.get_by_text("forklift/F02: ").wait_for()
    assert plant.device.values["forklift/F02", "max_speed"] == 0.0
    assert bob.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_the_security_officer_sees_the_proof_and_that_it_breaks_and_a_viewer_has_no_such_page(
    visit: Callable[..., Any], plant: Any, grave_faults: Callable[[Any], list[str]]
) -> None:
    plant.twin.propose("forklift/F01", "max_speed", "6 km/h", reason="ice in the yard")
    plant.audit.flush()
    page = visit("sue", "page=control&part=audit&find=ice")
    # Her login is a row, too; its head is signed within ten seconds, or now.
    plant.audit.flush()
    page.get_by_role("button", name="Prove again").click()
    page.get_by_text("All are proved by signed heads.").wait_for()
    page.get_by_role("gridcell", name="proposal", exact=True).click()
    page.get_by_text("Row 1: proposal").wait_for()
    assert grave_faults(page) == []
    path = next((plant.twin.folder / "audit" / "rows").iterdir())
    path.write_bytes(path.read_bytes().replace(b"ice in the yard", b"ice on the yard"))
    page.get_by_role("button", name="Prove again").click()
    page.get_by_text("Broken at row 1").wait_for()
    assert verify_audit(plant.twin.folder / "audit").rows <= 2
    viewer = visit("vic")
    viewer.get_by_text("Map", exact=True).first.wait_for()
    viewer.wait_for_load_state("networkidle")
    assert viewer.get_by_role("button", name="Emergency stop").count() == 0
    assert viewer.get_by_text("Control & audit", exact=True).count() == 0
