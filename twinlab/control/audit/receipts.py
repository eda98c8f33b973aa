"""Receipts: a row, a signed head and the path between them, which prove without the log that the row is in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from twinlab.control.audit.chain import BrokenChainError, Chain, TakenRow, take_rows
from twinlab.control.audit.heads import TreeHead, head_keys, open_head, read_envelopes
from twinlab.control.audit.merkle import inclusion_proof, leaf_hash, proves_inclusion
from twinlab.control.audit.rows import AuditRow, read_row
from twinlab.control.audit.segments import list_segments, read_leaves, start_of
from twinlab.errors import CommandRejectedError, CorruptionError, SchemaError
from twinlab.signing.keys import KeyRing

if TYPE_CHECKING:
    from securesystemslib.signer import Key

__all__ = ["check_receipt", "make_receipt"]


def make_receipt(folder: Path | str, row: int, *, keys: KeyRing | Mapping[str, Key]) -> str:
    """Return the receipt of a row as JSON.

    Parameters
    ----------
    folder : Path or str
        Folder of the log.
    row : int
        Number of the row.
    keys : KeyRing or mapping of str to securesystemslib.signer.Key
        Keys that may sign heads.

    Raises
    ------
    SchemaError
        If the log has no such row, or no signed head of it yet.
    CorruptionError
        If the log isn't the one whose head was signed.
    """
    folder = Path(folder)
    own = folder / "heads"
    found = read_envelopes([own], keys=_known(keys)) if own.is_dir() else []
    head, wire = min((one for one in found if one[0].size > row), key=lambda one: one[0].size, default=(None, b""))
    if head is None or row < 0:
        msg = (
            f"row {row}: expected one that a signed head has, of {max((one.size for one, _ in found), default=0)} rows"
        )
        raise SchemaError(msg)
    try:
        _, leaves = read_leaves(folder, 0)
        line = _line(folder, row)
    except BrokenChainError as error:
        msg = f"{folder}: {error}; run: twinlab audit verify"
        raise CorruptionError(msg) from error
    path = inclusion_proof(leaves[: head.size], row)
    if not proves_inclusion(leaf_hash(line), row, head.size, path, bytes.fromhex(head.root)):
        msg = f"{folder}: the rows up to {head.size} aren't those whose head was signed at {head.at}; run: twinlab audit verify"
        raise CorruptionError(msg)
    receipt = {"row": line.decode(), "path": [one.hex() for one in path], "head": json.loads(wire)}
    return json.dumps(receipt, ensure_ascii=False)


def check_receipt(receipt: str, *, keys: KeyRing | Mapping[str, Key]) -> tuple[AuditRow, TreeHead]:
    """Return the row that a receipt proves, and the signed head that has it.

    Raises
    ------
    CommandRejectedError
        If it proves nothing; says why.
    """
    try:
        found = json.loads(receipt)
        line, path = found["row"].encode(), [bytes.fromhex(one) for one in found["path"]]
        wire = json.dumps(found["head"]).encode()
        row = read_row(line)
    except (ValueError, KeyError, TypeError, AttributeError, CorruptionError) as error:
        msg = f"receipt: expected JSON with row, path and head, got {receipt[:80]!r}"
        raise CommandRejectedError(msg) from error
    head = open_head(wire, keys=_known(keys))
    number: object = row.n
    if not isinstance(number, int) or not proves_inclusion(
        leaf_hash(line), row.n, head.size, path, bytes.fromhex(head.root)
    ):
        msg = f"receipt: expected a path from row {row.n!r:.20} to the root {head.root[:16]}…, got another path or row"
        raise CommandRejectedError(msg)
    return row, head


def _line(folder: Path, row: int) -> bytes:
    segment = [one for one in list_segments(folder) if one.first <= row][-1]
    begun = start_of(segment)
    chain = begun[0] if begun is not None else Chain()
    for found in take_rows(chain, segment.path.read_bytes()):
        if isinstance(found, TakenRow) and chain.count == row + 1:
            return found.line
    raise BrokenChainError(row, "expected it in the log, got none")


def _known(keys: KeyRing | Mapping[str, Key]) -> Mapping[str, Key]:
    return head_keys(keys) if isinstance(keys, KeyRing) else keys
