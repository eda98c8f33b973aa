"""Passwords as they're kept: salted scrypt, with the cost written beside each hash."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import unicodedata
from dataclasses import dataclass

from twinlab.errors import SchemaError

__all__ = ["Cost", "check_password", "cost_of", "hash_password", "is_hash", "need_fit_password", "unmatched_hash"]

#: NIST SP 800-63B-4 asks for 15 where a password is all there is, and for 8 at the very least.
SHORTEST = 12
_LONGEST = 1024
_SALT_BYTES = 16
_HASH_BYTES = 32
# What a hash in a file may ask of this machine: 1 GiB.
_MOST_LOG_N, _MOST_BLOCK, _MOST_PARALLEL = 20, 8, 16


@dataclass(frozen=True)
class Cost:
    """What one guess costs; the default takes 32 MiB and some 0.2 s.

    References
    ----------
    .. [1] OWASP, "Password Storage Cheat Sheet": scrypt with N=2^15, r=8, p=3.
    """

    log_n: int = 15
    block: int = 8
    parallel: int = 3


def hash_password(password: str, *, cost: Cost | None = None) -> str:
    """Return a password's salted hash, as text that names its own cost.

    Parameters
    ----------
    password : str
        Compared in Unicode's NFKC form, so that any keyboard gives the same.
    cost : Cost, optional
        By default that of `Cost`.

    Returns
    -------
    str
        ``scrypt$log2(N)$r$p$salt$hash``, the last two in base64.
    """
    cost = cost or Cost()
    salt = secrets.token_bytes(_SALT_BYTES)
    parts = [base64.b64encode(part).decode() for part in (salt, _derive(password, salt, cost))]
    return "$".join(["scrypt", str(cost.log_n), str(cost.block), str(cost.parallel), *parts])


def check_password(password: str, hashed: str) -> bool:
    """Tell whether a password is the hashed one; takes as long if it isn't.

    Raises
    ------
    SchemaError
        If ``hashed`` isn't what `hash_password` gives.
    """
    cost, salt, kept = _parts(hashed)
    return hmac.compare_digest(_derive(password, salt, cost), kept)


def unmatched_hash(cost: Cost) -> str:
    """Return a hash that no password has, and that takes as long to check as others of its cost."""
    parts = [base64.b64encode(secrets.token_bytes(size)).decode() for size in (_SALT_BYTES, _HASH_BYTES)]
    return "$".join(["scrypt", str(cost.log_n), str(cost.block), str(cost.parallel), *parts])


def cost_of(hashed: str) -> Cost:
    """Return what checking a password against a hash costs.

    >>> cost_of(unmatched_hash(Cost(log_n=4)))
    Cost(log_n=4, block=8, parallel=3)
    """
    return _parts(hashed)[0]


def is_hash(hashed: str) -> bool:
    """Tell whether a text is what `hash_password` gives.

    >>> is_hash("secret")
    False
    """
    try:
        _parts(hashed)
    except SchemaError:
        return False
    return True


def need_fit_password(password: str, *, name: str) -> None:
    """Refuse a password that is too short, too long, or the name itself.

    Raises
    ------
    SchemaError
        Says what is expected; never the password.
    """
    if not SHORTEST <= len(password) <= _LONGEST:
        msg = f"expected a password of {SHORTEST} to {_LONGEST} characters, got {len(password)}; a few words in a row do well"
        raise SchemaError(msg)
    if len(set(password)) < 5 or password.casefold().replace(name.casefold(), "") == "":
        msg = "expected a password of at least five different characters that isn't the name; a few words in a row do well"
        raise SchemaError(msg)


def _derive(password: str, salt: bytes, cost: Cost) -> bytes:
    text = unicodedata.normalize("NFKC", password[:_LONGEST]).encode("utf-8", "surrogatepass")
    n = 2**cost.log_n
    memory = 128 * cost.block * (n + cost.parallel + 4)
    return hashlib.scrypt(text, salt=salt, n=n, r=cost.block, p=cost.parallel, maxmem=memory + 2**20, dklen=_HASH_BYTES)


def _parts(hashed: str) -> tuple[Cost, bytes, bytes]:
    try:
        kind, log_n, block, parallel, salt, kept = hashed.split("$")
        cost = Cost(int(log_n), int(block), int(parallel))
        found = cost, base64.b64decode(salt, validate=True), base64.b64decode(kept, validate=True)
    except ValueError as error:
        msg = "expected a password hash such as scrypt$15$8$3$salt$hash; set the password again with `twinlab user passwd`"
        raise SchemaError(msg) from error
    sane = 1 <= cost.log_n <= _MOST_LOG_N and 1 <= cost.block <= _MOST_BLOCK and 1 <= cost.parallel <= _MOST_PARALLEL
    if kind != "scrypt" or not sane or len(found[1]) < _SALT_BYTES or len(found[2]) != _HASH_BYTES:
        msg = "a password hash has a kind or cost that isn't known; set the password again with `twinlab user passwd`"
        raise SchemaError(msg)
    return found
