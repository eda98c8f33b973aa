"""Login with OpenID Connect against a real provider in a process of its own."""

import asyncio
import base64
import hashlib
import time

import pytest

from twinlab.apps import start
from twinlab.apps.login.accounts import Accounts
from twinlab.apps.login.login_store import LoginStore
from twinlab.apps.login.oidc.flows import FLOW_SECONDS, Flows
from twinlab.apps.login.oidc.person import Person
from twinlab.apps.login.oidc.provider import oidc_provider
from twinlab.apps.login.oidc.settings import load_oidc
from twinlab.apps.login.passwords import Cost
from twinlab.apps.login.sessions import Logins
from twinlab.apps.login.users import Users
from twinlab.errors import ControlError, SchemaError, SourceError
from twinlab.model.twinmodel import TwinModel
from twinlab.testing import FakeTwin

# Bokeh 3.9 resets an index in place, which pandas 3.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")


def test_a_person_logs_in_through_the_provider_with_pkce_state_and_nonce(browser, provider, query, recorded):
    page = browser.ask("/login")
    assert 'href="/login/oidc?next=%2F"' in page.text
    assert 'name="password"' not in page.text
    provider.requests()
    answer = browser.login("s-1", onward="/?page=now")
    assert (answer.status, answer.headers["Location"]) == (303, "/?page=now")
    line = answer.cookies[browser.cookie]
    assert "HttpOnly" in line and "SameSite=Lax" in line
    assert browser.get("/").status == 200
    asked, exchanged = provider.requests()
    asked, form = asked["query"], exchanged["form"]
    digest = hashlib.sha256(form["code_verifier"].encode()).digest()
    assert asked["code_challenge"] == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    assert asked["code_challenge_method"] == "S256" and asked["response_type"] == "code"
    assert len(form["code_verifier"]) >= 43 and len(asked["nonce"]) >= 43 and len(asked["state"]) >= 43
    assert asked["redirect_uri"] == form["redirect_uri"] == f"{browser.url}login/oidc/callback"
    # The secret goes to the token endpoint, in a header; nowhere else.
    assert exchanged["basic"] == "Basic " and "client_secret" not in form and "secret" not in str(asked)
    assert recorded == [
        {"kind": "login", "who": ["oidc:s-1"], "what": {"how": "oidc", "address": "127.0.0.1", "outcome": "accepted"}}
    ]
    # The browser's cookie of this login is gone.
    assert f"{browser.cookie}-oidc" not in browser.jar


def test_groups_give_roles_and_nothing_else_does(browser, served, provider):
    browser.login("s-2")
    (login,) = (served._login_service.logins.find(_secret(served, browser)),)
    user = served._login_service.logins.user(login)
    assert (user.name, user.shown, user.roles) == ("oidc:s-2", "Sara", ("steward", "viewer"))
    # A claim "roles" is no group.
    provider.put("s-9", preferred_username="Eve", roles=["admin"], groups="none")
    assert browser.login("s-9").status == 403


def _secret(served, browser):
    from tornado.web import decode_signed_value

    guard = served._guard
    return decode_signed_value(guard.secret, guard.cookie, browser.jar[guard.cookie]).decode()


def test_somebody_without_a_role_is_refused_with_a_reason(browser, recorded):
    answer = browser.login("s-3")
    assert answer.status == 403
    assert "You have logged in as Nils, but none of your groups has a role in this twin." in answer.text
    assert browser.get("/").status == 302
    assert recorded == [
        {
            "kind": "login refused",
            "who": ["oidc:s-3"],
            "what": {"how": "oidc", "address": "127.0.0.1", "reason": "no role"},
        }
    ]


@pytest.mark.parametrize("onward", ["//elsewhere.org/", "https://elsewhere.org", "/login", "/\\elsewhere.org"])
def test_after_the_login_nobody_is_sent_elsewhere(browser, onward):
    assert browser.login("s-1", onward=onward).headers["Location"] == "/"


def test_a_login_is_finished_once_and_by_the_browser_that_began_it(browser, another_browser, provider, query):
    address = provider.agree(browser.begin(), "s-1")
    # Somebody sends this address to another person, who would then work under their name.
    assert another_browser.come_back(address).status == 403
    assert another_browser.get("/").status == 302
    another_browser.begin()
    assert another_browser.come_back(address).status == 403
    assert browser.come_back(address).status == 303
    first = dict(browser.jar)
    assert browser.come_back(address).status == 403
    assert browser.ask("/", cookies=first).status == 200


@pytest.mark.parametrize("change", ["state", "code", "no state", "no code", "other iss", "error"])
def test_an_answer_that_is_not_the_providers_to_this_login_is_refused(browser, provider, change):
    address = provider.agree(browser.begin(), "s-1")
    parts = {
        "state": address.replace("state=", "state=x"),
        "code": address.replace("code=", "code=x"),
        "no state": address.replace("state=", "sate="),
        "no code": address.replace("code=", "coode="),
        "other iss": f"{address}&iss=https://elsewhere.example",
        "error": f"{address}&error=access_denied",
    }
    answer = browser.come_back(parts[change])
    assert answer.status == 403
    assert 'role="alert"' in answer.text
    assert browser.cookie not in browser.jar


def test_somebody_who_says_no_at_the_provider_gets_the_login_page(browser, provider, query):
    url = browser.begin()
    # The mock leaves out the state, which RFC 6749 requires.
    answer = browser.come_back(f"{provider.agree(url, 's-1', action='deny')}&state={query(url)['state']}")
    assert answer.status == 403
    assert "The provider didn&#39;t log you in." in answer.text


NOW = int(time.time())
CHANGES = {
    "unsigned": {"kind": "unsigned"},
    "changed after signing": {"kind": "changed", "sub": "s-2"},
    "another key": {"kind": "other key"},
    "no token": {"kind": "no token"},
    "another nonce": {"nonce": "x" * 43},
    "no nonce": {"nonce": None},
    "another issuer": {"iss": "http://localhost:1"},
    "another client": {"aud": "other"},
    "several clients, for another": {"aud": ["twin", "other"], "azp": "other"},
    "several clients, not said for which": {"aud": ["twin", "other"], "azp": None},
    "expired": {"exp": NOW - 3600},
    "no end": {"exp": None},
    "issued in the future": {"iat": NOW + 3600},
    "not valid yet": {"nbf": NOW + 3600},
    "another access token": {"at_hash": "x" * 22},
    "no subject": {"sub": None},
    "no number": {"exp": "soon"},
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_token_that_is_not_this_providers_for_this_login_is_refused(browser, provider, recorded, change):
    address = provider.agree(browser.begin(), "s-1")
    provider.change_token(**CHANGES[change])
    answer = browser.come_back(address)
    assert answer.status == 403, answer.text
    assert browser.cookie not in browser.jar
    assert [one["kind"] for one in recorded] == ["login refused"]


def test_a_token_within_the_clocks_leeway_is_accepted(browser, provider):
    address = provider.agree(browser.begin(), "s-1")
    provider.change_token(exp=int(time.time()) - 5, iat=int(time.time()) + 5)
    assert browser.come_back(address).status == 303


def test_a_login_replaces_the_one_before_and_has_another_secret(browser, served):
    browser.login("s-1")
    before = dict(browser.jar)
    browser.login("s-2")
    assert browser.jar[browser.cookie] != before[browser.cookie]
    # The cookie of before doesn't count any more, whoever has it.
    assert browser.ask("/", cookies=before).status == 302
    assert len(served._login_service.logins) == 1


def test_logging_out_everywhere_ends_all_logins_and_open_pages(browser, another_browser, provider, recorded):
    browser.login("s-1")
    another_browser.login("s-1")
    page = another_browser.get("/")

    async def leave():
        socket = await another_browser.websocket(page.token, cookies=another_browser.jar)
        # From a link alone nobody is logged out everywhere.
        asked = await asyncio.to_thread(browser.get, "/logout?everywhere", headers={"Sec-Fetch-Site": "same-origin"})
        assert asked.status == 200
        form = {"_xsrf": asked.form, "everywhere": "yes"}
        out = await asyncio.to_thread(browser.ask, "/logout", form=form, cookies=browser.jar)
        assert out.status == 200
        assert "expires=" in out.cookies[browser.cookie]
        # And out at the provider, which leads back to the login page.
        there = f"{provider.issuer}/oauth2/end_session?client_id=twin&amp;post_logout_redirect_uri="
        assert f'http-equiv="refresh" content="1; url={there}' in out.text and f'href="{there}' in out.text
        while await asyncio.wait_for(socket.read_message(), 30) is not None:
            pass
        assert socket.close_code == 4401
        socket.close()

    asyncio.run(leave())
    assert browser.get("/").status == another_browser.get("/").status == 302
    assert recorded[-1] == {"kind": "logout", "who": ["oidc:s-1"], "what": {"how": "logout page, everywhere"}}


def test_the_provider_ends_the_logins_of_a_person(browser, another_browser, provider, recorded):
    browser.login("s-1")
    another_browser.login("s-2")
    right = {"iss": provider.issuer, "aud": "twin", "sub": "s-1"}
    for wrong in [
        {"aud": "other"}, {"iss": "http://localhost:1"}, {"sub": None}, {"events": {}}, {"nonce": "x"}, {"jti": None},
        {"exp": NOW - 3600}, {"iat": NOW + 3600}, {"events": None},
    ]:  # fmt: skip
        token = provider.logout_token(**{**right, **wrong})
        assert browser.ask("/login/oidc/logout", form={"logout_token": token}).status == 400, wrong
    for nothing in ("", "x", "a.b.c"):
        assert browser.ask("/login/oidc/logout", form={"logout_token": nothing}).status == 400
    assert browser.get("/").status == 200
    assert browser.ask("/login/oidc/logout", form={"logout_token": provider.logout_token(**right)}).status == 200
    assert browser.get("/").status == 302
    assert another_browser.get("/").status == 200
    assert recorded[-1] == {"kind": "logout", "who": ["oidc:s-1"], "what": {"how": "provider, everywhere"}}
    # Somebody whom nobody knows here.
    other = provider.logout_token(**{**right, "sub": "s-77"})
    assert browser.ask("/login/oidc/logout", form={"logout_token": other}).status == 200


def test_other_groups_end_the_logins_of_before(browser, another_browser, provider, recorded):
    provider.put("s-5", preferred_username="Ida", groups=["dispatch"])
    browser.login("s-5")
    provider.put("s-5", preferred_username="Ida", groups=["stewards"])
    another_browser.login("s-5")
    assert browser.get("/").status == 302
    assert another_browser.get("/").status == 200
    changed = [one for one in recorded if one["kind"] == "roles changed"]
    assert [one["what"]["roles"] for one in changed] == [["steward", "viewer"]]


def test_nobody_logs_in_if_it_cannot_be_recorded(browser, served):
    def full(entry):
        raise ControlError("the disk is full")

    served._login_service.record = full
    answer = browser.login("s-1")
    assert answer.status == 503
    assert "Nobody can log in now" in answer.text
    assert browser.get("/").status == 302


def test_too_many_logins_are_asked_to_wait(browser):
    answers = [browser.get("/login/oidc").status for _ in range(23)]
    assert answers[:20] == [303] * 20
    assert 429 in answers


def test_a_provider_that_does_not_answer_is_said_and_the_server_goes_on(settings, provider, monkeypatch):
    text = "issuer: http://localhost:9\nclient_id: twin\nroles: {{a: viewer}}\n"
    served = start(FakeTwin(TwinModel(twin="empty")), oidc=settings(text=text))
    from tests.apps.login.web import Web

    try:
        web = Web(served.url)
        answer = web.ask("/login/oidc")
        assert answer.status == 503
        assert "The provider doesn&#39;t answer." in answer.text
        assert web.ask("/login").status == 200
    finally:
        served.stop()


def test_a_users_file_and_a_provider_can_be_used_together(settings, provider, tmp_path):
    from tests.apps.login.oidc.conftest import Browser
    from tests.apps.login.web import PASSWORDS

    users = Users(tmp_path / "users.json", cost=Cost(passes=1, memory=32))
    # The provider's Dora is somebody else.
    users.add("dora", PASSWORDS["dora"], roles=["viewer"])
    served = start(FakeTwin(TwinModel(twin="empty")), oidc=settings(), users=users.path)
    try:
        one, other = Browser(served.url, provider), Browser(served.url, provider)
        page = one.ask("/login")
        assert 'name="password"' in page.text and 'href="/login/oidc' in page.text
        one.login("s-1")
        token = one.get("/").token
        cookies = super(Browser, other).login("dora")
        refused = other.ask(f"/?bokeh-token={token}", cookies=cookies)
        assert (refused.status, refused.text) == (403, "This session belongs to another user.\n")
    finally:
        served.stop()


def test_a_password_is_not_asked_for_where_only_the_provider_counts(browser):
    page = browser.ask("/login")
    token = page.value(f"{browser.cookie}-form")
    answer = browser.ask("/login", form={"name": "a", "password": "b"}, cookies={f"{browser.cookie}-form": token})
    assert answer.status == 403


# -- settings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("issuer: http://id.example\nclient_id: a\nroles: {a: viewer}", "oidc.yaml:1: issuer: expected an address that begins with https://"),
        ("issuer: https://id.example/?a=b\nclient_id: a\nroles: {a: viewer}", "without query"),
        ("issuer: https://id.example\nclient_id: a\nroles: {a: captain}", "oidc.yaml:3: roles.a"),
        ("issuer: https://id.example\nclient_id: a\nroles: {}", "nobody could log in"),
        ("issuer: https://id.example\nclient_id: a\nclient_secret: x\nroles: {a: viewer}", "expected no secret in this file"),
        ("issuer: https://id.example\nclient_id: a\nrolse: {a: viewer}", "did you mean 'roles'?"),
        ("issuer: https://id.example\nclient_id: a\nroles: {a: viewer}\nclient_secret_env: A\nclient_secret_file: b", "got both"),
    ],
)  # fmt: skip
def test_a_faulty_settings_file_is_refused_with_its_faults(tmp_path, text, said):
    path = tmp_path / "oidc.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SchemaError) as refused:
        load_oidc(path)
    assert said in str(refused.value)


def test_a_secret_comes_from_the_environment_or_a_private_file(tmp_path, monkeypatch):
    path, secret = tmp_path / "oidc.yaml", tmp_path / "secret"
    base = "issuer: https://id.example\nclient_id: a\nroles: {a: viewer}\n"
    path.write_text(f"{base}client_secret_env: TWINLAB_TEST_NO_SUCH", encoding="utf-8")
    with pytest.raises(SourceError, match="TWINLAB_TEST_NO_SUCH, which isn't set"):
        oidc_provider(path)
    path.write_text(f"{base}client_secret_file: secret", encoding="utf-8")
    secret.write_text("very secret\n", encoding="utf-8")
    secret.chmod(0o644)
    with pytest.raises(SourceError, match="chmod 600"):
        oidc_provider(path)
    secret.chmod(0o600)
    assert load_oidc(path).secret(tmp_path) == "very secret"
    secret.write_text("", encoding="utf-8")
    with pytest.raises(SourceError, match="is empty"):
        oidc_provider(path)


def test_without_the_extra_the_error_names_it(tmp_path, monkeypatch):
    import sys

    path = tmp_path / "oidc.yaml"
    path.write_text("issuer: https://id.example\nclient_id: a\nroles: {a: viewer}\n", encoding="utf-8")
    monkeypatch.setitem(sys.modules, "joserfc", None)
    with pytest.raises(SourceError, match=r'pip install "twinlab-kit\[oidc\]"'):
        oidc_provider(path)


@pytest.mark.parametrize(
    ("claims", "path", "roles"),
    [
        ({"groups": ["ops"]}, "groups", ("operator",)),
        ({"groups": "ops"}, "groups", ("operator",)),
        ({"groups": {"ops": 1}}, "groups", ()),
        ({"groups": [["ops"], 3, None]}, "groups", ()),
        ({"realm": {"roles": ["ops"]}}, "realm.roles", ("operator",)),
        ({"https://x.example/groups": ["ops"]}, "https://x.example/groups", ("operator",)),
        ({"realm": "ops"}, "realm.roles", ()),
        ({}, "groups", ()),
    ],
)
def test_groups_are_read_from_the_claim_that_the_file_names(tmp_path, claims, path, roles):
    file = tmp_path / "oidc.yaml"
    file.write_text(
        f'issuer: https://id.example\nclient_id: a\nroles: {{ops: operator}}\ngroups: "{path}"', encoding="utf-8"
    )
    assert Person({"sub": "1", **claims}, load_oidc(file)).roles == roles


@pytest.mark.parametrize("identity", ["", " x", "x" * 201, "a\nb", 7, None, ["a"]])
def test_an_identity_that_is_no_name_is_nobody(tmp_path, identity):
    file = tmp_path / "oidc.yaml"
    file.write_text("issuer: https://id.example\nclient_id: a\nroles: {ops: operator}", encoding="utf-8")
    assert Person({"sub": identity, "groups": ["ops"]}, load_oidc(file)).identity is None


def test_a_login_under_way_lasts_ten_minutes_and_there_are_not_too_many():
    now = [0.0]
    flows = Flows(LoginStore(), clock=lambda: now[0])
    flow = flows.begin("browser", next="/")
    now[0] = FLOW_SECONDS - 1
    assert flows.finish(flow.state, "another") is None
    assert flows.finish(flow.state, "browser") == flow
    late = flows.begin("browser", next="/")
    now[0] += FLOW_SECONDS
    assert flows.finish(late.state, "browser") is None
    for _ in range(1_010):
        flows.begin("browser", next="/")
    assert len(flows) == 1_000


def test_a_login_that_one_process_began_is_finished_by_another(tmp_path):
    """The browser may come back to any worker."""
    one, other = LoginStore(tmp_path / "logins.sqlite"), LoginStore(tmp_path / "logins.sqlite")
    flow = Flows(one).begin("browser", next="/?page=now")
    theirs = Flows(other)
    assert theirs.finish(flow.state, "browser") == flow
    assert Flows(one).finish(flow.state, "browser") is None
    accounts = Accounts(None, other, home=tmp_path)
    account, before = accounts.put("oidc:s-1", label="Dora", roles=["viewer"], subject="s-1")
    assert before is None
    ours = Logins(Accounts(None, one, home=tmp_path), store=one)
    secret = Logins(accounts, store=other).begin("oidc:s-1", account)
    assert ours.user(ours.find(secret)).shown == "Dora"
    ours.end_all("oidc:s-1")
    assert Logins(accounts, store=other).find(secret) is None
