"""Check the scrypt hashes that twinlab wrote before it used Argon2; each is replaced at its user's next login."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass

__all__ = ["ScryptCost", "check_scrypt", "parse_scrypt"]

_SALT_BYTES, _HASH_BYTES = 16, 32
# The most that a hash in a file may demand of this machine: 1 GiB.
_MOST_LOG_N, _MOST_BLOCK, _MOST_PARALLEL = 20, 8, 16


@dataclass(frozen=True)
class ScryptCost:
    """Parameters of a scrypt hash; ``str(cost)`` is the beginning of the stored text."""

    # log2 of the number of blocks.
    log_n: int
    block: int
    parallel: int

    def __str__(self) -> str:
        return f"scrypt${self.log_n}${self.block}${self.parallel}"


def parse_scrypt(hashed: str) -> tuple[ScryptCost, bytes, bytes]:
    """Return cost, salt and hash of a stored text ``scrypt$log2(N)$r$p$salt$hash``.

    Raises
    ------
    ValueError
        If the text has another form, or demands more than 1 GiB.

    Examples
    --------
    >>> parse_scrypt(f"scrypt$15$8$3${'A' * 22}${'A' * 43}")[0]
    ScryptCost(log_n=15, block=8, parallel=3)
    """
    kind, log_n, block, parallel, salt, digest = hashed.split("$")
    cost = ScryptCost(int(log_n), int(block), int(parallel))
    salt_bytes, digest_bytes = (
        base64.b64decode(part + "=" * (-len(part) % 4), validate=True) for part in (salt, digest)
    )
    sane = 1 <= cost.log_n <= _MOST_LOG_N and 1 <= cost.block <= _MOST_BLOCK and 1 <= cost.parallel <= _MOST_PARALLEL
    if kind != "scrypt" or not sane or len(salt_bytes) < _SALT_BYTES or len(digest_bytes) != _HASH_BYTES:
        msg = "no scrypt hash of a known cost"
        raise ValueError(msg)
    return cost, salt_bytes, digest_bytes


def check_scrypt(password: bytes, hashed: str) -> bool:
    """Return whether a password matches a scrypt hash, in constant time.

    Raises
    ------
    ValueError
        If the hash isn't one.
    """
    cost, salt, digest = parse_scrypt(hashed)
    n = 2**cost.log_n
    memory = 128 * cost.block * (n + cost.parallel + 4) + 2**20
    computed = hashlib.scrypt(
        password, salt=salt, n=n, r=cost.block, p=cost.parallel, maxmem=memory, dklen=_HASH_BYTES
    )  # fmt: skip
    return hmac.compare_digest(computed, digest)
