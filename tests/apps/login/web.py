"""A client of a served page for tests: requests, logins and websockets without a browser."""

import asyncio
import http.client
import re
import ssl
from urllib.parse import urlencode, urlsplit

from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

PASSWORDS = {"dora": "quiet harbour seven", "sara": "quiet harbour eight"}


def log_in(page, name, password):
    """Log in on the login page that a browser shows, and wait for the page after it."""
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(lambda url: "login" not in url)


class Answer:
    def __init__(self, status, headers, text):
        self.status, self.headers, self.text = status, headers, text

    @property
    def cookies(self):
        """Name -> the whole line."""
        return {line.partition("=")[0]: line for line in self.headers.get_all("Set-Cookie") or []}

    def value(self, name):
        return self.cookies[name].partition("=")[2].partition(";")[0].strip('"')

    @property
    def token(self):
        """The Bokeh session's token in a page."""
        return re.search(r'"token":"([^"]+)"', self.text).group(1)

    @property
    def form(self):
        """The form's own token on a login page."""
        return re.search(r'name="_xsrf" value="([^"]+)"', self.text).group(1)


class Web:
    """Asks one server."""

    def __init__(self, url):
        self.url = url
        self.at = urlsplit(url)
        # The certificate is the test's own.
        self.context = ssl._create_unverified_context() if self.at.scheme == "https" else None
        self.cookie = f"{'__Host-' if self.context else ''}twinlab-{self.at.port}"

    def ask(self, path="/", *, method="GET", cookies=None, headers=None, form=None):
        kind = http.client.HTTPSConnection if self.context else http.client.HTTPConnection
        more = {"context": self.context} if self.context else {}
        connection = kind(self.at.hostname, self.at.port, timeout=60, **more)
        sent = {"Accept": "text/html", **(headers or {})}
        if cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        body = None
        if form is not None:
            method, body = "POST", urlencode(form)
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            connection.request(method, path, body=body, headers=sent)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read().decode("utf-8", "replace"))
        finally:
            connection.close()

    def try_login(self, name, password, *, onward="/", **more):
        first = self.ask("/login")
        form = {"name": name, "password": password, "next": onward, "_xsrf": first.form}
        cookie = f"{self.cookie}-form"
        return self.ask("/login", form=form, cookies={cookie: first.value(cookie)}, **more)

    def login(self, name):
        """The cookies of somebody who has logged in."""
        answer = self.try_login(name, PASSWORDS[name])
        assert answer.status == 303, answer.text
        return {self.cookie: answer.value(self.cookie)}

    async def websocket(self, token, *, cookies=None, origin=None):
        """A websocket that has received Bokeh's first message; refusals are tornado's HTTPClientError."""
        headers = {"Origin": origin or f"{self.at.scheme}://{self.at.netloc}"}
        if cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        url = f"{self.url.replace('http', 'ws', 1)}ws"
        request = HTTPRequest(url, headers=headers, validate_cert=False)
        socket = await websocket_connect(request, subprotocols=["bokeh", token])
        if await asyncio.wait_for(socket.read_message(), 30) is None:
            socket.close()
            raise ConnectionRefusedError
        return socket

    async def leave(self, socket):
        """Close a websocket and see it closed."""
        socket.close()
        while await asyncio.wait_for(socket.read_message(), 30) is not None:
            pass
