"""Change the codec of a whole history, with a proof in the journal; which codec a history is built with."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from twinlab.history.store.codecs import CODEC

if TYPE_CHECKING:
    from twinlab.history.write.history_store import HistoryStore
    from twinlab.ledger import Journal

__all__ = ["RECODED", "applied_codec", "recode_history"]

#: Kind of the journal's entry: a codec is applied, with a proof.
RECODED = "codec_applied"


def applied_codec(journal: Journal) -> str:
    """Return the codec that a history is built with: the one that was applied last."""
    found = [str(one.payload["codec"]) for one in journal.entries(RECODED)]
    return found[-1] if found else CODEC


def recode_history(
    store: HistoryStore, journal: Journal, codec: str, about: Mapping[str, object]
) -> dict[str, Any] | None:
    """Encode the values of all compacted cells with a codec; return the proof that the journal has then, None if they have it already.

    Each group is published by itself, so that a process that is killed leaves some groups in either codec; the next call
    continues. Cells that are compacted later, and groups that are added, get the codec, too.

    Parameters
    ----------
    store : HistoryStore
        It must be locked.
    journal : Journal
    codec : str
        A codec of `twinlab.model.storage.price`.
    about : mapping
        What else the journal says: who, when.
    """
    catalog = store.view().catalog
    groups = [group for group, entry in sorted(catalog.groups.items()) if entry.codec != codec]
    if not groups and catalog.codec == codec == applied_codec(journal):
        return None
    left: Any = catalog.meta.get("recoding") or {}
    proof: dict[str, Any] = dict(left)
    if proof.get("codec") != codec or proof["id"] in {one.payload["id"] for one in journal.entries(RECODED)}:
        proof = {"id": secrets.token_hex(4), "codec": codec, **about, "parts": []}
    for group in groups:
        with store.transaction() as txn:
            parts = [asdict(one) for one in txn.recode(group, codec)]
            proof = {**proof, "parts": [*proof["parts"], *parts]}
            txn.meta["recoding"] = proof
            txn.commit(f"{codec}: {group.path}")
    with store.transaction() as txn:
        # Of groups that are added later.
        txn.catalog.codec = codec
        txn.commit(f"{codec}: new cells")
    journal.append(RECODED, proof)
    return proof
