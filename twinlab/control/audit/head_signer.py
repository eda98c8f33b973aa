"""Sign heads of a log as it grows, into a file beside the rows."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from twinlab._files import open_binary, sync_folder
from twinlab.control.audit.chain import MOST_ROWS_AT_ONCE, BrokenChainError
from twinlab.control.audit.heads import TreeHead, open_head, sign_head
from twinlab.control.audit.merkle import Frontier
from twinlab.control.audit.segments import read_leaves
from twinlab.errors import CommandRejectedError, ControlError

if TYPE_CHECKING:
    from securesystemslib.signer import Signer

__all__ = ["HeadSigner"]

#: Bytes that are read at once.
_BLOCK = 1 << 16


class HeadSigner:
    """Signs heads. Each key has a file of its own, so that several processes may sign.

    Parameters
    ----------
    folder : Path
        Folder of the log, which nobody appends to meanwhile.
    signer : securesystemslib.signer.Signer
        Key of the device.

    Raises
    ------
    ControlError
        If the log doesn't have the rows that this key signed before.
    """

    def __init__(self, folder: Path, signer: Signer) -> None:
        self._signer = signer
        self._keys = {signer.public_key.keyid: signer.public_key}
        self.path = folder / "heads" / f"{signer.public_key.keyid[:16]}.jsonl"
        self._bytes = _size(self.path)
        last = next((head for head, _ in self._from_the_end()), None)
        self._number = 0 if last is None else last.number + 1
        try:
            self._tree, self._leaves = read_leaves(folder, 0 if last is None else last.size)
        except BrokenChainError as error:
            msg = f"the audit in {folder} isn't the one whose heads were signed: {error}; run: twinlab audit verify"
            raise ControlError(msg) from error
        if last is not None and self._tree.root().hex() != last.root:
            msg = f"the audit in {folder} has other rows than those whose head was signed at {last.at}; run: twinlab audit verify"
            raise ControlError(msg)

    @property
    def unsigned(self) -> int:
        """Number of rows since the last head."""
        return len(self._leaves)

    def envelopes(self, first: int = 0) -> list[tuple[TreeHead, bytes]]:
        """Return the heads in the file from a number on, by number, with their envelopes."""
        found = takewhile(lambda pair: pair[0].number >= first, self._from_the_end())
        return sorted(found, key=lambda pair: pair[0].number)

    def _from_the_end(self) -> Iterator[tuple[TreeHead, bytes]]:
        """Yield the heads in the file, the newest first: a year has three million, and verifying takes 0.1 ms each."""
        for line in _lines_from_the_end(self.path) if self.path.exists() else ():
            # A line that a process didn't finish counts as no head.
            with suppress(CommandRejectedError):
                yield open_head(line, keys=self._keys), line

    def take(self, n: int, leaf: bytes) -> None:
        """Add the hash of a row, unless it is known already."""
        if n == self._tree.size + len(self._leaves):
            self._leaves.append(leaf)

    def sign(self, log: str) -> list[tuple[TreeHead, bytes]]:
        """Sign the rows since the last head. The caller has the lock of the log and has read all of its rows.

        Returns
        -------
        list of (TreeHead, bytes)
            Heads that are new in the file, with their envelopes, also those that another process with this key has signed.

        Raises
        ------
        OSError
            If heads can't be written; the rows are signed next time.
        """
        found = self._catch_up()
        tree, leaves = self._tree.copy(), self._leaves
        mine: list[tuple[TreeHead, bytes]] = []
        for start in range(0, len(leaves), MOST_ROWS_AT_ONCE):
            some = leaves[start : start + MOST_ROWS_AT_ONCE]
            for leaf in some:
                tree.append(leaf)
            head = _head(log, self._number + len(mine), tree, some)
            mine.append((head, sign_head(head, self._signer)))
        if mine:
            self._bytes = _append(self.path, [wire for _, wire in mine])
        self._tree, self._leaves, self._number = tree, [], self._number + len(mine)
        return found + mine

    def _catch_up(self) -> list[tuple[TreeHead, bytes]]:
        if _size(self.path) == self._bytes:
            return []
        self._bytes = _size(self.path)
        found = self.envelopes(self._number)
        for head, _ in found:
            known = max(head.size - self._tree.size, 0)
            for leaf in self._leaves[:known]:
                self._tree.append(leaf)
            self._leaves, self._number = self._leaves[known:], head.number + 1
        return found


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _last_byte(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(file.seek(0, os.SEEK_END) - 1, 0))
        return file.read()


def _lines_from_the_end(path: Path) -> Iterator[bytes]:
    """Yield the lines of a file that aren't empty, the last one first, without their ends."""
    with path.open("rb") as file:
        start, rest = file.seek(0, os.SEEK_END), b""
        while start > 0:
            end, start = start, max(start - _BLOCK, 0)
            file.seek(start)
            first, *lines = (file.read(end - start) + rest).split(b"\n")
            yield from filter(None, reversed(lines))
            rest = first
        if rest:
            yield rest


def _head(log: str, number: int, tree: Frontier, leaves: Sequence[bytes]) -> TreeHead:
    at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return TreeHead(log, number, tree.size, tree.root().hex(), at, base64.b64encode(b"".join(leaves)).decode())


def _append(path: Path, wires: Sequence[bytes]) -> int:
    """Append lines to the file and return its size."""
    new = not path.exists()
    path.parent.mkdir(parents=True, exist_ok=True)
    # A line that an earlier process didn't finish is ended: it counts as no head.
    lead = b"" if new or _last_byte(path) in (b"", b"\n") else b"\n"
    file = open_binary(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
    try:
        os.write(file, lead + b"".join(wire + b"\n" for wire in wires))
        os.fsync(file)
    finally:
        os.close(file)
    if new:
        sync_folder(path.parent)
    return _size(path)
