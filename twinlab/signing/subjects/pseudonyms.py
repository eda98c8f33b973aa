"""Pseudonyms: the same person has another one for each purpose and epoch, and nobody computes one without the key."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterable
from functools import lru_cache

from twinlab.signing.subjects.ciphers import derive

__all__ = ["Pseudonyms"]

#: Characters of a pseudonym after its mark: 80 bits, so that two of a million people share one with a probability of 4e-13.
_LENGTH = 16


class Pseudonyms:
    """Pseudonyms by HMAC with SHA-256.

    They can't be inverted: who may know the person compares them with those of all people whose keys exist, see `find`. Once a person's
    key is destroyed, nothing leads from a pseudonym to the person.

    Parameters
    ----------
    key : bytes
        A secret of 32 bytes, from a `KeyFolder`.

    >>> pseudonyms = Pseudonyms(bytes(32))
    >>> pseudonyms("payroll", 0, "Ann") == pseudonyms("payroll", 0, "Ann")
    True
    >>> len({pseudonyms(purpose, epoch, "Ann") for purpose in ("payroll", "planning") for epoch in (0, 1)})
    4
    """

    def __init__(self, key: bytes) -> None:
        self._of_purpose = lru_cache(maxsize=64)(lambda purpose: derive(key, b"purpose " + purpose.encode()))
        self._made = lru_cache(maxsize=1 << 16)(self._compute)

    def __call__(self, purpose: str, epoch: int, name: str) -> str:
        """Return the pseudonym of a person."""
        return self._made(purpose, epoch, name)

    def _compute(self, purpose: str, epoch: int, name: str) -> str:
        made = hmac.digest(self._of_purpose(purpose), f"{epoch}\x1f{name}".encode(), "sha256")
        return "p-" + base64.b32encode(made).decode()[:_LENGTH].lower()

    def find(self, pseudonym: str, purpose: str, epochs: Iterable[int], people: Iterable[str]) -> str | None:
        """Return the person behind a pseudonym, of those given; None if it is none of them."""
        known = list(people)
        for epoch in epochs:
            for name in known:
                if hmac.compare_digest(self(purpose, epoch, name), pseudonym):
                    return name
        return None
