"""Keys: whose signatures count, as whom, and in which roles.

In: a YAML file of people and devices with their public keys; passphrases. Out: public keys that aren't revoked; signers.
Read in order: `ring`, `ring_keys` (as envelopes want them), `ring_file`, `ring_edits` (added, revoked), `private_keys` (in files), `key_file` (of people), `sealed` (private keys on a server).
Never: a private key in the clear in a folder of the twin.
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
        "SealedKeys": "sealed",
        "create_key": "key_file",
        "read_signer": "key_file",
    },
)
