"""Prove that a log is what it was: nothing edited, removed, reordered or cut."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from twinlab.control.audit.chain import BrokenChainError, TornBytes
from twinlab.control.audit.heads import TreeHead, head_keys, read_heads
from twinlab.control.audit.merkle import Frontier
from twinlab.control.audit.segments import read_log
from twinlab.errors import CorruptionError
from twinlab.signing.keys import KeyRing

if TYPE_CHECKING:
    from securesystemslib.signer import Key

__all__ = ["AuditReport", "verify_audit"]

_NO_HASH = bytes(32)


@dataclass(frozen=True)
class AuditReport:
    """What is proved about a log."""

    folder: Path
    rows: int
    """Rows that follow one another from the first on."""
    root: str
    """Root of the Merkle tree over them, in hexadecimal."""
    newest: str
    """When the last of them was written; empty without rows."""
    heads: int
    """Signed heads that count."""
    proved: int
    """Rows that a signed head states: nobody can have changed them without the key and each place with heads."""
    signed_at: str
    """When the newest head was signed; empty without heads."""
    broken: int | None
    """The first row that differs from the one that was written; None if there is none."""
    reason: str
    """How it differs; empty if nothing does."""
    torn: tuple[str, ...]
    """Bytes that were never acknowledged, with file and size."""
    refused_heads: tuple[str, ...]
    """Lines among the heads that don't count, and why."""

    @property
    def intact(self) -> bool:
        """Whether every row is the one that was written, as far as heads prove it."""
        return self.broken is None

    def text(self) -> str:
        """Return the report as lines."""
        if self.broken is not None:
            lines = [f"BROKEN at row {self.broken}: {self.reason}"]
        elif not self.rows:
            lines = ["no rows"]
        elif self.proved == self.rows:
            lines = [f"intact: {self.rows} rows, all proved by signed heads"]
        elif self.proved:
            later = self.rows - self.proved
            lines = [
                f"intact: {self.rows} rows, the first {self.proved} proved by signed heads; no head has the last {later} yet"
            ]
        else:
            lines = [
                f"in order: {self.rows} rows follow one another, but no signed head proves that none was cut or written anew"
            ]
        if self.rows:
            lines.append(f"root {self.root}, last row at {self.newest}")
        if self.heads:
            lines.append(f"{self.heads} signed heads, the newest of {self.signed_at}")
        lines += [f"never acknowledged: {one}" for one in self.torn]
        if self.refused_heads:
            lines.append(f"{len(self.refused_heads)} heads don't count, first {self.refused_heads[0]}")
        return "\n".join(lines)


def verify_audit(
    folder: Path | str, *, heads: Iterable[Path | str] = (), keys: KeyRing | Mapping[str, Key] | None = None
) -> AuditReport:
    """Read a whole log and compare it with signed heads.

    Parameters
    ----------
    folder : Path or str
        Folder of the log.
    heads : iterable of Path or str
        Files or folders with heads from a second place, beside those in the log's own folder.
    keys : KeyRing or mapping of str to securesystemslib.signer.Key, optional
        Keys that may sign heads; of a ring, those of the devices "audit" and "audit/…". Without keys, no head counts.

    Returns
    -------
    AuditReport
        Also if the log is broken.

    Raises
    ------
    SourceError
        If a place with heads can't be read.
    """
    folder = Path(folder)
    known = head_keys(keys) if isinstance(keys, KeyRing) else dict(keys or {})
    own = folder / "heads"
    places = [*([own] if own.is_dir() else []), *map(Path, heads)]
    found = read_heads(places, keys=known)
    check = _Check(found.heads)
    broken, reason = None, ""
    try:
        check.rows_agree(folder)
    except BrokenChainError as error:
        broken, reason = error.row, error.reason
    except CorruptionError as error:
        broken, reason = check.rows, str(error)
    return AuditReport(
        folder, check.rows, check.root.hex(), check.newest, len(found.heads), min(check.proved, check.rows),
        max((head.at for head in found.heads), default=""), broken, reason, tuple(check.torn), found.refused,
    )  # fmt: skip


class _Check:
    """Compares rows with what heads state."""

    def __init__(self, heads: Sequence[TreeHead]) -> None:
        self._heads = heads
        self.rows = 0
        self._tree = Frontier()
        self.newest = ""
        self.proved = 0
        self.torn: list[str] = []

    @property
    def root(self) -> bytes:
        """Root over the rows that agree."""
        return self._tree.root()

    def rows_agree(self, folder: Path) -> None:
        """Read all rows.

        Raises
        ------
        BrokenChainError
            At the first row that differs.
        """
        leaves = self._stated_leaves()
        roots = {head.size: bytes.fromhex(head.root) for head in self._heads}
        logs = {head.log for head in self._heads}
        for segment, chain, found in read_log(folder):
            if isinstance(found, TornBytes):
                self.torn.append(f"{found.size} bytes at {found.offset} of {segment.path.name}")
                continue
            row, fields = self.rows, found.fields
            stated = leaves[32 * row : 32 * row + 32]
            if stated and stated not in (found.leaf, _NO_HASH):
                raise BrokenChainError(row, "expected the row whose hash a signed head states, got another one")
            if logs and fields["kind"] == "segment" and logs != {fields["what"]["log"]}:
                reason = f"expected rows of the log {min(logs)}, whose heads are signed, got those of {fields['what']['log']}"
                raise BrokenChainError(row, reason)
            if chain.count in roots:
                if roots[chain.count] != chain.tree.root():
                    raise BrokenChainError(
                        row, "expected the rows whose root a signed head states, got others up to this one"
                    )
                self.proved = chain.count
            self.rows, self.newest, self._tree = chain.count, str(fields["at"]), chain.tree
        size = max(roots, default=0)
        if size > self.rows:
            raise BrokenChainError(
                self.rows, f"expected {size} rows, as a signed head states, got {self.rows}: the rest was cut"
            )

    def _stated_leaves(self) -> bytearray:
        """Return the hashes of rows that heads state, zeros for others.

        Raises
        ------
        BrokenChainError
            If heads contradict one another.
        """
        leaves = bytearray(32 * max((head.size for head in self._heads), default=0))
        for head in self._heads:
            stated, start = head.leaf_bytes, 32 * head.first
            there = leaves[start : start + len(stated)]
            if there != stated:
                for place in range(0, len(stated), 32):
                    if there[place : place + 32] not in (_NO_HASH, stated[place : place + 32]):
                        row = head.first + place // 32
                        raise BrokenChainError(
                            row, "signed heads state two different rows of this number: its key signed twice"
                        )
                leaves[start : start + len(stated)] = stated
        return leaves
