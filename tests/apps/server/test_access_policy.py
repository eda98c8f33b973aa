"""The access policy of a served twin: checked at the start, applied to each session, and again when it changes."""

import asyncio
import json

import pytest

from tests.apps.login.web import PASSWORDS, Web
from twinlab.apps import start
from twinlab.apps.login.passwords import Cost
from twinlab.apps.login.users import Users
from twinlab.apps.server import readers
from twinlab.apps.server import server as server_module
from twinlab.errors import SchemaError, UnknownTermError
from twinlab.testing import FakeTwin

# Bokeh 3.9 resets an index in place, which pandas 3.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")

POLICY = "roles: {dispatcher: {pages: [now, map], assets: [{type: station, ids: [NORTH]}]}}"


@pytest.fixture
def twin(tmp_path, monkeypatch):
    monkeypatch.setenv("TWINLAB_CONFIG", str(tmp_path / "config"))
    twin = FakeTwin.example(days=2, trips=5)
    twin.folder = tmp_path / "twin"
    twin.folder.mkdir()
    return twin


@pytest.fixture
def users(tmp_path):
    users = Users(tmp_path / "users.json", cost=Cost(passes=1, memory=32))
    users.add("dora", PASSWORDS["dora"], roles=["dispatcher"])
    users.add("sara", PASSWORDS["sara"], roles=["steward"])
    return users.path


def write(twin, text):
    (twin.folder / "access.yaml").write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ("roles: {captain: {}}", SchemaError, "access.yaml:1: roles.captain"),
        ("roles:\n  viewer: {pages: [nwo]}", UnknownTermError, "access.yaml:2: roles.viewer.pages[0]: there is no page 'nwo'; did you mean 'now'?"),
        ("roles: {viewer: {assets: [{type: vann}]}}", UnknownTermError, "roles.viewer.assets[0].type: there is no asset type 'vann'"),
    ],
)  # fmt: skip
def test_a_faulty_policy_is_refused_before_anything_is_served(twin, users, text, kind, said):
    write(twin, text)
    with pytest.raises(kind) as refused:
        start(twin, users=users)
    assert said in str(refused.value)


def shown_to(served, name, monkeypatch):
    """Return what the page of somebody was built with, and the page."""
    built = []
    original = readers.page
    monkeypatch.setattr(readers, "page", lambda twin, **how: built.append((twin, how)) or original(twin, **how))
    web = Web(served.url)
    cookies = web.login(name)
    answer = web.ask("/", cookies=cookies)
    monkeypatch.setattr(readers, "page", original)
    return built[0], answer, cookies


def test_a_page_is_built_with_what_its_user_may_see(twin, users, monkeypatch):
    write(twin, POLICY)
    served = start(twin, users=users, warm=False)
    try:
        (seen, how), answer, _ = shown_to(served, "dora", monkeypatch)
        assert answer.status == 200
        assert list(seen.model.asset_types) == ["station"]
        assert list(seen.assets("station").index) == ["NORTH"]
        assert how["shared"].twin is seen
        assert how["rights"].roles == ("dispatcher",)
        # The names of others aren't anywhere in what is sent.
        sent = json.dumps(answer.text)
        assert "East quay" not in sent and "EAST" not in sent
        (nothing, _), answer, _ = shown_to(served, "sara", monkeypatch)
        assert nothing.model.asset_types == {}
        assert answer.status == 200
    finally:
        served.stop()


def test_a_change_of_the_policy_closes_the_pages_that_were_opened_before(twin, users, monkeypatch):
    write(twin, POLICY)
    served = start(twin, users=users, warm=False)
    web = Web(served.url)
    cookies = web.login("dora")
    token = web.ask("/", cookies=cookies).token

    async def watch():
        socket = await web.websocket(token, cookies=cookies)
        served._loop.add_callback(server_module._close_ended, served._server, served._guard)
        await asyncio.sleep(0.3)
        assert socket.close_code is None
        write(twin, "roles: {dispatcher: {pages: [now]}}")
        served._loop.add_callback(server_module._close_ended, served._server, served._guard)
        while await asyncio.wait_for(socket.read_message(), 30) is not None:
            pass
        assert socket.close_code == 4401
        socket.close()

    try:
        asyncio.run(watch())
        (seen, how), _, _ = shown_to(served, "dora", monkeypatch)
        assert how["rights"].policy.roles["dispatcher"].pages == ["now"]
        assert seen is twin
    finally:
        served.stop()


def test_a_policy_that_becomes_faulty_shows_nothing_to_anybody(twin, users, monkeypatch):
    served = start(twin, users=users, warm=False)
    try:
        write(twin, "roles: {dispatcher: {pages: [now]")
        (seen, how), answer, _ = shown_to(served, "dora", monkeypatch)
        assert seen.model.asset_types == {}
        assert how["rights"].policy.roles == {}
        assert answer.status == 200
        assert "NORTH" not in answer.text
    finally:
        served.stop()
