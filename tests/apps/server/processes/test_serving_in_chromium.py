"""A page in Chromium whose worker is killed: it says so, loads again, and its reader is still logged in."""

import os
import re
import signal

import pytest
from bokeh.util.token import get_session_id

from twinlab.apps.login.passwords import Cost
from twinlab.apps.login.users import Users
from twinlab.apps.server.processes.assignment import worker_of

pytestmark = pytest.mark.browser
WAIT = 60_000
PASSWORD = "quiet harbour seven"


@pytest.fixture(scope="module")
def background(folder, in_background, tmp_path_factory):
    users = Users(tmp_path_factory.mktemp("served") / "users.json", cost=Cost(passes=1, memory=32))
    users.add("dora", PASSWORD, roles=["admin"])
    made = in_background(folder, users=users.path)
    made.all_run()
    yield made
    made.stop()


def test_a_page_whose_worker_is_killed_says_so_and_loads_again_as_it_was(browser, background):
    context = browser.new_context()
    context.set_default_timeout(WAIT)
    page = context.new_page()
    failed = []
    page.on("response", lambda one: failed.append((one.status, one.url)) if one.status >= 400 else None)
    page.goto(f"{background.served.url}?page=history&step=1h")
    page.get_by_label("Name").fill("dora")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    drawn = re.compile("data to|ended 20")
    page.get_by_text(drawn).first.wait_for()
    # Files come from both workers, and none is missing in one of them.
    assert failed == []
    address = page.url
    assert "page=history" in address
    # Notices come and go with a reload: they are noted where they are made.
    page.evaluate(
        """new MutationObserver(() => {
            const notice = document.getElementById("tl-lost")
            if (notice) sessionStorage.setItem("noted", `${notice.getAttribute("role")}: ${notice.textContent}`)
        }).observe(document.body, {childList: true, subtree: true})"""
    )
    token = re.search(r'"token":\s*"([^"]+)"', page.content())[1]
    pids = background.all_run()
    worker = worker_of(get_session_id(token), 2)
    with page.expect_navigation(timeout=WAIT):
        os.kill(pids[worker], signal.SIGKILL)
    page.get_by_text(drawn).first.wait_for()
    assert (
        page.evaluate("sessionStorage.getItem('noted')")
        == "alert: The connection to the server was lost. Reconnecting …"
    )
    assert page.url == address
    assert page.locator("#tl-lost").count() == 0
    background.all_run()
    context.close()
