"""Hashes and proofs byte for byte as RFC 6962 defines them, beside the test vectors of Certificate Transparency and pymerkle."""

import hashlib

import pymerkle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlab.control.audit.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    proves_consistency,
    proves_inclusion,
    tree_root,
)
from twinlab.errors import SchemaError

# The eight entries of Certificate Transparency's own tests (merkletree/merkle_tree_test.cc), and the roots of the first 1 to 8.
ENTRIES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]
rows = st.lists(st.binary(max_size=40), min_size=1, max_size=70)


def root_by_definition(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962, section 2.1, as it is written there."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = max(1 << power for power in range(20) if 1 << power < len(leaves))
    return hashlib.sha256(b"\x01" + root_by_definition(leaves[:k]) + root_by_definition(leaves[k:])).digest()


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_those_of_certificate_transparency(size: int) -> None:
    assert tree_root(LEAVES[:size]).hex() == ROOTS[size - 1]


def test_the_root_of_no_rows_is_the_hash_of_nothing() -> None:
    assert (
        tree_root([]) == EMPTY_ROOT == bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    )


def test_audit_paths_are_those_of_the_example_in_the_rfc() -> None:
    # RFC 6962, section 2.1.3: the paths of d0, d3, d4 and d6 in a tree of seven leaves, in its names.
    leaves = LEAVES[:7]
    a, b, c, d, e, f, j = leaves
    g, h, i = tree_root([a, b]), tree_root([c, d]), tree_root([e, f])
    k, m = tree_root(leaves[:4]), tree_root(leaves[4:])
    assert inclusion_proof(leaves, 0) == [b, h, m]
    assert inclusion_proof(leaves, 3) == [c, g, m]
    assert inclusion_proof(leaves, 4) == [f, j, k]
    assert inclusion_proof(leaves, 6) == [i, k]
    # And the consistency proofs of 3, 4 and 6 leaves with 7.
    assert consistency_proof(leaves, 3) == [c, d, g, m]
    assert consistency_proof(leaves, 4) == [m]
    assert consistency_proof(leaves, 6) == [i, j, k]


@given(rows)
def test_the_root_is_that_of_the_definition_and_of_pymerkle(entries: list[bytes]) -> None:
    leaves = [leaf_hash(entry) for entry in entries]
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    for entry in entries:
        tree.append_entry(entry)
    assert tree_root(leaves) == root_by_definition(leaves) == tree.get_root()


@given(rows, st.data())
def test_inclusion_is_proved_with_the_path_of_pymerkle_and_only_for_that_row(
    entries: list[bytes], data: st.DataObject
) -> None:
    leaves = [leaf_hash(entry) for entry in entries]
    row = data.draw(st.integers(0, len(leaves) - 1))
    path, root = inclusion_proof(leaves, row), tree_root(leaves)
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    for entry in entries:
        tree.append_entry(entry)
    # Its paths begin with the leaf itself.
    assert tree.prove_inclusion(row + 1).path[1:] == path
    assert proves_inclusion(leaves[row], row, len(leaves), path, root)
    assert not proves_inclusion(leaf_hash(entries[row] + b"x"), row, len(leaves), path, root)
    assert not proves_inclusion(leaves[row], row, len(leaves), [*path, root], root)
    assert not proves_inclusion(leaves[row], row + 1, len(leaves), path, root) or leaves[row] in leaves[row + 1 :]
    if path:
        assert not proves_inclusion(leaves[row], row, len(leaves), path[:-1], root)
        assert not proves_inclusion(leaves[row], row, len(leaves), [bytes(32), *path[1:]], root)


@given(rows, st.data())
def test_consistency_is_proved_and_only_for_the_same_beginning(entries: list[bytes], data: st.DataObject) -> None:
    leaves = [leaf_hash(entry) for entry in entries]
    size = data.draw(st.integers(1, len(leaves)))
    path, first, last = consistency_proof(leaves, size), tree_root(leaves[:size]), tree_root(leaves)
    assert proves_consistency(size, first, len(leaves), last, path)
    changed = [leaf_hash(b"changed"), *leaves[1:]]
    if changed != leaves:
        assert not proves_consistency(size, tree_root(changed[:size]), len(leaves), last, path)
    assert not proves_consistency(size, first, len(leaves), last, [*path, bytes(32)])
    if size < len(leaves):
        assert not proves_consistency(size, first, len(leaves), last, path[:-1])


@given(rows, st.data())
def test_a_frontier_goes_on_from_its_stored_hashes(entries: list[bytes], data: st.DataObject) -> None:
    leaves = [leaf_hash(entry) for entry in entries]
    cut = data.draw(st.integers(0, len(leaves)))
    before = Frontier()
    for leaf in leaves[:cut]:
        before.append(leaf)
    after = Frontier(cut, before.hashes)
    for leaf in leaves[cut:]:
        after.append(leaf)
    assert after.root() == tree_root(leaves)
    assert before.root() == tree_root(leaves[:cut])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Frontier(3, [b""]), "a tree of 3 rows: expected 2 hashes, got 1"),
        (lambda: inclusion_proof(LEAVES, 8), "expected a row from 0 to 7"),
        (lambda: consistency_proof(LEAVES, 9), "expected an earlier size from 1 to 8, got 9"),
        (lambda: consistency_proof(LEAVES, 0), "expected an earlier size from 1 to 8, got 0"),
    ],
)
def test_a_proof_that_nobody_can_give_is_refused(call, message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        call()
