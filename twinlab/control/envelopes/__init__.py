"""Envelopes: commands as signed bytes (DSSE, Ed25519), and strict reading of both.

In: commands and signers, or bytes from anybody with the public keys that count. Out: bytes to send, or a command with the keys
that signed it. Read in order: `strict_json`, `command`, `dsse`.
Never: a payload that is read before its signatures are verified; own cryptography.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "PAYLOAD_TYPE": "dsse",
        "Command": "command",
        "SignedCommand": "dsse",
        "add_signature": "dsse",
        "check_times": "command",
        "new_command": "command",
        "open_command": "dsse",
        "public_key": "dsse",
        "read_command": "command",
        "read_json": "strict_json",
        "sign_command": "dsse",
    },
)
