"""HTTP requests of well-formed parts, of which some are changed at random."""

METHODS = ["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "get", "X", "G\x00T", "É"]
PATHS = [
    "/", "/login", "/logout", "/ws", "/metadata", "/autoload.js", "/static/js/bokeh.min.js", "/favicon.ico", "/components/x/y",
    "/login/oidc", "/login/oidc/callback", "/login/oidc/logout", "/liveness", "//", "/..", "/%2e%2e/%2e%2e/etc/passwd", "/%00", "*",
    "/static/../../users.json", "/static/%2e%2e%2f%2e%2e%2faccess.yaml", "http://elsewhere.org/", "/static/extensions/panel/../../../x",
]  # fmt: skip
NAMES = [
    "Host", "Cookie", "Origin", "Content-Length", "Content-Type", "Transfer-Encoding", "Upgrade", "Connection", "Range", "Accept",
    "Sec-WebSocket-Key", "Sec-WebSocket-Version", "Sec-WebSocket-Protocol", "Bokeh-Session-Id", "X-Forwarded-For", "X-Real-Ip",
    "Expect", "If-None-Match", "Authorization", "Accept-Encoding", "Content-Encoding", "Sec-Fetch-Site", "X-Xsrftoken",
]  # fmt: skip
VALUES = [
    "", "0", "-1", "1", "99999999999999999999", "chunked", "websocket", "Upgrade", "keep-alive", "close", "bytes=0-", "text/html",
    "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "gzip", "bokeh, e30.x", "13", "null", "*", "a" * 3000,
    "../../..", "\x01", "é", "{}", "%00", "'\"<script>", "localhost", "100-continue", "bokeh", '"', "=;=;", "name=\xff",
]  # fmt: skip


def request_bytes(rng, netloc, cookies):
    """Return the bytes of a request.

    Parameters
    ----------
    rng : random.Random
    netloc : str
        Host and port of the server; most requests name it.
    cookies : dict
        Of a login; most requests have them.
    """
    method = rng.choice(METHODS) if rng.random() < 0.4 else rng.choice(["GET", "POST"])
    path = rng.choice(PATHS)
    if rng.random() < 0.3:
        path += "?" + "&".join(f"{rng.choice(['page', 'next', 'bokeh-session-id', 'bokeh-token', 'state', 'code', ''])}={rng.choice(VALUES)}" for _ in range(rng.randrange(3)))  # fmt: skip
    headers = [("Host", netloc if rng.random() < 0.9 else rng.choice(VALUES))]
    if rng.random() < 0.6:
        headers.append(("Cookie", "; ".join(f"{name}={value}" for name, value in cookies.items())))
    headers += [(rng.choice(NAMES), rng.choice(VALUES)) for _ in range(rng.randrange(4))]
    body = rng.choice(
        [
            b"",
            b"",
            b"name=dora&password=x",
            b"x" * rng.randrange(50),
            rng.randbytes(rng.randrange(80)),
            b"everywhere=yes",
        ]
    )
    if body and rng.random() < 0.8:
        headers.append(("Content-Length", str(len(body))))
    text = f"{method} {path} HTTP/1.{rng.choice('1111012')}\r\n" + "".join(
        f"{name}: {value}\r\n" for name, value in headers
    )
    raw = text.encode("utf-8", "surrogateescape") + b"\r\n" + body
    if rng.random() < 0.15:
        place = rng.randrange(len(raw))
        raw = raw[:place] + rng.randbytes(rng.randrange(4)) + raw[place + rng.randrange(3) :]
    return raw if rng.random() < 0.97 else raw[: rng.randrange(len(raw))]
