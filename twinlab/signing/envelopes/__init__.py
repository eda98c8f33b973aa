"""Envelopes: signed bytes (DSSE, Ed25519), and strict reading of JSON.

In: bytes and signers, or bytes from anybody with the public keys that count. Out: bytes to send, or the payload with the keys
that signed it. Read in order: `strict_json`, `dsse`.
Never: a payload that is read before its signatures are verified; own cryptography.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "Opened": "dsse",
        "add_signature": "dsse",
        "check_payload_type": "dsse",
        "open_envelope": "dsse",
        "public_key": "dsse",
        "read_envelope": "dsse",
        "read_json": "strict_json",
        "read_payload": "dsse",
        "sign_payload": "dsse",
        "verify_signatures": "dsse",
    },
)
