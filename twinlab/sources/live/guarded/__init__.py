"""The guard of ingest: whose messages are taken, and where those are that aren't.

In: births and rows of gateways as the broker delivers them, and the devices of a key ring. Out: messages that may be stored; a
quarantine with all others; notes for those who look for intrusions.
Read in order: `quarantine` (messages that nobody has decided on, and the decisions), `notes` (what was noticed), `epochs` (which epoch
and sequences a gateway may send), `ingest_guard`.
Never: a message that is dropped without a trace, or acknowledged without being durable in the ledger.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {"IngestGuard": "ingest_guard", "Quarantine": "quarantine", "QuarantineEntry": "quarantine"},
)
