"""The Security page in Chromium: the security officer sees it and decides, others don't; on a desktop and on a phone, light and dark."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import twinlab as tl
from tests.apps.login.web import log_in
from tests.explore.pages.security.test_page import make_twin
from twinlab.apps import start
from twinlab.apps.login.passwords import Cost
from twinlab.apps.login.users import Users
from twinlab.sources.live.guarded.quarantine import Quarantine, QuarantineEntry

pytestmark = [pytest.mark.browser]

PASSWORD = "a password for the tests"
PHONE = {"width": 390, "height": 844}
DETAIL = "Denied PUBLISH from truck-1 (d0, q1, r0, m1, 'command/x', ... (4 bytes))"


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> tl.Twin:
    lines = [(30, "new epoch", "truck-2", "epoch 2 follows 1"), (2, "publish denied", "truck-1", DETAIL)]
    made: tl.Twin = make_twin(tmp_path_factory.mktemp("security"), lines)
    quarantine = Quarantine(made.folder, "trucks")
    for number, name in enumerate(("truck-7", "truck-9")):
        entry = QuarantineEntry(
            "", "trucks", name, "rows", "unsigned", f"expected a message signed by {name!r}", 0, 0, first=1, rows=30
        )
        quarantine.add(entry, b"rows", same=bytes([number]))
    return made


@pytest.fixture(scope="module")
def served(twin: tl.Twin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    users = Users(tmp_path_factory.mktemp("users") / "users.json", cost=Cost(passes=1, memory=32))
    for name, role in (("sue", "security"), ("vic", "viewer")):
        users.add(name, PASSWORD, roles=(role,))
    page = start(twin, users=users.path, warm=False)
    yield page
    page.stop()


@pytest.fixture
def visit(served: Any, open_page: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``visit(name)``: the page of somebody who has logged in, in a browser of their own."""

    def go(name: str, **context: Any) -> Any:
        page = open_page(f"{served.url}login", **context)
        log_in(page, name, PASSWORD)
        page.goto(f"{served.url}?page=security")
        return page

    return go


def test_the_security_officer_sees_evidence_and_decides_by_name(
    visit: Callable[..., Any], twin: tl.Twin, grave_faults: Callable[[Any], list[str]]
) -> None:
    page = visit("sue")
    page.get_by_text("1 security event in the last 24 hours, 1 of high severity").wait_for()
    page.get_by_role("gridcell", name="Published on a topic of another").click()
    page.get_by_text(DETAIL).wait_for()
    page.get_by_role("gridcell", name="truck-9").first.click()
    assert page.get_by_label("Your name").input_value() == "sue"
    page.get_by_label("Why").fill("the truck is in the workshop")
    page.get_by_role("button", name="Discard").click()
    page.get_by_text("Discarded by sue").wait_for()
    table = twin.quarantine().set_index("gateway")
    assert table["state"].to_dict() == {"truck-7": "quarantined", "truck-9": "discarded"}
    assert table.loc["truck-9", ["by", "note"]].tolist() == ["sue", "the truck is in the workshop"]
    assert grave_faults(page) == []


def test_the_page_fits_a_phone_and_is_readable_in_both_themes(
    visit: Callable[..., Any], grave_faults: Callable[[Any], list[str]]
) -> None:
    page = visit("sue", viewport=PHONE, color_scheme="light")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.reload()
        page.get_by_text("Privacy budget").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        assert grave_faults(page) == []


def test_a_viewer_has_no_security_page(visit: Callable[..., Any]) -> None:
    page = visit("vic")
    page.locator(".MuiAppBar-root").first.wait_for(state="attached")
    page.wait_for_load_state("networkidle")
    assert page.get_by_text("Gateways and keys").count() == 0
