"""Two servers of one twin, one of them with two workers, whose logins and notes are in PostgreSQL."""

import asyncio
import re
import shutil

import pytest
from bokeh.util.token import get_session_id

import twinlab as tl
from tests.apps.login.web import PASSWORDS, Web
from twinlab.apps import start
from twinlab.apps.login.passwords import Cost
from twinlab.apps.login.users import Users
from twinlab.apps.server.processes.assignment import worker_of
from twinlab.twin.catalogues.moving import move_catalogues

PATIENCE = 120


@pytest.fixture
def folders(folder, tmp_path, postgres, monkeypatch):
    """The folder of each server: the second one is a copy."""
    first = tmp_path / "first"
    shutil.copytree(folder, first)
    text = (first / "twin.yaml").read_text()
    (first / "twin.yaml").write_text(text + 'storage: {catalogues: "${TWINLAB_CATALOGUES}"}\n')
    monkeypatch.setenv("TWINLAB_CATALOGUES", postgres)
    move_catalogues(first, "database")
    shutil.copytree(first, tmp_path / "second")
    return first, tmp_path / "second"


@pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")
def test_a_login_and_a_logout_and_a_note_in_one_server_count_in_the_other(folders, in_background, tmp_path):
    users = Users(tmp_path / "users.json", cost=Cost(passes=1, memory=32))
    for name, password in PASSWORDS.items():
        users.add(name, password, roles=["admin"])
    twin = tl.open(folders[1])
    second = start(twin, users=users.path, warm=False)
    first = in_background(folders[0], users=users.path)
    try:
        first.all_run()
        webs = [Web(first.served.url), Web(second.url)]
        cookie = next(name for name in webs[0].ask("/login").cookies if name.endswith("-form")).removesuffix("-form")
        for web in webs:
            web.cookie = cookie
        dora, sara = webs[0].login("dora"), webs[1].login("sara")
        for web in webs:
            for cookies in (dora, sara):
                assert web.ask("/", cookies=cookies).status == 200

        async def visit():
            sockets, workers = [], set()
            for web in (webs[0], webs[0], webs[1]):
                page = await asyncio.to_thread(web.ask, "/", cookies=dora)
                token = re.search(r'"token":\s*"([^"]+)"', page.text)[1]
                if web is webs[0]:
                    workers.add(worker_of(get_session_id(token), 2))
                sockets.append((web, await web.websocket(token, cookies=dora)))
            assert workers == {0, 1}
            form = await asyncio.to_thread(webs[1].ask, "/logout", cookies=dora)
            sent = {**dora, f"{cookie}-form": form.value(f"{cookie}-form")}
            fields = {"everywhere": "yes", "_xsrf": form.form}
            answer = await asyncio.to_thread(webs[1].ask, "/logout", form=fields, cookies=sent)
            assert answer.status == 303
            for _, socket in sockets:
                while await asyncio.wait_for(socket.read_message(), PATIENCE) is not None:
                    pass
                assert socket.close_code == 4401
                socket.close()

        asyncio.run(visit())
        for web in webs:
            assert web.ask("/", cookies=dora).status == 302
            assert web.ask("/", cookies=sara).status == 200
        # Wrong passwords are counted in both together.
        codes = [web.try_login("dora", "wrong").status for web in webs * 3]
        assert codes == [403] * 5 + [429]
        [kind] = twin.model.asset_types
        [signal] = twin.model.asset_types[kind].signals
        span = {"asset": f"{kind}/{twin.assets(kind).index[0]}", "signal": signal, "start": "2026-03-01T00:00"}
        tl.open(folders[0]).annotate(**span, note="seen in both", author="ann")
        assert twin.annotations()["note"].tolist() == ["seen in both"]
    finally:
        first.stop()
        second.stop()
