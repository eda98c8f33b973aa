"""Ids of people are replaced by pseudonyms beside the machine, before rows are stored and sent; the key stays there.

In: readings whose tags or texts name people, and a file of secrets on this machine. Out: the same readings with pseudonyms.
Read in order: `rule` (settings), `secrets_file` (secrets, and another one from now on), `replacing`.
Never: a name in the outbox or in a message; a secret that leaves the machine.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "IdReplacer": "replacing",
        "PseudonymRule": "rule",
        "SecretsFile": "secrets_file",
        "create_secrets": "secrets_file",
        "rotate_secrets": "secrets_file",
    },
)
