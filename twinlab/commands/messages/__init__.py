"""Messages: a command, signed by persons.

In: what is to be set, and signers; or bytes from anybody with a key ring. Out: bytes to send, or a command with the persons who signed it.
Read in order: `command`, `signed`, `signers`.
Never: a person who counts twice because of two keys.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "Command": "command",
        "PAYLOAD_TYPE": "signed",
        "SignedCommand": "signed",
        "approve_command": "signed",
        "check_signers": "signers",
        "check_times": "command",
        "new_command": "command",
        "open_command": "signed",
        "open_signed": "signers",
        "read_command": "command",
        "sign_command": "signed",
    },
)
