"""Any request, in this process: parsed by Tornado, and accepted or refused by the guard. Short here; 600,000 with ``-m soak``."""

import contextlib
import os
import random
import re
from types import SimpleNamespace

import pytest
from tornado.httputil import HTTPHeaders, HTTPInputError, HTTPServerRequest, parse_request_start_line
from tornado.web import create_signed_value

from tests.apps.login.web import PASSWORDS
from tests.apps.server.random_requests import request_bytes
from twinlab.apps.login.passwords import Cost
from twinlab.apps.login.rates import Buckets
from twinlab.apps.login.request_guard import RequestGuard
from twinlab.apps.login.sessions import Logins
from twinlab.apps.login.users import Users

NETLOC, COOKIE, SECRET = "localhost:5006", "twinlab-5006", "a" * 64
HERS = "session-of-sara"
REQUESTS = 3_000
SOAK = int(os.environ.get("TWINLAB_FUZZ_CHECKED_REQUESTS", "600000"))


@pytest.fixture(scope="module")
def users(tmp_path_factory):
    users = Users(tmp_path_factory.mktemp("asked") / "users.json", cost=Cost(passes=1, memory=32))
    for name in ("dora", "sara"):
        users.add(name, PASSWORDS[name], roles=["dispatcher"])
    return users


def signed(secret, key=SECRET):
    return create_signed_value(key, COOKIE, secret).decode()


@pytest.fixture
def guarded(users):
    """A guard, and the cookies of dora, of nobody, of a login that was ended, and of one that another server signed."""
    logins = Logins(users)
    guard = RequestGuard(
        ["localhost", "127.0.0.1", "::1"], "http", COOKIE, SECRET, logins, rates=Buckets(rate=1e12, burst=1e12)
    )
    mine, ended = (logins.begin("dora", users.account("dora")) for _ in range(2))
    logins.end(logins.find(ended))
    guard.claim(HERS, logins.find(logins.begin("sara", users.account("sara"))))
    cookies = [signed(mine), signed("x" * 43), signed(ended), signed(mine, "b" * 64), signed(mine)[:-1], ""]
    return guard, cookies


def request_of(raw):
    """Return a request as Tornado's server makes it; None for bytes that it answers with 400 or not at all."""
    head, end, body = raw.decode("latin1").lstrip("\r\n").partition("\r\n\r\n")
    if not end:
        return None
    first, _, lines = head.partition("\n")
    with contextlib.suppress(HTTPInputError):
        headers = HTTPHeaders.parse(f"\n{lines}\n")
        return HTTPServerRequest(
            connection=SimpleNamespace(context=SimpleNamespace(remote_ip="192.0.2.7", protocol="http")),
            start_line=parse_request_start_line(first.rstrip("\r")),
            headers=headers,
            body=body.encode("latin1"),
        )
    return None


def check_accepted(request, good):
    """What is true of each request that is accepted, by other means than the guard's."""
    assert request.method in ("GET", "HEAD", "POST")
    assert re.sub(r"\.?(:\d*)?$", "", request.host).lower() in ("localhost", "127.0.0.1")
    assert good in request.headers.get("Cookie", "") or request.path == "/login"
    changes = request.method == "POST" or "websocket" in request.headers.get("Upgrade", "").lower()
    if changes and "Origin" in request.headers:
        assert request.headers["Origin"].lower() == f"http://{request.headers['Host']}".lower()
    if getattr(request, "twinlab_login", None) is not None:
        assert HERS not in request.headers.get_list("Bokeh-Session-Id")
        assert f"bokeh-session-id={HERS}" not in request.query.split("&")


def fuzz(guarded, count, seed):
    guard, cookies = guarded
    rng = random.Random(seed)
    before = len(guard.logins), dict(guard.owners)
    found = {"accepted": 0, "no request": 0}
    for _ in range(count):
        cookie = cookies[0] if rng.random() < 0.5 else rng.choice(cookies)
        raw = request_bytes(rng, NETLOC, {COOKIE: cookie})
        chosen = rng.random()
        if chosen < 0.05:
            raw = raw.replace(b"\r\n", f"\r\nBokeh-Session-Id: {HERS}\r\n".encode(), 1)
        elif chosen < 0.1:
            raw = raw.replace(b" HTTP/", f"?bokeh-session-id={HERS} HTTP/".encode(), 1)
        request = request_of(raw)
        if request is None:
            found["no request"] += 1
            continue
        refused = guard.match(request)
        if refused is None:
            check_accepted(request, cookies[0])
            found["accepted"] += 1
        else:
            status = refused["target_kwargs"]["refusal"].status
            found[status] = found.get(status, 0) + 1
    assert (len(guard.logins), guard.owners) == before
    return found


def test_any_request_is_refused_or_is_of_a_login(guarded):
    found = fuzz(guarded, REQUESTS, seed=1)
    # 302 is the answer to a browser without a login, of which there are few.
    assert found.keys() - {302} == {"accepted", "no request", 403, 404, 405, 421}
    assert min(found["accepted"], found[403], found[405], found[421]) > REQUESTS / 100


@pytest.mark.soak
def test_many_requests_in_this_process(guarded):
    found = fuzz(guarded, SOAK, seed=2)
    print(SOAK, found)  # noqa: T201  (the counts are the result)
    assert found.keys() == {"accepted", "no request", 302, 403, 404, 405, 421}
