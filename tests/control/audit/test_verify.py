"""Attack 23: an audit that is edited, reordered, cut or written anew, by somebody who knows how it is made."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from securesystemslib.signer import CryptoSigner

from tests.control.audit.conftest import LOGIN, write_log
from twinlab.control.audit import AuditLog, TreeHead, check_receipt, make_receipt, verify_audit
from twinlab.control.audit.heads import HEAD_TYPE, sign_head
from twinlab.control.audit.merkle import Frontier, leaf_hash
from twinlab.errors import CommandRejectedError, SchemaError
from twinlab.signing.envelopes import public_key, sign_payload
from twinlab.signing.keys import KeyRing


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory, signer) -> Path:
    """A folder with an audit of 65 rows in several files, and heads of each tenth row in a second place."""
    folder = tmp_path_factory.mktemp("original")
    write_log(folder / "audit", 60, signer=signer, second=folder / "second" / "heads.jsonl", segment_bytes=3000)
    return folder


@pytest.fixture
def copied(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "copy"))


def lines_of(folder: Path) -> list[bytes]:
    return b"".join(path.read_bytes() for path in sorted((folder / "audit" / "rows").iterdir())).splitlines()


def write_lines(folder: Path, lines: list[bytes]) -> None:
    """Write rows in the files that they belong to, by the numbers of their first rows."""
    rows = folder / "audit" / "rows"
    shutil.rmtree(rows, ignore_errors=True)
    rows.mkdir(parents=True)
    path = rows / "000000000000.jsonl"
    for number, line in enumerate(lines):
        if b'"kind":"segment"' in line:
            path = rows / f"{number:012d}.jsonl"
        with path.open("ab") as file:
            file.write(line + b"\n")


def rechained(lines: list[bytes]) -> list[bytes]:
    """Return rows as somebody without the key would write them anew: all numbers, hashes and trees fit."""
    last, tree, found = bytes(32), Frontier(), []
    for number, line in enumerate(lines):
        fields = json.loads(line)
        fields.update(n=number, previous=last.hex())
        if fields["kind"] == "segment":
            fields["what"]["frontier"] = [one.hex() for one in tree.hashes]
        found.append(json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode())
        last = leaf_hash(found[-1])
        tree.append(last)
    return found


def test_an_audit_that_nobody_changed_is_intact_and_proved_to_its_last_row(original: Path, keys) -> None:
    report = verify_audit(original / "audit", heads=[original / "second"], keys=keys)
    assert (report.intact, report.rows, report.proved) == (True, len(lines_of(original)), len(lines_of(original)))
    assert report.text().startswith(f"intact: {report.rows} rows, all proved by signed heads")
    assert report.root == verify_audit(original / "audit").root


def test_without_heads_the_report_says_what_is_not_proved(original: Path) -> None:
    report = verify_audit(original / "audit")
    assert report.proved == 0
    assert "no signed head proves that none was cut or written anew" in report.text()
    assert "heads don't count, first" in report.text()


def test_rows_after_the_newest_head_are_said_to_be_unproved(copied: Path, keys) -> None:
    with AuditLog(copied / "audit") as log:
        for _ in range(3):
            log.append(LOGIN)
    report = verify_audit(copied / "audit", keys=keys)
    assert report.rows - report.proved == 3
    assert "no head has the last 3 yet" in report.text()


def edit(lines: list[bytes], row: int) -> list[bytes]:
    return [line.replace(b"password", b"passw0rd") if place == row else line for place, line in enumerate(lines)]


def remove(lines: list[bytes], row: int) -> list[bytes]:
    return lines[:row] + lines[row + 1 :]


def swap(lines: list[bytes], row: int) -> list[bytes]:
    return [*lines[:row], lines[row + 1], lines[row], *lines[row + 2 :]]


def repeat(lines: list[bytes], row: int) -> list[bytes]:
    return [*lines[: row + 1], lines[row], *lines[row + 1 :]]


def cut(lines: list[bytes], row: int) -> list[bytes]:
    return lines[:row]


CHANGES = (edit, remove, swap, repeat, cut)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(change=st.sampled_from(CHANGES), row=st.integers(1, 62), anew=st.booleans(), data=st.data())
def test_the_first_row_that_differs_is_named_whatever_was_changed(
    original: Path, keys, tmp_path_factory, change, row: int, anew: bool, data
) -> None:
    lines = lines_of(original)
    changed = change(lines, row)
    if anew:
        # Everything is computed again, so that no hash in the log is wrong: only the heads are against it.
        changed = rechained(changed)
    if changed == lines:
        return
    folder = tmp_path_factory.mktemp("changed")
    write_lines(folder, changed)
    # The heads beside the rows are deleted with them; the second place has them still.
    report = verify_audit(folder / "audit", heads=[original / "second"], keys=keys)
    assert not report.intact
    first = next(
        (place for place, pair in enumerate(zip(lines, changed, strict=False)) if pair[0] != pair[1]),
        min(len(lines), len(changed)),
    )
    assert report.broken == first, report.text()
    assert f"BROKEN at row {first}" in report.text()
    shutil.rmtree(folder)


@pytest.mark.parametrize("change", [edit, remove, swap, repeat])
def test_the_chain_alone_shows_a_change_that_does_not_write_all_later_rows_anew(copied: Path, change) -> None:
    lines = lines_of(copied)
    write_lines(copied, change(lines, 30))
    report = verify_audit(copied / "audit")
    assert not report.intact
    assert report.broken in (30, 31)


def test_a_whole_file_that_is_gone_is_noticed(copied: Path, keys) -> None:
    paths = sorted((copied / "audit" / "rows").iterdir())
    first = int(paths[2].stem)
    paths[2].unlink()
    assert verify_audit(copied / "audit", keys=keys).broken == first
    assert f"expected the segment that begins with it, got {paths[3].name}" in verify_audit(copied / "audit").reason


def test_another_log_in_its_place_is_noticed(copied: Path, keys, signer) -> None:
    shutil.rmtree(copied / "audit")
    write_log(copied / "audit", 60, segment_bytes=3000)
    report = verify_audit(copied / "audit", heads=[copied / "second"], keys=keys)
    assert report.broken == 0
    # Somebody who has the key, too, contradicts the heads that are elsewhere.
    shutil.rmtree(copied / "audit")
    write_log(copied / "audit", 60, signer=signer, segment_bytes=3000)
    report = verify_audit(copied / "audit", heads=[copied / "second"], keys=keys)
    assert "signed heads state two different rows of this number" in report.reason


def test_heads_of_strangers_revoked_keys_and_changed_heads_do_not_count(copied: Path, signer) -> None:
    stranger = CryptoSigner.generate_ed25519()
    public = bytes.fromhex(signer.public_key.keyval["public"])
    key_id = hashlib.sha256(public).hexdigest()

    def ring(revoked: str | None, device: str = "audit") -> KeyRing:
        return KeyRing.model_validate(
            {"people": {}, "devices": {device: {"keys": [{"public": public.hex(), "revoked": revoked}]}}}
        )

    named = CryptoSigner(signer._private_key, public_key(key_id, public.hex()))
    folder = copied / "named"
    write_log(folder, 10, signer=named)
    assert verify_audit(folder, keys=ring(None)).proved == 11
    assert verify_audit(folder, keys=ring(None, "audit/2")).proved == 11
    assert verify_audit(folder, keys=ring(None, "forklift/7")).proved == 0
    assert verify_audit(folder, keys=ring("2026-03-01 lost")).proved == 0
    assert verify_audit(folder, keys={stranger.public_key.keyid: stranger.public_key}).proved == 0
    (path,) = (folder / "heads").glob("*.jsonl")
    path.write_bytes(path.read_bytes().replace(b'"sig":"', b'"sig":"A', 1) + b"nonsense\n[]\n")
    assert len(verify_audit(folder, keys=ring(None)).refused_heads) == 3


def test_a_receipt_proves_its_row_without_the_log(copied: Path, keys) -> None:
    lines = lines_of(copied)
    wanted = a_login(lines)
    receipt = make_receipt(copied / "audit", wanted, keys=keys)
    row, head = check_receipt(receipt, keys=keys)
    assert (row.n, row.kind) == (wanted, "login")
    assert head.size > wanted
    # Its head is one more that the log must agree with.
    (copied / "receipt.jsonl").write_text(receipt, encoding="utf-8")
    shutil.rmtree(copied / "audit" / "heads")
    write_lines(copied, rechained(edit(lines, wanted)))
    assert verify_audit(copied / "audit", heads=[copied / "receipt.jsonl"], keys=keys).broken == wanted


def a_login(lines: list[bytes]) -> int:
    return next(place for place, line in enumerate(lines) if place > 30 and b"password" in line)


@pytest.mark.parametrize(
    "change",
    [
        lambda found: found | {"row": found["row"].replace("password", "passw0rd")},
        lambda found: found | {"row": found["row"].replace('"n":3', '"n":4')},
        lambda found: found | {"path": found["path"][:-1]},
        lambda found: found | {"path": ["00" * 32, *found["path"][1:]]},
        lambda found: found | {"path": ["zz"]},
        lambda found: found | {"head": {}},
        lambda found: {"row": found["row"]},
        lambda found: [],
    ],
)
def test_a_receipt_that_proves_nothing_is_refused(original: Path, keys, change) -> None:
    wanted = a_login(lines_of(original))
    receipt = json.loads(make_receipt(original / "audit", wanted, keys=keys))
    with pytest.raises(CommandRejectedError):
        check_receipt(json.dumps(change(receipt)), keys=keys)


def test_a_row_without_a_head_has_no_receipt_yet(copied: Path, keys) -> None:
    with AuditLog(copied / "audit") as log:
        row = log.append(LOGIN)
    with pytest.raises(SchemaError, match=f"row {row.n}: expected one that a signed head has, of {row.n} rows"):
        make_receipt(copied / "audit", row.n, keys=keys)


def test_an_empty_folder_is_no_audit_and_no_error(tmp_path: Path) -> None:
    report = verify_audit(tmp_path)
    assert (report.intact, report.rows, report.text()) == (True, 0, "no rows")


def test_a_foreign_file_among_the_rows_is_named(copied: Path) -> None:
    (copied / "audit" / "rows" / "old.jsonl").write_text("", encoding="utf-8")
    assert "old.jsonl: expected a name of 12 digits" in verify_audit(copied / "audit").reason


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_changed_byte_is_noticed(original: Path, keys, tmp_path_factory, data) -> None:
    """Fuzz: one byte anywhere in the rows is another one."""
    folder = tmp_path_factory.mktemp("byte", numbered=True)
    shutil.copytree(original / "audit", folder / "audit")
    path = data.draw(st.sampled_from(sorted((folder / "audit" / "rows").iterdir())))
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    assert not verify_audit(folder / "audit", heads=[original / "second"], keys=keys).intact
    shutil.rmtree(folder)


def write_head(path: Path, signer, folder: Path, *, log: str | None = None, root: str | None = None) -> None:
    """Sign a head without hashes of single rows, as a key that somebody else has could."""
    report = verify_audit(folder)
    stated = json.loads(lines_of(folder.parent)[0])["what"]["log"]
    head = TreeHead(log or stated, 0, report.rows, root or report.root, "2026-03-01T12:00:00.000Z", "")
    path.write_bytes(sign_head(head, signer) + b"\n")


def test_a_head_without_hashes_of_rows_proves_by_its_root_and_its_log(copied: Path, signer, keys) -> None:
    shutil.rmtree(copied / "audit" / "heads")
    head = copied / "head.jsonl"
    rows = len(lines_of(copied))
    write_head(head, signer, copied / "audit")
    assert verify_audit(copied / "audit", heads=[head], keys=keys).proved == rows
    write_head(head, signer, copied / "audit", root="00" * 32)
    report = verify_audit(copied / "audit", heads=[head], keys=keys)
    assert report.broken == rows - 1
    assert "expected the rows whose root a signed head states" in report.reason
    write_head(head, signer, copied / "audit", log="0" * 32)
    report = verify_audit(copied / "audit", heads=[head], keys=keys)
    assert (report.broken, report.reason[:60]) == (0, "expected rows of the log 00000000000000000000000000000000, w")


@pytest.mark.parametrize(
    "change",
    [
        lambda head: head | {"root": "zz"},
        lambda head: head | {"root": "00"},
        lambda head: head | {"leaves": "AAAA"},
        lambda head: head | {"leaves": "not base64"},
        lambda head: head | {"size": 0},
        lambda head: head | {"size": "many"},
        lambda head: {name: value for name, value in head.items() if name != "log"},
        lambda head: head | {"more": 1},
    ],
)
def test_what_is_signed_but_no_head_counts_as_none(copied: Path, signer, keys, change) -> None:
    shutil.rmtree(copied / "audit" / "heads")
    head = {
        "log": "0" * 32,
        "number": 0,
        "size": 1,
        "root": "00" * 32,
        "at": "2026-03-01T12:00:00.000Z",
        "leaves": "A" * 43 + "=",
    }
    wire = sign_payload(json.dumps(change(head)).encode(), HEAD_TYPE, signer)
    (copied / "head.jsonl").write_bytes(wire + b"\n")
    report = verify_audit(copied / "audit", heads=[copied / "head.jsonl"], keys=keys)
    assert (report.intact, report.heads, len(report.refused_heads)) == (True, 0, 1)


def test_a_command_is_no_head(copied: Path, signer, keys) -> None:
    wire = sign_payload(b"{}", "application/vnd.twinlab.command+json", signer)
    (copied / "head.jsonl").write_bytes(wire + b"\n")
    assert "payloadType" in verify_audit(copied / "audit", heads=[copied / "head.jsonl"], keys=keys).refused_heads[0]


def test_bytes_behind_the_rows_of_an_earlier_file_are_noticed(copied: Path) -> None:
    path = min((copied / "audit" / "rows").iterdir())
    with path.open("ab") as file:
        file.write(b"\0\0\0")
    report = verify_audit(copied / "audit")
    assert not report.intact
    assert f"expected a row of JSON in {path.name}, got other bytes" in report.reason


@pytest.mark.parametrize("change", [{"frontier": []}, {"log": "0" * 32}])
def test_a_file_that_states_another_tree_or_log_is_noticed_without_heads(copied: Path, change: dict) -> None:
    lines = lines_of(copied)
    row = next(place for place, line in enumerate(lines) if place and b'"kind":"segment"' in line)
    last, found = bytes(32), []
    for place, line in enumerate(lines):
        fields = json.loads(line) | {"previous": last.hex()}
        fields["what"] = fields["what"] | (change if place == row else {})
        found.append(json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode())
        last = leaf_hash(found[-1])
    write_lines(copied, found)
    report = verify_audit(copied / "audit")
    assert report.broken == row
    assert "expected the tree of the rows before" in report.reason
