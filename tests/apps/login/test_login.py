"""Requests to a served page: which are accepted and which are refused, without a browser."""

import asyncio
import http.client
import logging
import socket
import ssl
import subprocess
from urllib.parse import urlsplit

import pytest
from bokeh.util.token import generate_jwt_token, generate_session_id, get_session_id, get_token_payload
from hypothesis import given
from hypothesis import strategies as st
from tornado.httpclient import HTTPClientError
from tornado.web import create_signed_value

from tests.apps.login.web import PASSWORDS, Web
from twinlab.apps import start
from twinlab.apps.login.access import User, current_user
from twinlab.apps.login.passwords import Cost
from twinlab.apps.login.request_guard import local_path
from twinlab.apps.login.sessions import Failures, Logins
from twinlab.apps.login.users import Users
from twinlab.apps.server.certificates import certificate_command, certificate_names, tls_context
from twinlab.apps.server.serve_options import check_options
from twinlab.errors import SourceError
from twinlab.model.twinmodel import TwinModel
from twinlab.testing import FakeTwin

# Bokeh 3.9 resets an index in place, which pandas 3.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")


@pytest.fixture
def certificate(tmp_path, need):
    """Return ``make(*names, days=2)``: a self-signed certificate and its key."""
    need("openssl")

    def make(*names, days=2):
        kinds = ",".join(
            f"{'IP' if ':' in name or name.replace('.', '').isdigit() else 'DNS'}:{name}" for name in names
        )
        key, request, made, more = (tmp_path / name for name in ("key.pem", "request.pem", "cert.pem", "more.cnf"))
        more.write_text(f"subjectAltName={kinds}\n" if names else "basicConstraints=CA:FALSE\n")
        quick = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        new = ["openssl", "req", "-new", *quick, "-keyout", key, "-out", request, "-subj"]
        subprocess.run([*new, f"/CN={names[0]}" if names else "/O=Nobody"], check=True, capture_output=True)
        sign = ["openssl", "x509", "-req", "-in", request, "-signkey", key, "-out", made, "-extfile", more]
        subprocess.run([*sign, "-days", str(days)], check=True, capture_output=True)
        return made, key

    return make


@pytest.fixture(scope="module")
def users(tmp_path_factory):
    users = Users(tmp_path_factory.mktemp("served") / "users.json", cost=Cost(passes=1, memory=32))
    users.add("dora", PASSWORDS["dora"], roles=["dispatcher"])
    users.add("sara", PASSWORDS["sara"], roles=["steward"])
    return users


@pytest.fixture(scope="module")
def served(users):
    served = start(FakeTwin(TwinModel(twin="empty", title="Nothing <yet>")), users=users.path)
    yield served
    served.stop()


@pytest.fixture
def web(served):
    # Failures of one test aren't those of the next.
    served._login_service.failures_by_name, served._login_service.failures_by_address = (
        Failures("name", free=5, longest=60),
        Failures("address", free=20, longest=600),
    )
    return Web(served.url)


@pytest.fixture(scope="module")
def dora(served):
    return Web(served.url).login("dora")


ROUTES = [
    "/", "/?page=now", "/ws", "/autoload.js?bokeh-autoload-element=x", "/metadata", "/static/js/bokeh.min.js", "/favicon.ico",
    "/static/extensions/panel/panel.min.js", "/components/panel/x/y/z", "/liveness", "/glossary?q=tag", "/rest/session_info", "/metrics", "/logout",
    "/login/x", "//login", "/login?", "/nothing",
]  # fmt: skip


@pytest.mark.parametrize("path", [path for path in ROUTES if path != "/login?"])
def test_whoever_has_not_logged_in_is_sent_to_the_login_page_from_every_route(web, path):
    answer = web.ask(path)
    assert answer.status == 302
    assert answer.headers["Location"].startswith("/login?next=/")
    assert answer.text == ""


@pytest.mark.parametrize("path", [path for path in ROUTES if path != "/login?"])
def test_a_program_that_has_not_logged_in_is_refused_on_every_route(web, path):
    for method in ("GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE"):
        answer = web.ask(path, method=method, headers={"Accept": "*/*"})
        assert answer.status == 403, method
        assert answer.text in ("Log in first.\n", "")


def test_whoever_has_logged_in_gets_the_page_and_its_files(web, dora):
    for path in ("/", "/static/js/bokeh.min.js", "/metadata"):
        assert web.ask(path, cookies=dora).status == 200
        assert web.ask(path).status == 302
    assert "Nothing &lt;yet&gt;" in web.ask("/login").text


def test_a_wrong_name_or_password_gives_the_page_again_and_no_cookie(web, caplog):
    with caplog.at_level(logging.INFO):
        for name, password in [("dora", "quiet harbour eight"), ("nobody", PASSWORDS["dora"]), ("dora", ""), ("", "x")]:
            answer = web.try_login(name, password)
            assert answer.status == 403
            assert 'role="alert">Name or password isn' in answer.text
            assert web.cookie not in answer.cookies
    assert "'dora' failed to log in from 127.0.0.1" in caplog.text
    # Somebody may have typed the password in place of the name.
    assert "nobody" not in caplog.text and "harbour" not in caplog.text


def test_the_login_cookie_is_kept_from_scripts_and_other_sites(web):
    line = web.try_login("DORA ", PASSWORDS["dora"]).cookies[web.cookie]
    assert "HttpOnly" in line and "SameSite=Lax" in line and "Path=/" in line and "Max-Age=43200" in line
    assert "Secure" not in line and "Domain" not in line
    assert PASSWORDS["dora"] not in line and "dora" not in line


def test_after_login_one_is_where_one_wanted_to_be_but_never_elsewhere(web):
    wanted = "/?page=map&at=2026-03-01T12%3A00"
    sent = web.ask(wanted).headers["Location"]
    form = web.ask(sent)
    assert 'name="next" value="/?page=map&amp;at=2026-03-01T12%3A00"' in form.text
    assert web.try_login("dora", PASSWORDS["dora"], onward=wanted).headers["Location"] == wanted
    for elsewhere in (
        "https://elsewhere.org/",
        "//elsewhere.org",
        "/\\elsewhere.org",
        "javascript:alert(1)",
        "/login",
        "x",
    ):
        assert web.try_login("dora", PASSWORDS["dora"], onward=elsewhere).headers["Location"] == "/"


@given(st.text(alphabet="/\\?#:@a.\t\n x", max_size=12))
def test_a_path_that_is_followed_stays_on_this_server(text):
    path = local_path(text)
    assert path == "/" or path.startswith(("/?", "/#"))


def test_a_form_from_elsewhere_logs_nobody_in(web):
    form = {"name": "dora", "password": PASSWORDS["dora"]}
    assert web.ask("/login", form=form).status == 403
    first, other = web.ask("/login"), web.ask("/login")
    cookie = f"{web.cookie}-form"
    stolen = web.ask("/login", form={**form, "_xsrf": first.form}, cookies={cookie: other.value(cookie)})
    assert stolen.status == 403 and web.cookie not in stolen.cookies
    crossed = web.try_login("dora", PASSWORDS["dora"], headers={"Origin": "https://elsewhere.org"})
    assert crossed.status == 403 and "Another site" in crossed.text
    line = first.cookies[cookie]
    assert "HttpOnly" in line and "SameSite=Strict" in line


def test_who_fails_often_waits_longer_each_time_whatever_the_password(web, served):
    now = [1000.0]
    served._login_service.failures_by_name = Failures("x", free=2, longest=60, clock=lambda: now[0])
    assert [web.try_login("dora", "wrong").status for _ in range(3)] == [403, 403, 429]
    refused = web.try_login("dora", PASSWORDS["dora"])
    assert refused.status == 429 and refused.headers["Retry-After"] == "1"
    assert "Please wait 1 s" in refused.text
    assert web.try_login("sara", PASSWORDS["sara"]).status == 303
    now[0] += 1.1
    assert web.try_login("dora", "wrong").status == 403
    assert web.try_login("dora", PASSWORDS["dora"]).headers["Retry-After"] == "2"
    now[0] += 2.1
    assert web.try_login("dora", PASSWORDS["dora"]).status == 303
    assert web.try_login("dora", "wrong").status == 403


def test_one_address_cannot_try_many_names(web, served):
    served._login_service.failures_by_address = Failures("x", free=3, longest=600)
    assert [web.try_login(f"name{count}", "wrong").status for count in range(4)] == [403, 403, 403, 429]
    assert web.try_login("dora", PASSWORDS["dora"]).status == 429


def test_failures_are_counted_within_bounds():
    now = [0.0]
    failures = Failures("x", free=1, longest=8, clock=lambda: now[0])
    waits = []
    for _ in range(7):
        failures.add("a")
        waits.append(failures.wait("a"))
    assert waits == [1, 2, 4, 8, 8, 8, 8]
    for count in range(20_000):
        failures.add(str(count))
    assert len(failures) <= 10_000
    failures.add("b")
    now[0] += 1000
    failures.add("b")
    assert failures.wait("b") == 1
    failures.undo("b")
    assert failures.wait("b") == 0


def test_a_cookie_that_is_forged_altered_or_of_another_server_opens_nothing(web, served, dora):
    good = dora[web.cookie]
    name, secret = web.cookie, served._guard.secret
    bad = [
        "", "dora", "x" * 5000, good[:-1], good + "0", good.swapcase(), good.replace("2|1:0", "1|1:0"),
        create_signed_value("another secret", name, "dora").decode(),
        create_signed_value(secret, "another-name", "dora").decode(),
        # Rightly signed, and yet nobody's login.
        create_signed_value(secret, name, "dora").decode(),
        create_signed_value(secret, name, b"\xff\xfe").decode(),
    ]  # fmt: skip
    for value in bad:
        assert web.ask("/", cookies={name: value}).status == 302, value
    assert web.ask("/", cookies={"user": "dora", "is_guest": "1", "id_token": "x"}).status == 302
    assert web.ask("/", cookies=dora).status == 200


def test_a_login_ends_after_its_time_and_with_its_account(users):
    now = [0.0]
    logins = Logins(users, seconds=100, clock=lambda: now[0])
    users.add("rene", "quiet harbour nine", roles=["viewer"])
    account = users.check("rene", "quiet harbour nine")
    secrets = [logins.begin("rene", account) for _ in range(3)]
    assert logins.user(logins.find(secrets[0])) == User("rene", roles=("viewer",), home=users.home)
    logins.end(logins.find(secrets[0]))
    assert logins.find(secrets[0]) is None
    now[0] = 99.0
    assert logins.find(secrets[1]) is not None
    now[0] = 100.0
    assert logins.find(secrets[1]) is None
    young = logins.begin("rene", account)
    # Only logins that last are kept.
    assert logins.find(young) is not None and len(logins) == 1
    users.set_password("rene", "quiet harbour five")
    assert logins.find(young) is None
    again = logins.begin("rene", users.check("rene", "quiet harbour five"))
    users.remove("rene")
    assert logins.find(again) is None


def test_a_cookie_older_than_the_login_is_refused_by_its_own_date(web, served, dora, monkeypatch):
    monkeypatch.setattr(served._login_service.logins, "seconds", -1.0)
    assert web.ask("/", cookies=dora).status == 302


def test_a_websocket_opens_for_the_one_who_has_the_page_only(web, dora):
    page = web.ask("/", cookies=dora)
    sara = web.login("sara")

    async def try_all():
        for cookies, origin in [
            (None, None),
            ({web.cookie: "forged"}, None),
            # Somebody else, who has got hold of the page's token.
            (sara, None),
            (dora, "https://elsewhere.org"),
            (dora, f"http://localhost:{web.at.port + 1}"),
            (dora, f"https://127.0.0.1:{web.at.port}"),
            (dora, "null"),
        ]:
            with pytest.raises(HTTPClientError, match="403"):
                await web.websocket(page.token, cookies=cookies, origin=origin)
        await web.leave(await web.websocket(page.token, cookies=dora))

    asyncio.run(try_all())


def test_nobody_gets_at_somebody_elses_session_by_its_name(web, dora):
    page = web.ask("/", cookies=dora)
    session = get_session_id(page.token)
    sara = web.login("sara")
    for path, headers in [
        (f"/?bokeh-session-id={session}", {}),
        (f"/autoload.js?bokeh-autoload-element=x&bokeh-session-id={session}", {}),
        ("/", {"Bokeh-Session-Id": session}),
        (f"/?bokeh-token={page.token}", {}),
    ]:
        assert web.ask(path, cookies=sara, headers=headers).status == 403, path
        assert web.ask(path, cookies=dora, headers=headers).status == 200, path
    assert web.ask("/?bokeh-session-id=chosen", cookies=sara).status == 403
    assert web.ask("/?bokeh-token=nonsense", cookies=sara).status == 403


def test_a_token_that_this_server_has_not_signed_opens_no_session(web, dora):
    async def refused(token):
        with pytest.raises((HTTPClientError, ConnectionRefusedError)):
            await web.websocket(token, cookies=dora)

    own = generate_jwt_token(generate_session_id(signed=False), signed=False)
    signed = generate_jwt_token(generate_session_id(b"k", signed=True), b"k", signed=True)
    for token in (own, signed, "x", "e30"):
        asyncio.run(refused(token))


def test_the_page_does_not_tell_scripts_the_login(web, dora):
    page = web.ask("/", cookies={**dora, "other": "one"})
    told = str(get_token_payload(page.token))
    assert dora[web.cookie] not in page.text and dora[web.cookie] not in told
    assert web.cookie not in told


def test_after_logout_the_cookie_opens_nothing_and_open_pages_close(web):
    cookies = web.login("dora")
    page = web.ask("/", cookies=cookies)

    async def leave():
        socket = await web.websocket(page.token, cookies=cookies)
        out = await asyncio.to_thread(web.ask, "/logout", cookies=cookies, headers={"Sec-Fetch-Site": "same-origin"})
        assert (out.status, out.headers["Location"]) == (303, "/login")
        assert "expires=" in out.cookies[web.cookie]
        while await asyncio.wait_for(socket.read_message(), 30) is not None:
            pass
        assert socket.close_code == 4401
        socket.close()
        with pytest.raises(HTTPClientError, match="403"):
            await web.websocket(page.token, cookies=cookies)

    asyncio.run(leave())
    assert web.ask("/", cookies=cookies).status == 302


def test_another_site_cannot_log_anybody_out(web, dora):
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {}):
        asked = web.ask("/logout", cookies=dora, headers=headers)
        assert asked.status == 200 and "Log out?" in asked.text
    assert web.ask("/logout", form={"a": "b"}, cookies=dora).status == 403
    assert web.ask("/", cookies=dora).status == 200


def test_the_form_on_the_logout_page_logs_out(web):
    cookies = web.login("dora")
    asked = web.ask("/logout", cookies=cookies)
    form = f"{web.cookie}-form"
    out = web.ask("/logout", form={"_xsrf": asked.form}, cookies={**cookies, form: asked.value(form)})
    assert out.status == 303
    assert web.ask("/", cookies=cookies).status == 302


def test_every_answer_keeps_other_sites_away(web, dora):
    for path, cookies in [
        ("/", dora),
        ("/", None),
        ("/login", None),
        ("/nothing", dora),
        ("/static/js/bokeh.min.js", dora),
    ]:
        headers = web.ask(path, cookies=cookies).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert "frame-ancestors" in headers["Content-Security-Policy"]
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert headers["Strict-Transport-Security"] is None
        assert headers["Server"] is None
    assert (
        web.ask("/login").headers["Cache-Control"] == web.ask("/", cookies=dora).headers["Cache-Control"] == "no-store"
    )
    assert (
        f"connect-src 'self' data: blob: ws://127.0.0.1:{web.at.port}"
        in web.ask("/nothing").headers["Content-Security-Policy"]
    )
    code = web.ask("/autoload.js?bokeh-autoload-element=x", cookies=dora, headers={"Origin": "https://elsewhere.org"})
    assert code.status == 200 and code.headers["Access-Control-Allow-Origin"] is None


def test_a_name_that_is_not_this_servers_is_refused(web, dora):
    for host in ("elsewhere.org", f"elsewhere.org:{web.at.port}", "127.0.0.1.elsewhere.org", "[", ""):
        assert web.ask("/", cookies=dora, headers={"Host": host}).status in (400, 421), host
    # A tunnel may lead here from another port.
    assert web.ask("/", cookies=dora, headers={"Host": "localhost:9000"}).status == 200


def test_no_module_is_imported_because_somebody_asks_for_it(web, dora):
    assert web.ask("/components/antigravity/x/y/z", cookies=dora).status == 404


def test_the_session_knows_its_reader(served, users, monkeypatch):
    seen = []
    from twinlab.apps.server import readers

    real = readers.page

    def watched(*args, **kwargs):
        seen.append(current_user())
        return real(*args, **kwargs)

    monkeypatch.setattr(readers, "page", watched)
    web = Web(served.url)
    web.ask("/", cookies=web.login("sara"))
    assert seen == [User("sara", roles=("steward",), home=users.home)]


def test_somebody_whose_roles_change_logs_in_again(web, users):
    users.add("olga", "quiet harbour ten", roles=["viewer"])
    PASSWORDS["olga"] = "quiet harbour ten"
    cookies = web.login("olga")
    assert web.ask("/", cookies=cookies).status == 200
    users.remove("olga")
    users.add("olga", "quiet harbour ten", roles=["steward"])
    assert web.ask("/", cookies=cookies).status == 302


# --- Beyond this machine ---------------------------------------------------------------------------------------------


def test_with_a_certificate_everything_goes_over_tls(users, certificate):
    made, key = certificate("localhost", "127.0.0.1", "twin.example.org")
    served = start(FakeTwin(TwinModel(twin="empty")), address="0.0.0.0", users=users.path, certificate=made, key=key)
    try:
        assert served.url == f"https://twin.example.org:{urlsplit(served.url).port}/"
        web = Web(served.url.replace("twin.example.org", "127.0.0.1"))
        answer = web.try_login("dora", PASSWORDS["dora"])
        line = answer.cookies[web.cookie]
        assert line.startswith("__Host-twinlab-") and "; Secure" in line
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
        cookies = {web.cookie: answer.value(web.cookie)}
        page = web.ask("/", cookies=cookies)
        assert page.status == 200
        assert web.ask("/", cookies=cookies, headers={"Host": "twin.example.org"}).status == 200
        assert web.ask("/", cookies=cookies, headers={"Host": "twin.elsewhere.org"}).status == 421

        async def live():
            await web.leave(await web.websocket(page.token, cookies=cookies))
            with pytest.raises(HTTPClientError, match="403"):
                await web.websocket(page.token)

        asyncio.run(live())
        plain = http.client.HTTPConnection("127.0.0.1", web.at.port, timeout=20)
        with pytest.raises((http.client.HTTPException, ConnectionError)):
            plain.request("GET", "/")
            plain.getresponse()
        plain.close()
        old = ssl._create_unverified_context()
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        with socket.create_connection(("127.0.0.1", web.at.port)) as line, old.wrap_socket(line) as secure:
            assert secure.version() == "TLSv1.2"
    finally:
        served.stop()


@pytest.mark.parametrize("address", ["0.0.0.0", "192.168.1.4", "::", "example.com", ""])
def test_an_address_that_others_can_reach_needs_all_three_and_says_how(address, users, certificate):
    with pytest.raises(SourceError, match="--cert and --key and --users missing") as refused:
        start(FakeTwin(TwinModel(twin="empty")), address=address)
    assert "openssl req -x509" in str(refused.value) and "twinlab user add" in str(refused.value)
    made, key = certificate("localhost")
    for some, missing in [
        ({"users": users.path}, "--cert and --key missing"),
        ({"certificate": made, "key": key}, "--users missing"),
        ({"users": users.path, "certificate": made}, "--key missing"),
    ]:
        with pytest.raises(SourceError, match=missing):
            check_options(address, port=0, **some)


def test_on_loopback_half_a_pair_or_no_user_is_refused(users, certificate, tmp_path):
    made, _ = certificate("localhost")
    with pytest.raises(SourceError, match="give both"):
        check_options("127.0.0.1", port=0, certificate=made)
    with pytest.raises(SourceError, match="twinlab user add"):
        check_options("127.0.0.1", port=0, users=tmp_path / "none.json")
    nobody = Users(tmp_path / "nobody.json", cost=Cost(passes=1, memory=32))
    nobody.add("dora", PASSWORDS["dora"])
    nobody.remove("dora")
    with pytest.raises(SourceError, match="nobody could log in"):
        check_options("127.0.0.1", port=0, users=nobody.path)
    nobody.path.chmod(0o644)
    with pytest.raises(SourceError, match="chmod 600"):
        check_options("127.0.0.1", port=0, users=nobody.path)


def test_a_certificate_is_for_the_names_in_it(certificate):
    made, key = certificate("Twin.example.org", "*.example.net", "192.168.1.4", "::1")
    names = certificate_names(tls_context(made, key), made)
    assert names == ("twin.example.org", "*.example.net", "192.168.1.4", "::1")
    made, key = certificate()
    with pytest.raises(SourceError, match="names no host"):
        certificate_names(tls_context(made, key), made)


def test_a_wildcard_stands_for_one_host_of_its_domain(users, certificate):
    made, key = certificate("*.example.net")
    how = check_options("127.0.0.1", port=0, users=users.path, certificate=made, key=key)
    served = start(FakeTwin(TwinModel(twin="empty")), port=how.port, users=users.path, certificate=made, key=key)
    try:
        web = Web(served.url)
        assert web.ask("/login", headers={"Host": "twin.example.net"}).status == 200
        for host in ("example.net", "a.b.example.net", "example.org"):
            assert web.ask("/login", headers={"Host": host}).status == 421, host
    finally:
        served.stop()


def test_an_expired_certificate_is_refused(certificate):
    made, key = certificate("localhost", days=-1)
    with pytest.raises(SourceError, match="expired"):
        certificate_names(tls_context(made, key), made)


def test_a_key_of_another_certificate_is_refused(certificate, tmp_path):
    _, key = certificate("localhost")
    other = key.rename(tmp_path / "other.pem")
    made, _ = certificate("localhost")
    with pytest.raises(SourceError, match="doesn't belong to"):
        tls_context(made, other)


def test_a_key_with_a_passphrase_and_a_file_that_is_none_are_refused(certificate, tmp_path):
    made, key = certificate("localhost")
    locked = tmp_path / "locked.pem"
    command = ["openssl", "ec", "-aes128", "-passout", "pass:secret", "-in", key, "-out", locked]
    subprocess.run(command, check=True, capture_output=True)
    (tmp_path / "text.pem").write_text("no certificate")
    for pair in [(made, locked), (tmp_path / "text.pem", key), (key, made)]:
        with pytest.raises(SourceError, match="without passphrase"):
            tls_context(*pair)
    with pytest.raises(SourceError, match="isn't there"):
        tls_context(tmp_path / "none.pem", key)


def test_the_command_that_is_advised_makes_a_certificate_that_is_taken(tmp_path, need):
    need("openssl")
    for host, names in [("twin.example.org", ("twin.example.org",)), ("192.168.1.4", ("192.168.1.4",))]:
        subprocess.run(certificate_command(host).split(), check=True, capture_output=True, cwd=tmp_path)
        made = tmp_path / "cert.pem"
        assert certificate_names(tls_context(made, tmp_path / "key.pem"), made) == names
