"""Logins, tries and logins under way that several processes or servers share: in one file, in SQLite and in PostgreSQL."""

import threading
import uuid

import pytest

from tests.apps.login.web import PASSWORDS, Web
from twinlab.apps import start
from twinlab.apps.login.accounts import Accounts
from twinlab.apps.login.login_store import LoginStore, SharedLoginStore
from twinlab.apps.login.oidc.flows import Flows
from twinlab.apps.login.passwords import Cost
from twinlab.apps.login.sessions import Failures, Logins, seconds_to_wait
from twinlab.apps.login.users import Users
from twinlab.database.opening import open_database
from twinlab.errors import DatabaseUnreachableError
from twinlab.model.storage.catalogues import CatalogueStore
from twinlab.model.twinmodel import TwinModel
from twinlab.testing import FakeTwin
from twinlab.twin.catalogues.opening import SharedCatalogues


@pytest.fixture(scope="module")
def users(tmp_path_factory):
    users = Users(tmp_path_factory.mktemp("served") / "users.json", cost=Cost(passes=1, memory=32))
    users.add("dora", PASSWORDS["dora"], roles=["dispatcher"])
    users.add("sara", PASSWORDS["sara"], roles=["steward"])
    return users


@pytest.fixture
def opened(catalogue_url, tmp_path):
    """Return a function that opens the store as another process or server does."""
    twin, stores = f"t{uuid.uuid4().hex[:12]}", []

    def open_one():
        if catalogue_url is None:
            stores.append(LoginStore(tmp_path / "logins.sqlite"))
        else:
            settings = CatalogueStore(url=catalogue_url)
            stores.append(SharedLoginStore(open_database(settings, folder=tmp_path, twin=twin)))
        return stores[-1]

    yield open_one
    for one in stores:
        one.close()


def test_processes_share_logins_and_tries(users, opened, tmp_path):
    one, other = opened(), opened()
    secret = Logins(users, store=one).begin("dora", users.account("dora"))
    there = Logins(users, store=other)
    assert there.find(secret).name == "dora"
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("*.sqlite*")) + b"".join(
        path.read_bytes() for path in tmp_path.glob("catalogues.db*")
    )
    assert secret.encode() not in stored
    assert users.account("dora").password.encode() not in stored
    there.end(there.find(secret))
    assert Logins(users, store=one).find(secret) is None
    waits = []
    for store in (one, other, one, other):
        failures = Failures("name", free=2, longest=60, store=store, clock=lambda: 100.0)
        waits.append(seconds_to_wait(store, [(failures, "dora")]))
    # The third try was refused, and isn't counted.
    assert waits == [0, 0, 1, 1]


def test_a_logout_everywhere_ends_the_logins_of_all_servers(users, opened):
    one, other = Logins(users, store=opened()), Logins(users, store=opened())
    secrets = [logins.begin(name, users.account(name)) for logins in (one, other) for name in ("dora", "dora", "sara")]
    found = [other.find(secret) for secret in secrets]
    one.end_all("dora")
    assert [other.is_valid(login) for login in found] == [False, False, True] * 2
    assert len(one) == len(other) == 2


def test_of_many_tries_at_once_no_more_are_accepted_than_one_after_another(opened):
    waits, errors = [], []

    def guess():
        try:
            store = opened()
            failures = [
                (Failures(kind, free=3, longest=60, store=store, clock=lambda: 100.0), "dora") for kind in ("a", "b")
            ]
            waits.extend(seconds_to_wait(store, failures) for _ in range(4))
        except Exception as error:  # noqa: BLE001  (asserted below)
            errors.append(error)

    threads = [threading.Thread(target=guess) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert errors == []
    assert sorted(waits) == [0, 0, 0] + [1] * 13


def test_a_transaction_that_fails_changes_nothing(opened):
    store = opened()
    failures = Failures("name", free=2, longest=60, store=store)
    with pytest.raises(ZeroDivisionError), store.transaction():
        failures.add("dora")
        1 / 0  # noqa: B018
    assert len(failures) == 0
    failures.add("dora")
    failures.undo("dora")
    failures.undo("dora")
    assert failures.wait("dora") == 0
    failures.forget("dora")
    assert len(failures) == 0


def test_counts_that_are_too_many_are_forgotten_the_oldest_first(opened, monkeypatch):
    monkeypatch.setattr("twinlab.apps.login.sessions._MOST_COUNTED", 3)
    now = [0.0]
    failures = Failures("name", free=1, longest=60, store=opened(), clock=lambda: now[0])
    for name in "abcadef":
        now[0] += 0.001
        failures.add(name)
    assert len(failures) == 3
    assert [name for name in "abcdef" if failures.wait(name)] == ["d", "e", "f"]


def test_people_of_a_provider_and_logins_under_way_are_shared_too(opened, tmp_path):
    one, other = opened(), opened()
    people = [Accounts(None, store, home=tmp_path) for store in (one, other)]
    assert people[0].put("oidc:ana", label="Ana", roles=["viewer"], subject="s1")[1] is None
    assert people[1].label("oidc:ana") == "Ana"
    assert people[1].put("oidc:ana", label="Ana B", roles=["steward"], subject="s1")[1] == ("viewer",)
    assert people[0].account("oidc:ana").roles == ("steward",)
    assert people[0].name_of_subject("s1") == "oidc:ana"
    flow = Flows(one).begin("browser", next="/?page=now")
    assert Flows(other).finish(flow.state, "another browser") is None
    assert Flows(other).finish(flow.state, "browser") == flow
    assert Flows(one).finish(flow.state, "browser") is None


class Served(FakeTwin):
    """A fake whose catalogues are in a database."""

    shared_catalogues = None


@pytest.fixture
def servers(database, users):
    """Two servers of one twin, whose logins are in one database."""
    running = []
    for _ in range(2):
        twin = Served(TwinModel(twin="empty"))
        twin.shared_catalogues = SharedCatalogues(database, ("logins",))
        running.append(start(twin, users=users.path, warm=False))
    yield [Web(one.url) for one in running], running
    for one in running:
        one.stop()


@pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")
def test_a_login_counts_in_all_servers_and_outlives_a_restart(servers, users, database):
    (one, other), _ = servers
    one.cookie = other.cookie = cookie_of(one)
    dora = one.login("dora")
    assert other.ask("/", cookies=dora).status == 200
    again = Served(TwinModel(twin="empty"))
    again.shared_catalogues = SharedCatalogues(database, ("logins",))
    third = start(again, users=users.path, warm=False)
    try:
        assert Web(third.url).ask("/", cookies=dora).status == 200
    finally:
        third.stop()
    form = other.ask("/logout", cookies=dora)
    sent = {**dora, f"{one.cookie}-form": form.value(f"{one.cookie}-form")}
    assert other.ask("/logout", form={"everywhere": "yes", "_xsrf": form.form}, cookies=sent).status == 303
    assert one.ask("/", cookies=dora).status == 302


@pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")
def test_without_the_database_pages_that_were_open_go_on_and_nobody_logs_in_or_out(servers, database, monkeypatch):
    (one, other), _ = servers
    one.cookie = other.cookie = cookie_of(one)
    dora = one.login("dora")
    assert one.ask("/", cookies=dora).status == 200
    form = one.ask("/login")

    def away(*_args, **_options):
        raise DatabaseUnreachableError("postgresql://db doesn't answer: nothing was written")

    with monkeypatch.context() as patched:
        patched.setattr(database, "run", away)
        patched.setattr(database, "transaction", away)
        assert one.ask("/", cookies=dora).status == 200
        refused = other.ask("/", cookies=dora)
        assert refused.status == 503
        assert "doesn't answer" in refused.text
        assert "postgresql" not in refused.text
        fields = {"name": "dora", "password": PASSWORDS["dora"], "next": "/", "_xsrf": form.form}
        answer = one.ask("/login", form=fields, cookies={f"{one.cookie}-form": form.value(f"{one.cookie}-form")})
        assert answer.status == 503
        assert "Nobody can log in or out now" in answer.text
        asked = one.ask("/logout", cookies={**dora}, headers={"Sec-Fetch-Site": "same-origin"})
        assert asked.status == 503
    # Who wanted to log out there was not trusted any more; the login itself hasn't ended.
    assert one.ask("/", cookies=dora).status == 200


def cookie_of(web):
    """Name of the login cookie of a server, from the form's own cookie."""
    return next(name for name in web.ask("/login").cookies if name.endswith("-form")).removesuffix("-form")
