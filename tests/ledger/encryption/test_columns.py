"""Personal columns are read back exactly, and only with the person's key."""

import datetime as dt
import os

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlab.errors import CorruptionError, SchemaError
from twinlab.ledger import Ledger, Records
from twinlab.ledger.encryption.columns import (
    Part,
    decrypt_columns,
    encrypt_columns,
    is_encrypted,
    people_of,
    subject_texts,
)
from twinlab.ledger.encryption.encryption import Encryption
from twinlab.ledger.format.frame import parse_head
from twinlab.model.privacy.personal_columns import ColumnUse
from twinlab.signing.subjects import KeyFolder

PEOPLE = ("Ann", "Bob", "Cem")
VALUES = {
    pa.string(): st.one_of(st.none(), st.text(max_size=40)),
    pa.int64(): st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)),
    pa.float64(): st.one_of(st.none(), st.floats(allow_nan=False)),
    pa.bool_(): st.one_of(st.none(), st.booleans()),
    pa.timestamp("ns"): st.one_of(st.none(), st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2200, 1, 1))),
}


class Keys:
    """Keys in memory."""

    def __init__(self):
        self.keys = {}

    def make(self, names, period):
        return {name: (f"id-{name}", self.keys.setdefault(f"id-{name}", os.urandom(32))) for name in names}

    def find(self, one, month):
        return self.keys.get(one)


@st.composite
def batches(draw):
    """Rows with a column of each type, beside a plain one."""
    count = draw(st.integers(1, 30))
    columns = {
        f"c{place}": pa.array(draw(st.lists(values, min_size=count, max_size=count)), kind)
        for place, (kind, values) in enumerate(VALUES.items())
    }
    people = pa.array(draw(st.lists(st.sampled_from(PEOPLE), min_size=count, max_size=count)))
    return pa.RecordBatch.from_pydict({"plain": pa.array(range(count)), **columns, "who": people})


@given(batches(), st.sampled_from(PEOPLE))
def test_a_batch_is_read_back_and_of_a_forgotten_person_all_is_null(rows, gone):
    keys = Keys()
    names = [*(name for name in rows.schema.names if name.startswith("c")), "who"]
    made = encrypt_columns(rows, [Part(names, rows.column("who"), "2026-03")], keys.make)
    assert is_encrypted(made)
    assert not set(made.schema.names) & set(names)
    assert decrypt_columns(made, keys.find).to_pydict() == rows.to_pydict()
    assert [field.name for field in decrypt_columns(made, keys.find).schema] == rows.schema.names
    keys.keys.pop(f"id-{gone}", None)
    left = decrypt_columns(made, keys.find).to_pylist()
    for before, after in zip(rows.to_pylist(), left, strict=True):
        assert after == (before if before["who"] != gone else {**dict.fromkeys(names), "plain": before["plain"]})


def test_ciphertexts_cant_be_exchanged():
    keys = Keys()
    rows = pa.RecordBatch.from_pydict({"who": ["Ann", "Bob"], "tel": ["1", "2"]})
    made = encrypt_columns(rows, [Part(["who", "tel"], rows.column("who"), "2026-03")], keys.make)
    metadata = dict(made.schema.metadata)
    data = metadata[b"twinlab.ciphertexts"]
    half = len(data) // 2
    for changed in (data[half:] + data[:half], bytes([data[0] ^ 1]) + data[1:]):
        other = made.replace_schema_metadata({**metadata, b"twinlab.ciphertexts": changed})
        with pytest.raises(CorruptionError):
            decrypt_columns(other, keys.find)
    other = made.replace_schema_metadata(
        {k: v.replace(b'["who","tel"]', b'["tel","who"]') for k, v in metadata.items()}
    )
    with pytest.raises(CorruptionError):
        decrypt_columns(other, keys.find)


def test_people_are_named_without_spaces_around_and_nobody_is_somebody():
    assert subject_texts(pa.array([" Ann ", None, "", "Bob"])).to_pylist() == [
        "Ann",
        "(nobody named)",
        "(nobody named)",
        "Bob",
    ]
    assert subject_texts(pa.array([7, None])).to_pylist() == ["7", "(nobody named)"]


def test_a_type_that_cant_be_encrypted_is_refused():
    rows = pa.RecordBatch.from_pydict({"who": ["Ann"], "raw": pa.array([b"x"])})
    with pytest.raises(SchemaError, match="binary can't be encrypted"):
        encrypt_columns(rows, [Part(["raw"], rows.column("who"), "2026-03")], Keys().make)


def encrypted_ledger(folder, **uses):
    """Return a ledger whose columns are encrypted as stated: column -> (subject, store)."""
    rules = {
        name: ColumnUse(name, "personal", declared=True, subject=subject, store=store)
        for name, (subject, store) in uses.items()
    }
    found = Ledger(folder / "ledger")
    found.encryption = Encryption(
        KeyFolder(folder / "keys"), lambda source, table, names: {n: r for n, r in rules.items() if n in names}
    )
    return found


ROWS = pa.RecordBatch.from_pydict(
    {"tour": ["N1", "N2", "N3"], "driver": ["Ann", "Bob", "Ann"], "tel": ["111-111", "222-222", None]}
)


def test_frames_with_encrypted_columns_have_a_higher_version_and_their_keys_are_encrypted_too(tmp_path):
    ledger = encrypted_ledger(tmp_path, driver=("driver", "encrypted"), tel=("driver", "encrypted"))
    with ledger.writer("trips") as writer:
        writer.append_many([Records("trips", ROWS, keys=["N1/Ann", "N2/Bob", "N3/Ann"])])
        writer.append_records("hubs", pa.RecordBatch.from_pydict({"hub": ["FRA"]}))
    raw = (tmp_path / "ledger" / "trips" / "00000000.seg").read_bytes()
    heads = [parse_head(raw, at)[0] for at in range(len(raw)) if raw[at : at + 4] == b"TLF1"]
    assert [head.version for head in heads if head.kind == 2] == [2, 1]
    trips, hubs = ledger.reader("trips").frames()
    assert (trips.batch().to_pydict(), trips.keys().to_pylist()) == (ROWS.to_pydict(), ["N1/Ann", "N2/Bob", "N3/Ann"])
    assert hubs.batch().to_pydict() == {"hub": ["FRA"]}
    stored = next(ledger.stored_reader("trips").frames()).encoded_batch()
    assert stored.schema.names == ["tour", "\u241fperson0"]
    assert [len(part.ids) for part in people_of(stored)] == [2]


def test_sealed_and_archived_rows_stay_encrypted(tmp_path):
    ledger = encrypted_ledger(tmp_path, driver=("driver", "encrypted"), tel=("driver", "encrypted"))
    many = pa.RecordBatch.from_pydict({
        "tour": [f"N{n}-{os.urandom(20).hex()}" for n in range(3000)],
        "driver": [("Ann Archer", "Bob Baker")[n % 2] for n in range(3000)],
        "tel": [f"+49 170 {n:07}" for n in range(3000)],
    })  # fmt: skip
    with ledger.writer("trips") as writer:
        writer.append_records("trips", many)
        writer.rotate()
    ledger.seal("trips")
    (frame,) = ledger.reader("trips").frames()
    assert frame.batch().to_pydict() == many.to_pydict()
    (moved,) = ledger.archive(tmp_path / "old", before_ns=2**62, times={"trips": {0: 5}})
    assert b"Archer" not in moved.read_bytes()
    (frame,) = encrypted_again(ledger, tmp_path).reader("trips").frames()
    assert frame.batch().to_pydict() == many.to_pydict()
    ledger.encryption.keys.destroy("Ann Archer")
    (frame,) = encrypted_again(ledger, tmp_path).reader("trips").frames()
    assert set(frame.batch().column("driver").to_pylist()) == {None, "Bob Baker"}
    assert ledger.verify().ok


def encrypted_again(ledger, folder):
    """Return the ledger as another process opens it."""
    found = Ledger(folder / "ledger")
    found.encryption = ledger.encryption
    return found


def test_a_pseudonym_is_stored_and_leads_back_only_with_the_persons_key(tmp_path):
    ledger = encrypted_ledger(tmp_path, driver=("driver", "pseudonym"), tel=("driver", "no"))
    for _ in range(2):
        with ledger.writer("trips") as writer:
            writer.append_records("trips", ROWS)
    first, second = (frame.batch().to_pydict() for frame in ledger.reader("trips").frames())
    assert first == second
    assert list(first) == ["tour", "driver"]
    assert first["driver"][0] == first["driver"][2] != first["driver"][1]
    assert ledger.encryption.real_name(first["driver"][0], "driver") == "Ann"
    assert ledger.encryption.real_name(first["driver"][0], "tel") is None
    ledger.encryption.keys.destroy("Ann")
    assert ledger.encryption.real_name(first["driver"][0], "driver") is None
    assert ledger.encryption.real_name(first["driver"][1], "driver") == "Bob"


def test_without_the_folder_of_keys_personal_columns_are_null(tmp_path):
    ledger = encrypted_ledger(tmp_path, driver=("driver", "encrypted"))
    with ledger.writer("trips") as writer:
        writer.append_records("trips", ROWS)
    (frame,) = Ledger(tmp_path / "ledger").reader("trips").frames()
    assert frame.batch().to_pydict() == {**ROWS.to_pydict(), "driver": [None, None, None]}


@pytest.mark.parametrize("size", [0, 1, 1 << 20, (1 << 20) + 1, 3_000_000])
def test_a_copy_of_a_file_is_read_back_and_damage_is_seen_without_the_key(tmp_path, size):
    ledger = encrypted_ledger(tmp_path, driver=("driver", "encrypted"))
    path = tmp_path / "trips.csv"
    path.write_bytes(os.urandom(min(size, 1000)) * (size // 1000) + b"x" * (size % 1000))
    made = ledger.blobs.put(path, personal=True)
    copy = ledger.blobs.path(made)
    assert copy.suffix == ".enc"
    with ledger.blobs.open(made) as content:
        assert content.read() == path.read_bytes()
    assert (ledger.blobs.put(path, personal=True), list(ledger.blobs.ids())) == (made, [made])
    (name,) = ledger.encryption.keys._ids
    ledger.encryption.keys.destroy(name)
    assert not ledger.blobs.readable(made)
    assert ledger.verify().ok
    copy.chmod(0o644)
    copy.write_bytes(copy.read_bytes()[:-40] + b"\0" * 40)
    assert not ledger.verify().ok


def test_a_copy_is_compared_with_its_sha256_once_when_it_is_opened(tmp_path, monkeypatch):
    from twinlab.ledger import blobs

    ledger = encrypted_ledger(tmp_path, driver=("driver", "encrypted"))
    path = tmp_path / "trips.csv"
    path.write_text("driver\nAnn\n")
    made = ledger.blobs.put(path, personal=True)
    checked = []
    monkeypatch.setattr(blobs, "check_file", lambda copy: checked.append(copy))
    assert ledger.blobs.readable(made)
    assert checked == []
    assert ledger.blobs.open(made).read() == b"driver\nAnn\n"
    assert checked == [ledger.blobs.path(made)]


@pytest.mark.parametrize("place", [0, 5, 12, 200])
def test_a_damaged_copy_is_named_whatever_byte_is_damaged(tmp_path, place):
    ledger = encrypted_ledger(tmp_path, driver=("driver", "encrypted"))
    path = tmp_path / "trips.csv"
    path.write_text("driver\nAnn\n" * 100)
    made = ledger.blobs.put(path, personal=True)
    copy = ledger.blobs.path(made)
    data = bytearray(copy.read_bytes())
    data[place] ^= 0xFF
    copy.chmod(0o644)
    copy.write_bytes(data)
    with pytest.raises(CorruptionError, match=copy.name):
        ledger.blobs.open(made)
    if place < 12:
        with pytest.raises(CorruptionError, match=copy.name):
            ledger.blobs.readable(made)


def test_the_people_of_rows_are_looked_up_once_for_all_columns_of_a_person(tmp_path, monkeypatch):
    from twinlab.ledger.encryption import encryption

    looked = []

    def counted(column):
        looked.append(len(column))
        return subject_texts(column)

    monkeypatch.setattr(encryption, "subject_texts", counted)
    names = [f"value{n}" for n in range(20)]
    ledger = encrypted_ledger(
        tmp_path,
        driver=("driver", "encrypted"),
        note=("other", "no"),
        **dict.fromkeys(names, ("driver", "encrypted")),
    )
    rows = {"driver": ["Ann", "Bob"], "note": ["x", "y"], "other": ["Cem", "Dan"], **{name: [1, 2] for name in names}}
    with ledger.writer("trips") as writer:
        writer.append_records("trips", pa.RecordBatch.from_pydict(rows))
    assert looked == [2]
    (frame,) = ledger.reader("trips").frames()
    del rows["note"]
    assert frame.batch().to_pydict() == rows
