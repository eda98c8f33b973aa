"""Password hashing with Argon2id; the parameters are stored with each hash."""

from __future__ import annotations

import base64
import re
import secrets
import unicodedata
from dataclasses import dataclass

from twinlab.apps.login.scrypt import ScryptCost, check_scrypt, parse_scrypt
from twinlab.errors import SchemaError, SourceError

try:
    from argon2 import PasswordHasher
    from argon2.exceptions import VerifyMismatchError
except ImportError as error:
    _msg = 'a login needs argon2-cffi: pip install "twinlab-kit[explore]"'
    raise SourceError(_msg) from error

__all__ = [
    "Cost",
    "check_new_password",
    "check_password",
    "cost_of",
    "hash_password",
    "is_hash",
    "unmatched_hash",
]

#: NIST SP 800-63B-4 asks for 15 where a password is the only factor, and for 8 at the very least.
SHORTEST = 12
_LONGEST = 1024
_SALT_BYTES = 16
_HASH_BYTES = 32
# The most that a hash in a file may demand of this machine: 1 GiB, 16 passes.
_MOST_MEMORY, _MOST_PASSES, _MOST_LANES = 2**20, 16, 16
_ARGON2 = re.compile(r"\$argon2id\$v=19\$m=(\d{1,8}),t=(\d{1,3}),p=(\d{1,3})\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}")


@dataclass(frozen=True)
class Cost:
    """Parameters of an Argon2id hash; the default takes 64 MiB and about 0.1 s.

    ``str(cost)`` is the beginning of the stored text, in the PHC string format.

    References
    ----------
    .. [1] RFC 9106, "Argon2 Memory-Hard Function", section 4, second recommended option: 3 passes, 4 lanes, 64 MiB.
       OWASP's "Password Storage Cheat Sheet" asks for less: 2 passes, 1 lane, 19 MiB.
    """

    passes: int = 3
    # KiB
    memory: int = 65536
    lanes: int = 4

    def __str__(self) -> str:
        return f"$argon2id$v=19$m={self.memory},t={self.passes},p={self.lanes}"


def hash_password(password: str, *, cost: Cost | None = None) -> str:
    """Return a password's salted hash, as text that contains the hash's parameters.

    Parameters
    ----------
    password : str
        Normalised to Unicode's NFKC form, so that every keyboard gives the same hash.
    cost : Cost, optional
        By default that of `Cost`.

    Returns
    -------
    str
        ``$argon2id$v=19$m=memory,t=passes,p=lanes$salt$hash``, the last two in base64.
    """
    cost = cost or Cost()
    hasher = PasswordHasher(
        time_cost=cost.passes, memory_cost=cost.memory, parallelism=cost.lanes, hash_len=_HASH_BYTES, salt_len=_SALT_BYTES
    )  # fmt: skip
    return hasher.hash(_encoded(password))


def check_password(password: str, hashed: str) -> bool:
    """Return whether a password matches a hash, including scrypt hashes of earlier versions. A mismatch takes as long.

    Raises
    ------
    SchemaError
        If ``hashed`` isn't the text of a hash.
    """
    if isinstance(cost_of(hashed), ScryptCost):
        return check_scrypt(_encoded(password), hashed)
    try:
        return PasswordHasher().verify(hashed, _encoded(password))
    except VerifyMismatchError:
        return False


def unmatched_hash(cost: Cost | ScryptCost) -> str:
    """Return a hash that no password has, and that takes as long to check as others of its cost."""
    parts = [base64.b64encode(secrets.token_bytes(size)).decode().rstrip("=") for size in (_SALT_BYTES, _HASH_BYTES)]
    return "$".join([str(cost), *parts])


def cost_of(hashed: str) -> Cost | ScryptCost:
    """Return the parameters of a hash.

    Raises
    ------
    SchemaError
        If ``hashed`` isn't the text of a hash, or demands too much.

    Examples
    --------
    >>> cost_of(unmatched_hash(Cost(passes=2)))
    Cost(passes=2, memory=65536, lanes=4)
    """
    if hashed.startswith("scrypt$"):
        try:
            return parse_scrypt(hashed)[0]
        except ValueError:
            pass
    elif match := _ARGON2.fullmatch(hashed):
        memory, passes, lanes = map(int, match.groups())
        if 1 <= passes <= _MOST_PASSES and 1 <= lanes <= _MOST_LANES and 8 * lanes <= memory <= _MOST_MEMORY:
            return Cost(passes, memory, lanes)
    msg = f"expected a password hash such as {Cost()}$salt$hash; set the password again with `twinlab user passwd`"
    raise SchemaError(msg)


def is_hash(hashed: str) -> bool:
    """Return whether a text is a password hash that `check_password` accepts.

    >>> is_hash("secret")
    False
    """
    try:
        cost_of(hashed)
    except SchemaError:
        return False
    return True


def check_new_password(password: str, *, name: str) -> None:
    """Check a new password: neither too short, nor too long, nor the user's name.

    Raises
    ------
    SchemaError
        If it doesn't fit. The message says what is expected and never contains the password.
    """
    if not SHORTEST <= len(password) <= _LONGEST:
        msg = f"expected a password of {SHORTEST} to {_LONGEST} characters, got {len(password)}; use several words in a row"
        raise SchemaError(msg)
    if len(set(password)) < 5 or password.casefold().replace(name.casefold(), "") == "":
        msg = (
            "expected a password of at least five different characters that isn't the name; use several words in a row"
        )
        raise SchemaError(msg)


def _encoded(password: str) -> bytes:
    return unicodedata.normalize("NFKC", password[:_LONGEST]).encode("utf-8", "surrogatepass")
