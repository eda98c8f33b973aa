"""A provider of OpenID Connect as a program: oidc-provider-mock, which here also insists on PKCE and counts what it was asked.

``python provider.py`` prints its port as one line. Beside the mock's own routes there are ``/test/requests`` (what it was
asked), ``/test/change`` (changes the claims of the next token) and ``/test/logout-token`` (a token of a back-channel logout).
"""

import base64
import hashlib
import io
import json
import sys
import time
import warnings
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

EVENT = "http://schemas.openid.net/event/backchannel-logout"


class Strict:
    """WSGI middleware: a code is only exchanged with the verifier of the challenge that came with the request for it."""

    def __init__(self, application):
        self.application = application
        self.challenges, self.requests, self.changes = {}, [], {}

    def __call__(self, environ, start_response):
        path, query = environ["PATH_INFO"], parse_qs(environ.get("QUERY_STRING", ""))
        if path.startswith("/test/"):
            return self.control(path, query, start_response)
        if path == "/oauth2/token":
            size = int(environ.get("CONTENT_LENGTH") or 0)
            body = environ["wsgi.input"].read(size)
            form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
            self.requests.append({"path": path, "form": form, "basic": environ.get("HTTP_AUTHORIZATION", "")[:6]})
            digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
            if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != self.challenges.pop(form.get("code"), None):
                return answer(start_response, "400 Bad Request", {"error": "invalid_grant"})
            environ["wsgi.input"] = io.BytesIO(body)
            return self.token(environ, start_response)
        if path == "/oauth2/authorize":
            self.requests.append({"path": path, "query": {name: values[0] for name, values in query.items()}})
            if query.get("code_challenge_method") != ["S256"] or not query.get("code_challenge"):
                return answer(start_response, "400 Bad Request", {"error": "invalid_request"})

            def seen(status, headers, *more):
                for name, value in headers:
                    if name.lower() == "location":
                        for code in parse_qs(urlsplit(value).query).get("code", []):
                            self.challenges[code] = query["code_challenge"][0]
                return start_response(status, headers, *more)

            return self.application(environ, seen)
        return self.application(environ, start_response)

    def token(self, environ, start_response):
        """Answer with a token, changed as a test wants it."""
        if not self.changes:
            return self.application(environ, start_response)
        kept = []
        body = b"".join(self.application(environ, lambda *given: kept.append(given)))
        found = json.loads(body)
        header, encoded, signature = found["id_token"].split(".")
        claims = json.loads(base64.urlsafe_b64decode(encoded + "=="))
        key = RSAKey.import_key(self.key().as_dict(is_private=True))
        changes = dict(self.changes)
        self.changes = {}
        kind = changes.pop("kind", "")
        claims |= changes
        claims = {name: value for name, value in claims.items() if value is not None}
        if kind == "unsigned":
            plain = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
            body_text = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
            found["id_token"] = f"{plain}.{body_text}."
        elif kind == "changed":
            body_text = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
            found["id_token"] = f"{header}.{body_text}.{signature}"
        elif kind == "other key":
            found["id_token"] = jwt.encode({"alg": "RS256"}, claims, RSAKey.generate_key(2048))
        elif kind == "no token":
            del found["id_token"]
        else:
            found["id_token"] = jwt.encode({"alg": "RS256"}, claims, key)
        return answer(start_response, "200 OK", found)

    def control(self, path, query, start_response):
        """Answer what only tests ask."""
        if path == "/test/requests":
            out, self.requests = self.requests, []
        elif path == "/test/change":
            self.changes = json.loads(query["claims"][0])
            out = {}
        else:
            now = int(time.time())
            claims = {"iat": now, "exp": now + 60, "jti": "1", "events": {EVENT: {}}, **json.loads(query["claims"][0])}
            claims = {name: value for name, value in claims.items() if value is not None}
            key = RSAKey.import_key(self.key().as_dict(is_private=True))
            out = jwt.encode({"alg": "RS256"}, claims, key)
        return answer(start_response, "200 OK", out)

    def key(self):
        from oidc_provider_mock._storage import storage

        with self.flask.test_request_context():
            self.flask.preprocess_request()
            return storage.jwk


def answer(start_response, status, content):
    start_response(status, [("Content-Type", "application/json")])
    return [json.dumps(content).encode()]


def main():
    warnings.simplefilter("ignore")
    import werkzeug.serving
    from oidc_provider_mock import app

    flask = app(require_nonce=True)
    strict = Strict(flask.wsgi_app)
    strict.flask = flask
    server = werkzeug.serving.make_server("localhost", 0, strict, threaded=True)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
