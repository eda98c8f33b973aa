"""The audit of a twin: rows that nobody can change, remove or cut without being noticed, and the proof of it.

In: who did what, and where signed tree heads are copied to. Out: durable rows, and reports of what is proved about them.
Read in order: `kinds` (what a row may say), `rows`, `merkle` (RFC 6962), `chain`, `segments`, `segment_writer`, `heads`, `head_signer`,
`second_place`, `log` (append), `verify`, `search`, `tail` (what is new), `receipts`.
Never: a row that isn't on the disk when `append` returns; a row that is changed; personal data beside the names of those who
signed, asked or logged in.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "KINDS": "kinds",
        "AuditEntry": "rows",
        "AuditLog": "log",
        "AuditReport": "verify",
        "AuditRow": "rows",
        "Frontier": "merkle",
        "Place": "tail",
        "TreeHead": "heads",
        "check_receipt": "receipts",
        "consistency_proof": "merkle",
        "inclusion_proof": "merkle",
        "leaf_hash": "merkle",
        "make_receipt": "receipts",
        "proves_consistency": "merkle",
        "proves_inclusion": "merkle",
        "rows_from": "tail",
        "search": ":search",
        "verify_audit": "verify",
    },
)
