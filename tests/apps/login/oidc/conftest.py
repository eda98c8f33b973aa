"""A provider of OpenID Connect as a process of its own, and a page that is served with it."""

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest

from tests.apps.login.web import Web
from twinlab.apps import start
from twinlab.model.twinmodel import TwinModel
from twinlab.testing import FakeTwin

PEOPLE = {
    "s-1": {"preferred_username": "Dora", "groups": ["dispatch", "others"]},
    "s-2": {"preferred_username": "Sara", "groups": ["stewards"]},
    "s-3": {"preferred_username": "Nils", "groups": ["others"]},
}
SETTINGS = """
issuer: {issuer}
client_id: twin
client_secret_env: TWINLAB_TEST_OIDC_SECRET
groups: groups
roles: {{dispatch: dispatcher, stewards: [steward, viewer]}}
"""


class TestProvider:
    """The running provider, as a test asks it."""

    __test__ = False

    def __init__(self, port):
        self.issuer = f"http://localhost:{port}"

    def ask(self, path, *, body=None, method=None, json_body=None):
        data = json.dumps(json_body).encode() if json_body is not None else body
        request = urllib.request.Request(self.issuer + path, data=data, method=method)
        if json_body is not None:
            request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read().decode()

    def put(self, sub, **claims):
        self.ask(f"/users/{quote(sub)}", method="PUT", json_body=claims)

    def change_token(self, **claims):
        self.ask(f"/test/change?claims={quote(json.dumps(claims))}")

    def logout_token(self, **claims):
        return json.loads(self.ask(f"/test/logout-token?claims={quote(json.dumps(claims))}"))

    def requests(self):
        return json.loads(self.ask("/test/requests"))

    def agree(self, url, sub, *, action=None):
        """Log in at the provider's form; return the address back to the page."""

        class Stay(urllib.request.HTTPRedirectHandler):
            def redirect_request(self, *_):
                return None

        form = urlencode({"action": action} if action else {"sub": sub}).encode()
        try:
            urllib.request.build_opener(Stay).open(url, data=form, timeout=30)
        except urllib.error.HTTPError as error:
            with error:
                return error.headers["Location"]
        raise AssertionError("the provider didn't redirect")


@pytest.fixture(scope="session")
def provider():
    program = Path(__file__).with_name("provider.py")
    environment = {**os.environ, "AUTHLIB_INSECURE_TRANSPORT": "1"}
    with subprocess.Popen(
        [sys.executable, program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as process:
        found = TestProvider(int(process.stdout.readline()))
        for sub, claims in PEOPLE.items():
            found.put(sub, **claims)
        yield found
        process.kill()


@pytest.fixture
def settings(provider, tmp_path, monkeypatch):
    """Write an ``oidc.yaml`` with more lines; return its path."""
    monkeypatch.setenv("TWINLAB_TEST_OIDC_SECRET", "a secret of the test")

    def write(more="", *, text=SETTINGS):
        path = tmp_path / "oidc.yaml"
        path.write_text(text.format(issuer=provider.issuer) + more, encoding="utf-8")
        return path

    return write


@pytest.fixture
def recorded():
    return []


@pytest.fixture(scope="module")
def one_server(provider, tmp_path_factory):
    path = tmp_path_factory.mktemp("oidc") / "oidc.yaml"
    path.write_text(SETTINGS.format(issuer=provider.issuer), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TWINLAB_TEST_OIDC_SECRET", "a secret of the test")
        served = start(FakeTwin(TwinModel(twin="empty", title="Empty")), oidc=path)
    yield served
    served.stop()


@pytest.fixture
def served(one_server, recorded, provider):
    """The server, without logins and counts of earlier tests."""
    service = one_server._login_service
    for table in ("logins", "tries", "people", "flows"):
        service.logins.store.change(f"DELETE FROM {table}")
    service.record = recorded.append
    provider.change_token()
    return one_server


class Browser(Web):
    """Follows a login through the provider, with the cookies of one browser."""

    def __init__(self, url, provider):
        super().__init__(url)
        self.provider, self.jar = provider, {}

    def get(self, path, **more):
        answer = self.ask(path, cookies=self.jar, **more)
        for name in answer.cookies:
            value = answer.value(name)
            if value:
                self.jar[name] = value
            else:
                self.jar.pop(name, None)
        return answer

    def begin(self, onward="/"):
        answer = self.get(f"/login/oidc?{urlencode({'next': onward})}")
        assert answer.status == 303, answer.text
        return answer.headers["Location"]

    def come_back(self, address):
        at = urlsplit(address)
        return self.get(f"{at.path}?{at.query}")

    def login(self, sub, *, onward="/"):
        return self.come_back(self.provider.agree(self.begin(onward), sub))


@pytest.fixture
def browser(served, provider):
    return Browser(served.url, provider)


@pytest.fixture
def another_browser(served, provider):
    return Browser(served.url, provider)


@pytest.fixture
def query():
    return lambda url: {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
