"""The Merkle tree of RFC 6962 over the rows of a log: roots, proofs of inclusion and of consistency.

References
----------
.. [1] RFC 6962, Certificate Transparency, section 2.1 (hashes, audit paths, consistency proofs).
.. [2] RFC 9162, Certificate Transparency Version 2.0, sections 2.1.3.2 and 2.1.4.2 (how proofs are verified).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from twinlab.errors import SchemaError

__all__ = [
    "EMPTY_ROOT",
    "Frontier",
    "consistency_proof",
    "inclusion_proof",
    "leaf_hash",
    "proves_consistency",
    "proves_inclusion",
    "tree_root",
]

#: Root of a tree without rows.
EMPTY_ROOT = hashlib.sha256().digest()


def leaf_hash(row: bytes) -> bytes:
    """Return the hash of a row: SHA-256 of a zero byte and the row.

    >>> leaf_hash(b"").hex()[:16]
    '6e340b9cffb37a98'
    """
    return hashlib.sha256(b"\x00" + row).digest()


def _parent(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """The complete subtrees of a tree that grows: about log2(size) hashes are enough to append and to get the root.

    Parameters
    ----------
    size : int
        Number of leaves.
    hashes : iterable of bytes
        Roots of the complete subtrees, the largest first: one for each bit of the size.

    Raises
    ------
    SchemaError
        If the number of hashes doesn't fit the size.
    """

    def __init__(self, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        self.size = size
        self.hashes = list(hashes)
        if len(self.hashes) != size.bit_count():
            msg = f"a tree of {size} rows: expected {size.bit_count()} hashes, got {len(self.hashes)}"
            raise SchemaError(msg)

    def copy(self) -> Frontier:
        """Return the same tree, which grows by itself from now on."""
        return Frontier(self.size, self.hashes)

    def append(self, leaf: bytes) -> None:
        """Add the hash of a row."""
        hashes, size = self.hashes, self.size
        while size & 1:
            leaf = hashlib.sha256(b"\x01" + hashes.pop() + leaf).digest()
            size >>= 1
        hashes.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """Return the root of the tree."""
        if not self.hashes:
            return EMPTY_ROOT
        root = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            root = _parent(left, root)
        return root


def tree_root(leaves: Iterable[bytes]) -> bytes:
    """Return the root over hashes of rows."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()


def _split(size: int) -> int:
    """Return the largest power of two below the size."""
    return 1 << (size - 1).bit_length() - 1


def inclusion_proof(leaves: Sequence[bytes], row: int) -> list[bytes]:
    """Return the path that proves that a row is in the tree, RFC 6962, section 2.1.1.

    Parameters
    ----------
    leaves : sequence of bytes
        Hashes of all rows of the tree.
    row : int
        Number of the row, from 0.

    Raises
    ------
    SchemaError
        If the tree has no such row.
    """
    if not 0 <= row < len(leaves):
        msg = f"a proof of row {row}: expected a row from 0 to {len(leaves) - 1}"
        raise SchemaError(msg)
    path, start, stop = [], 0, len(leaves)
    while stop - start > 1:
        middle = start + _split(stop - start)
        if row < middle:
            path.append(tree_root(leaves[middle:stop]))
            stop = middle
        else:
            path.append(tree_root(leaves[start:middle]))
            start = middle
    return path[::-1]


def consistency_proof(leaves: Sequence[bytes], size: int) -> list[bytes]:
    """Return the path that proves that the first rows of the tree are those of an earlier tree, RFC 6962, section 2.1.2.

    Parameters
    ----------
    leaves : sequence of bytes
        Hashes of all rows of the tree.
    size : int
        Rows of the earlier tree, at least 1.

    Raises
    ------
    SchemaError
        If the earlier tree is empty or has more rows.
    """
    if not 0 < size <= len(leaves):
        msg = f"a proof of consistency: expected an earlier size from 1 to {len(leaves)}, got {size}"
        raise SchemaError(msg)
    path, start, stop, whole = [], 0, len(leaves), True
    while start + size < stop:
        half = _split(stop - start)
        if size <= half:
            path.append(tree_root(leaves[start + half : stop]))
            stop = start + half
        else:
            path.append(tree_root(leaves[start : start + half]))
            start, size, whole = start + half, size - half, False
    # The earlier tree's own root is known to whoever asks; a part of it isn't.
    if not whole:
        path.append(tree_root(leaves[start:stop]))
    return path[::-1]


def proves_inclusion(leaf: bytes, row: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Return whether a path proves that a row is in a tree, RFC 9162, section 2.1.3.2.

    Parameters
    ----------
    leaf : bytes
        Hash of the row.
    row, size : int
        Number of the row, from 0; rows of the tree.
    path : sequence of bytes
        As `inclusion_proof` returns it.
    root : bytes
        Root of the tree.
    """
    if not 0 <= row < size:
        return False
    node, last, found = row, size - 1, leaf
    for one in path:
        if last == 0:
            return False
        if node & 1 or node == last:
            found = _parent(one, found)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            found = _parent(found, one)
        node, last = node >> 1, last >> 1
    return last == 0 and found == root


def proves_consistency(size: int, root: bytes, later: int, later_root: bytes, path: Sequence[bytes]) -> bool:
    """Return whether a path proves that a tree begins with the rows of an earlier one, RFC 9162, section 2.1.4.2.

    Parameters
    ----------
    size, root
        Rows and root of the earlier tree, at least one row.
    later, later_root
        Rows and root of the later tree.
    path : sequence of bytes
        As `consistency_proof` returns it.
    """
    if not 0 < size <= later:
        return False
    if size == later:
        return not path and root == later_root
    if size & (size - 1) == 0:
        path = [root, *path]
    if not path:
        return False
    node, last = size - 1, later - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    first = second = path[0]
    for one in path[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            first, second = _parent(one, first), _parent(one, second)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            second = _parent(second, one)
        node, last = node >> 1, last >> 1
    return last == 0 and first == root and second == later_root
