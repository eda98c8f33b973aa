"""A provider of OpenID Connect: its addresses and keys, the exchange of a code, and the check of its tokens.

Standards: OpenID Connect Core 1.0 and Discovery 1.0; RFC 7636 (PKCE); RFC 9207 (issuer in the answer); OpenID Connect
RP-Initiated Logout 1.0 and Back-Channel Logout 1.0.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from twinlab.apps.login.oidc.settings import OidcSettings, load_oidc
from twinlab.errors import SourceError

if TYPE_CHECKING:
    import requests
    from authlib.integrations.requests_client import OAuth2Session
    from joserfc.jwk import KeySet

__all__ = ["Claims", "Provider", "TokenError", "oidc_provider"]

Claims = dict[str, Any]
#: Seconds to wait for the provider; its metadata and keys are read again after a day.
_TIMEOUT, _FRESH = 10.0, 86_400.0
#: Keys are read again for an unknown key at most so often, seconds.
_KEYS_AGAIN = 30.0
_MOST_BYTES = 1_000_000
#: Clocks of the provider and of this machine may differ by so many seconds.
_LEEWAY = 60
#: Algorithms of signatures with a public key. "none" and those with a shared secret aren't accepted.
_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
_LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
_METADATA = ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")


class TokenError(SourceError):
    """What the provider, or somebody in its place, sent isn't valid."""


@dataclass(frozen=True)
class _Read:
    """Something read from the provider, and when."""

    content: Any
    at: float


class Provider:
    """The provider of ``oidc.yaml``. Its methods wait for the network: call them in a thread.

    Parameters
    ----------
    settings : OidcSettings
    secret : str, optional
        The client's secret.

    Raises
    ------
    SourceError
        If the extra ``oidc`` isn't installed.
    """

    def __init__(self, settings: OidcSettings, secret: str | None) -> None:
        _require_extra()
        self.settings, self._secret = settings, secret
        self._lock = threading.Lock()
        self._metadata: _Read | None = None
        self._keys: _Read | None = None

    # -- the flow -----------------------------------------------------------------------------------------------------

    def authorization_url(self, *, redirect: str, state: str, nonce: str, verifier: str) -> str:
        """Return the address to which a browser is sent, with the challenge of the verifier (PKCE, S256)."""
        with self._client(redirect) as client:
            url, _ = client.create_authorization_url(
                self.metadata()["authorization_endpoint"], state=state, nonce=nonce, code_verifier=verifier
            )
        return str(url)

    def exchange(self, code: str, *, redirect: str, nonce: str, verifier: str) -> Claims:
        """Exchange a code for the claims of the person who has logged in.

        Raises
        ------
        TokenError
            If the code isn't accepted, or the token isn't this provider's for this client and this login.
        SourceError
            If the provider doesn't answer.
        """
        from authlib.integrations.base_client import OAuthError  # noqa: PLC0415  (an extra)
        from requests import RequestException  # noqa: PLC0415  (the same)

        metadata = self.metadata()
        try:
            with self._client(redirect) as client:
                token = client.fetch_token(
                    metadata["token_endpoint"], grant_type="authorization_code", code=code, code_verifier=verifier,
                    timeout=_TIMEOUT, allow_redirects=False,
                )  # fmt: skip
        except OAuthError as error:
            msg = f"the provider refused the code: {error.error}"
            raise TokenError(msg) from error
        except (RequestException, ValueError) as error:
            msg = f"{self.settings.issuer} doesn't answer as expected: {type(error).__name__}"
            raise SourceError(msg) from error
        claims = self._id_token(token, nonce=nonce)
        return claims if self._has_groups(claims) else self._with_user_info(claims, token)

    def logout_url(self, *, back: str) -> str | None:
        """Return the provider's logout page, which leads back here; None if it has none, or isn't to be used."""
        endpoint = self.metadata().get("end_session_endpoint") if self.settings.provider_logout else None
        if not isinstance(endpoint, str):
            return None
        query = urlencode({"client_id": self.settings.client_id, "post_logout_redirect_uri": back})
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{query}"

    def logged_out(self, token: str) -> Claims:
        """Return the claims of a logout token, with which the provider ends a person's logins.

        Raises
        ------
        TokenError
            If it isn't a logout token of this provider for this client.
        """
        claims, _ = self._verified(token)
        self._check(claims, {"iss", "aud", "iat", "jti", "events"})
        events = claims["events"]
        if not isinstance(events, dict) or _LOGOUT_EVENT not in events or "nonce" in claims:
            msg = "the token isn't one of a logout"
            raise TokenError(msg)
        if not isinstance(claims.get("sub"), str):
            msg = "the token of a logout names nobody"
            raise TokenError(msg)
        return claims

    # -- tokens -------------------------------------------------------------------------------------------------------

    def _id_token(self, token: Mapping[str, Any], *, nonce: str) -> Claims:
        from authlib.oidc.core import CodeIDToken  # noqa: PLC0415  (an extra)
        from joserfc.errors import JoseError  # noqa: PLC0415  (the same)

        claims, header = self._verified(token.get("id_token"))
        self._check(claims, {"iss", "aud", "exp", "iat", "sub", "nonce"})
        expected = {"nonce": nonce, "client_id": self.settings.client_id, "access_token": token.get("access_token")}
        try:
            CodeIDToken(claims, header, {}, expected).validate(leeway=_LEEWAY)
        except (JoseError, ValueError, TypeError) as error:
            msg = f"the identity token isn't valid: {error}"
            raise TokenError(msg) from error
        return claims

    def _verified(self, token: object) -> tuple[Claims, dict[str, Any]]:
        """Return claims and header of a token with a valid signature of the provider."""
        from joserfc import jwt  # noqa: PLC0415  (an extra)
        from joserfc.errors import InvalidKeyIdError, JoseError  # noqa: PLC0415  (the same)
        from joserfc.jws import JWSRegistry  # noqa: PLC0415  (the same)

        if not isinstance(token, str) or len(token) > _MOST_BYTES:
            msg = "the provider sent no token"
            raise TokenError(msg)
        offered = self.metadata().get("id_token_signing_alg_values_supported") or ["RS256"]
        registry = JWSRegistry(algorithms=[name for name in _ALGORITHMS if name in offered], strict_check_header=False)
        try:
            try:
                found = jwt.decode(token, self._key_set(), registry=registry)
            except InvalidKeyIdError:
                found = jwt.decode(token, self._key_set(again=True), registry=registry)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            msg = f"the signature of a token isn't the provider's: {type(error).__name__}"
            raise TokenError(msg) from error
        return dict(found.claims), dict(found.header)

    def _check(self, claims: Claims, needed: set[str]) -> None:
        """Check what all tokens have: issuer, audience and times."""
        missing = sorted(needed - claims.keys())
        if missing:
            msg = f"the token lacks {', '.join(missing)}"
            raise TokenError(msg)
        audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        if claims["iss"] != self.metadata()["issuer"] or self.settings.client_id not in audience:
            msg = "the token is another provider's or for another client"
            raise TokenError(msg)
        now = time.time()
        for key, late in (("iat", claims["iat"]), ("nbf", claims.get("nbf", 0))):
            if not _is_number(late) or late > now + _LEEWAY:
                msg = f"the token's {key} is in the future: compare the clocks of this machine and of the provider"
                raise TokenError(msg)
        ends = claims.get("exp", claims["iat"] + 120)
        if not _is_number(ends) or ends < now - _LEEWAY:
            msg = "the token has expired"
            raise TokenError(msg)

    def _has_groups(self, claims: Claims) -> bool:
        return self.settings.groups.partition(".")[0] in claims

    def _with_user_info(self, claims: Claims, token: Mapping[str, Any]) -> Claims:
        """Add the claims that the provider gives at another address."""
        endpoint = self.metadata().get("userinfo_endpoint")
        if not isinstance(endpoint, str) or not isinstance(token.get("access_token"), str):
            return claims
        more = self._read_json(endpoint, headers={"Authorization": f"Bearer {token['access_token']}"})
        if more.get("sub") != claims["sub"]:
            msg = "the provider's user info is another person's"
            raise TokenError(msg)
        return {**more, **claims}

    # -- metadata and keys --------------------------------------------------------------------------------------------

    def metadata(self) -> dict[str, Any]:
        """Return the provider's metadata (OpenID Connect Discovery).

        Raises
        ------
        SourceError
            If the provider doesn't answer, or its metadata are another issuer's.
        """
        with self._lock:
            if self._metadata is None or time.monotonic() - self._metadata.at > _FRESH:
                found = self._read_json(f"{self.settings.issuer}/.well-known/openid-configuration")
                if str(found.get("issuer", "")).rstrip("/") != self.settings.issuer:
                    msg = f"expected the metadata of {self.settings.issuer}, got those of {found.get('issuer')!r}"
                    raise SourceError(msg)
                missing = [name for name in _METADATA if not isinstance(found.get(name), str)]
                if missing:
                    msg = f"the metadata of {self.settings.issuer} lack {', '.join(missing)}"
                    raise SourceError(msg)
                self._metadata = _Read(found, time.monotonic())
            content: dict[str, Any] = self._metadata.content
            return content

    def _key_set(self, *, again: bool = False) -> KeySet:
        from joserfc.jwk import KeySet  # noqa: PLC0415  (an extra)

        uri = self.metadata()["jwks_uri"]
        with self._lock:
            age = float("inf") if self._keys is None else time.monotonic() - self._keys.at
            if age > _FRESH or (again and age > _KEYS_AGAIN):
                self._keys = _Read(self._read_json(uri), time.monotonic())
            assert self._keys is not None
            return KeySet.import_key_set(self._keys.content)

    def _read_json(self, url: str, *, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        import requests  # noqa: PLC0415  (an extra)

        try:
            with requests.get(
                url, headers=dict(headers or {}), timeout=_TIMEOUT, allow_redirects=False, stream=True
            ) as answer:
                answer.raise_for_status()
                found = _json_of(answer)
        except (requests.RequestException, ValueError) as error:
            msg = f"{url} doesn't answer as a provider of OpenID Connect does: {type(error).__name__}: {error}"
            raise SourceError(msg) from error
        return found

    def _client(self, redirect: str) -> OAuth2Session:
        from authlib.integrations.requests_client import OAuth2Session  # noqa: PLC0415  (an extra)

        scopes = " ".join(dict.fromkeys(["openid", *self.settings.scopes]))
        return OAuth2Session(
            self.settings.client_id, self._secret, scope=scopes, redirect_uri=redirect, code_challenge_method="S256"
        )


def oidc_provider(path: Path) -> Provider:
    """Return the provider of an ``oidc.yaml``; nothing is asked of it yet.

    Raises
    ------
    SchemaError
        If the file isn't valid.
    SourceError
        If it or the client's secret can't be read, or the extra ``oidc`` isn't installed.
    """
    settings = load_oidc(path)
    return Provider(settings, settings.secret(path.parent))


def _json_of(answer: requests.Response) -> dict[str, Any]:
    """Return a short answer's JSON object."""
    content = answer.raw.read(_MOST_BYTES + 1, decode_content=True)
    if answer.status_code != 200 or len(content) > _MOST_BYTES:
        msg = f"expected status 200 and at most {_MOST_BYTES} bytes, got {answer.status_code}"
        raise ValueError(msg)
    found = json.loads(content)
    if not isinstance(found, dict):
        msg = f"expected a JSON object, got {type(found).__name__}"
        raise ValueError(msg)  # noqa: TRY004  (it is about what came, not about an argument)
    return found


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _require_extra() -> None:
    try:
        import authlib.integrations.requests_client  # noqa: F401, PLC0415
        import joserfc  # noqa: F401, PLC0415
    except ImportError as error:
        msg = f'a login with OpenID Connect needs authlib, joserfc and requests: pip install "twinlab-kit[oidc]" ({error})'
        raise SourceError(msg) from error
