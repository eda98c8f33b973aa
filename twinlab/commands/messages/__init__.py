"""Messages: a command, signed by persons, and the answer of a device.

In: what is to be set, and signers; or bytes from anybody with a key ring. Out: bytes to send, or a command with the persons who signed it.
Read in order: `strict` (bytes of all messages), `command`, `signed`, `signers`, `answer`, `state`, `report`, `records`.
Never: a person who counts twice because of two keys.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "ANSWER_TYPE": "answer",
        "Answer": "answer",
        "Command": "command",
        "PAYLOAD_TYPE": "signed",
        "REPORT_TYPE": "report",
        "ReadRequest": "report",
        "RecordsPage": "records",
        "RecordsRequest": "records",
        "Report": "report",
        "SignedCommand": "signed",
        "approve_command": "signed",
        "check_signers": "signers",
        "check_times": "command",
        "new_answer": "answer",
        "new_command": "command",
        "new_stop": "command",
        "open_answer": "answer",
        "open_command": "signed",
        "open_report": "report",
        "open_signed": "signers",
        "read_command": "command",
        "read_request": "report",
        "sign_answer": "answer",
        "sign_command": "signed",
        "sign_report": "report",
        "state_hash": "state",
    },
)
