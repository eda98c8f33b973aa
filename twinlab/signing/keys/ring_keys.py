"""Keys of a ring as envelopes want them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from twinlab.signing.envelopes.dsse import public_key
from twinlab.signing.keys.ring import PublicKey

if TYPE_CHECKING:
    from securesystemslib.signer import Key

__all__ = ["RingKeys"]


class RingKeys(Mapping[str, "Key"]):
    """Key id -> key of securesystemslib; only those that a message names are made.

    Parameters
    ----------
    keys : mapping of str to (str, PublicKey)
        `KeyRing.person_keys` or `KeyRing.device_keys`: those that aren't revoked.
    owner : str, optional
        Only the keys of this person or device.
    """

    def __init__(self, keys: Mapping[str, tuple[str, PublicKey]], *, owner: str | None = None) -> None:
        self._keys = keys if owner is None else {one: known for one, known in keys.items() if known[0] == owner}

    def __getitem__(self, key_id: str) -> Key:
        return public_key(key_id, self._keys[key_id][1].public)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)
