"""Keys: whose signatures count, as whom, and in which roles.

In: a YAML file of people and devices with their public keys. Out: public keys that aren't revoked.
Read in order: `ring`, `ring_file`.
Never: a private key.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "KeyRing": "ring",
        "KeyRingFile": "ring_file",
        "PublicKey": "ring",
        "Role": "ring",
    },
)
