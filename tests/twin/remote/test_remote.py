"""A twin in an object store: pushed, read there, pulled; against a server of S3's protocol."""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
import zarr
from s3_server import Proxy

import twinlab as tl
from twinlab.cli import main
from twinlab.errors import CorruptionError, HistoryConflictError, SchemaError, SourceError
from twinlab.history.remote.repository import icechunk_storage
from twinlab.objects.address import Address
from twinlab.objects.bucket import Bucket
from twinlab.twin import pull
from twinlab.twin.remote import push as pushing

Grow = Callable[[tl.Twin, int], None]


def same(one: tl.Twin, other: tl.Twin) -> None:
    """Assert that two twins show the same."""
    for step in (None, "1h"):
        assert one.history("room", step=step).compute().identical(other.history("room", step=step).compute())
    assert one.observations("room/A", "temperature").equals(other.observations("room/A", "temperature"))
    assert one.assets("room").equals(other.assets("room"))
    assert repr(one) == repr(other)


def objects(network: Proxy, verb: str) -> list[str]:
    """Return the keys that requests of a kind were for."""
    return [line.split(" ")[1] for line in network.requests if line.startswith(verb)]


def test_a_pushed_twin_is_read_where_it_is_and_can_be_pulled(
    twin: tl.Twin, network: Proxy, place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["push", str(twin.folder), place]) == 0
    assert f"{place}: push 1: " in capsys.readouterr().out
    far = tl.open(place)
    far.history("room", step="1h").compute()
    # Neither rows of sources nor one object for each array's manifest.
    assert not [key for key in objects(network, "GET") if ".seg" in key or "/manifests/" in key]
    same(far, twin)
    network.reset()
    # In another process, and again: nothing is fetched twice.
    again = pickle.loads(pickle.dumps(far))
    same(again, twin)
    assert [key.rpartition("/")[2] for key in objects(network, "GET")] == ["twin.json"]
    assert far.open_code.endswith(f"tl.open('{place}')")
    assert far.verify().ok
    assert main(["status", place]) == 0
    assert "<Twin cold>" in capsys.readouterr().out
    assert main(["pull", place, str(tmp_path / "copy")]) == 0
    back = tl.open(tmp_path / "copy")
    same(back, twin)
    assert back.verify().ok


def test_a_push_after_a_day_sends_that_day(twin: tl.Twin, network: Proxy, place: str, grow: Grow) -> None:
    for day in range(1, 4):
        grow(twin, day)
    first = twin.push(place)
    far = tl.open(place)
    before = {path: path.stat().st_size for path in twin.folder.rglob("*") if path.is_file()}
    network.reset()
    assert twin.push(place).objects == 0
    assert not [key for key in objects(network, "PUT") if not key.endswith("owner.json")]
    grow(twin, 4)
    report = twin.push(place)
    assert (report.push, first.push) == (2, 1)
    grown = sum(
        path.stat().st_size - before.get(path, 0)
        for part in ("ledger", "history/icechunk/chunks", "history/icechunk/manifests", "history/icechunk/snapshots")
        for path in (twin.folder / part).rglob("*")
        if path.is_file() and path.name != "position"
    )
    # The head, which names everything, is small beside a real day.
    assert report.bytes < 1.2 * grown + 8000
    newest = far.newest()
    same(newest, twin)
    assert newest.newest() is newest
    assert far.history("room").time.size < newest.history("room").time.size


def test_an_interrupted_push_is_continued(
    twin: tl.Twin, network: Proxy, place: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(pushing, "_LISTED", 4)
    network.cut_after = 14
    with pytest.raises(SourceError, match="can't write .*check endpoint, region and network"):
        twin.push(place)
    network.cut_after = None
    with pytest.raises(
        SourceError, match=r"the first push of twin 'cold' isn't complete: \d+ objects with .* MB are there"
    ):
        tl.open(place)
    with pytest.raises(SourceError, match="isn't complete"):
        pull(place, tmp_path / "copy")
    sent = set(objects(network, "PUT"))
    network.reset()
    twin.push(place)
    again = [key for key in objects(network, "PUT") if key in sent and "owner.json" not in key]
    # At most what was under way when it was cut.
    assert len(again) <= 8
    assert len(again) < len(sent) - 3
    same(tl.open(place), twin)


def test_what_no_list_has_yet_is_not_sent_again(twin: tl.Twin, network: Proxy, place: str) -> None:
    network.cut_after = 14
    with pytest.raises(SourceError, match="can't write"):
        twin.push(place)
    network.cut_after = None
    store = Bucket(Address.parse(place))
    there = {one.name for one in store.list()} - {"owner.json"}
    assert len(there) > 4
    network.reset()
    report = twin.push(place)
    sent = {key.partition(place.rpartition("/")[2] + "/")[2] for key in objects(network, "PUT")}
    assert not sent & there
    assert report.bytes < report.total_bytes
    same(tl.open(place), twin)
    # A damaged object that is listed is found when it is pulled, as any other.
    assert not (twin.folder / ".pushing").exists()


def test_objects_of_other_programs_with_our_names_are_refused(twin: tl.Twin, network: Proxy, place: str) -> None:
    store = Bucket(Address.parse(place))
    for name in ("owner.json", "twin.json"):
        store.put(name, b'{"some": "thing"}')
        with pytest.raises(SchemaError, match=f"{name}: .*another program's object|another program's object '{name}'"):
            twin.push(place)
        with pytest.raises(SchemaError, match="another program's object"):
            tl.open(place)
        store.delete(name)
    assert not [key for key in objects(network, "PUT") if "/files/" in key]


def test_a_store_that_may_only_be_read_is_not_written_to(twin: tl.Twin, network: Proxy, place: str) -> None:
    twin.push(place)
    network.deny = "PUT"
    with pytest.raises(SourceError, match=r"no permission to write owner.json: check the credentials .* s3:PutObject"):
        twin.push(place)
    assert tl.open(place).history("room").sizes["time"] > 0


@pytest.mark.parametrize("header", ["if-none-match", "if-match"])
def test_a_store_without_conditional_writes_is_refused(twin: tl.Twin, network: Proxy, place: str, header: str) -> None:
    network.drop = frozenset({header})
    with pytest.raises(SourceError, match="expected a store with conditional writes, but this one ignores If-"):
        twin.push(place)
    assert not [key for key in objects(network, "PUT") if not key.endswith("owner.json")]


def test_what_is_wrong_with_a_store_is_said(twin: tl.Twin, network: Proxy, place: str) -> None:
    with pytest.raises(SourceError, match="expected a bucket 'absent', there is none"):
        tl.open("s3://absent/pilot")
    with pytest.raises(SourceError, match="expected a bucket 'absent', there is none"):
        twin.push("s3://absent/pilot")
    with pytest.raises(SourceError, match=r"expected a twin in .*, there is none; put one there with `twinlab push"):
        tl.open(place)
    Bucket(Address.parse(place)).put("raw/readings.csv", b"1,2")
    with pytest.raises(SchemaError, match="another program's object 'raw/readings.csv'; choose another prefix"):
        twin.push(place)
    network.answer = (403, "AccessDenied")
    with pytest.raises(SourceError, match=r"no permission to read twin.json: check the credentials .* s3:GetObject"):
        tl.open(place)
    network.answer = (403, "RequestTimeTooSkewed")
    with pytest.raises(SourceError, match="the clock of this computer differs from the store's"):
        tl.open(place)


def test_a_prefix_is_one_twins(twin: tl.Twin, network: Proxy, place: str, tmp_path: Path, grow: Grow) -> None:
    twin.push(place)
    other = tl.create(tmp_path / "other", model=tmp_path / "model.yaml", mappings=tmp_path / "log.yaml")
    with pytest.raises(SourceError, match="ingest first, then push"):
        other.push(place)
    grow(other, 0)
    with pytest.raises(SchemaError, match="got another one, 'cold'; choose another prefix"):
        other.push(place)


def test_two_copies_that_both_grew_lose_nothing(
    twin: tl.Twin, network: Proxy, place: str, tmp_path: Path, grow: Grow
) -> None:
    twin.push(place)
    pull(place, tmp_path / "copy")
    copy = tl.open(tmp_path / "copy")
    grow(twin, 1)
    twin.push(place)
    with pytest.raises(HistoryConflictError, match="have different rows"):
        copy.push(place)
    # A copy that wasn't written to takes what is new.
    assert pull(place, tmp_path / "copy").push == 2
    same(tl.open(tmp_path / "copy"), twin)
    grow(copy, 2)
    with pytest.raises(HistoryConflictError, match="has rows here that"):
        pull(place, tmp_path / "copy")
    grow(twin, 3)
    twin.push(place)
    with pytest.raises(HistoryConflictError, match="have different rows"):
        copy.push(place)
    with pytest.raises(HistoryConflictError, match="expected a new folder"):
        pull(place, tmp_path)


def test_a_damaged_object_is_reported_and_a_pull_is_continued(
    twin: tl.Twin, network: Proxy, place: str, tmp_path: Path
) -> None:
    twin.push(place)
    chunk = next(key for key in objects(network, "PUT") if "/chunks/" in key)
    name = chunk.rpartition("/")[2]
    original = (twin.folder / "history/icechunk/chunks" / name).read_bytes()
    store = Bucket(Address.parse(place))
    store.put(f"history/icechunk/chunks/{name}", original[:-1] + bytes([original[-1] ^ 1]))
    with pytest.raises(CorruptionError, match=f"object history/icechunk/chunks/{name} differs from what was pushed"):
        pull(place, tmp_path / "copy")
    assert not (tmp_path / "copy" / "twin.yaml").exists()
    store.put(f"history/icechunk/chunks/{name}", original)
    network.reset()
    report = pull(place, tmp_path / "copy")
    same(tl.open(tmp_path / "copy"), twin)
    # What came before the damage isn't fetched again.
    assert report.objects < len([one for one in (tmp_path / "copy").rglob("*") if one.is_file()])


def test_only_rows_are_written_to_a_twin_in_a_store(twin: tl.Twin, network: Proxy, place: str) -> None:
    twin.push(place)
    far = tl.open(place)
    network.reset()
    for write in (
        far.rebuild,
        far.compact,
        lambda: far.annotate(
            asset="room/A", signal="temperature", start="2026-01-01", stop="2026-01-02", note="door", author="m"
        ),
        lambda: far.push(place + "-copy"),
    ):
        with pytest.raises(SourceError, match=f"{place} is read only but for .* cache only: write to the folder"):
            write()
    assert objects(network, "PUT") == []
    same(far, twin)


def test_icechunk_itself_reads_what_was_pushed(twin: tl.Twin, network: Proxy, place: str) -> None:
    import icechunk

    twin.push(place)
    session = icechunk.Repository.open(icechunk_storage(Address.parse(place))).readonly_session("main")
    stored = zarr.open_group(session.store, mode="r")
    (name,) = [path for path, _ in stored.members(max_depth=None) if path.endswith("/temperature")]
    values = stored[name][:]
    assert (values != stored[name].fill_value).sum() == 2 * 1440


def test_a_twin_with_purposes_is_not_pushed(twin: tl.Twin, network: Proxy, place: str) -> None:
    text = (twin.folder / "twin.yaml").read_text()
    (twin.folder / "twin.yaml").write_text(text + "privacy: {}\n")
    with pytest.raises(SchemaError, match="couldn't be erased from pushed histories"):
        tl.open(twin.folder).push(place)
    assert objects(network, "PUT") == []


def test_address_endpoint_and_price_can_stand_in_the_model(
    twin: tl.Twin, network: Proxy, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SchemaError, match=r"expected an address such as s3://bucket/prefix, or storage.objects.url"):
        twin.push()
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    text = (twin.folder / "twin.yaml").read_text()
    rule = f"storage: {{objects: {{url: {place}, endpoint: '{network.url}', price: 20 EUR/GB/month}}}}\n"
    (twin.folder / "twin.yaml").write_text(text + rule)
    report = tl.open(twin.folder).push()
    assert report.cost is not None
    assert report.cost.amount == pytest.approx(20 * report.total_bytes / 1e9)
    assert "EUR/month" in str(report)


def test_an_older_copy_of_the_folder_cannot_take_rows_away(
    twin: tl.Twin, network: Proxy, place: str, tmp_path: Path, grow: Grow
) -> None:
    shutil.copytree(twin.folder, tmp_path / "older")
    grow(twin, 1)
    twin.push(place)
    with pytest.raises(HistoryConflictError, match="another copy of the twin was pushed"):
        tl.open(tmp_path / "older").push(place)


def test_models_predictions_and_scenarios_are_there_when_they_are_asked_for(
    twin: tl.Twin, network: Proxy, place: str, tmp_path: Path
) -> None:
    twin.forecast("room", "temperature", horizon="6h", step="1h", store="usual")
    model = twin.folder / "models" / "usual" / "1"
    model.mkdir(parents=True)
    (model / "card.json").write_text("{}")
    twin.push(place)
    far = tl.open(place)
    assert not (far.folder / "models").exists()
    assert far.predictions.open("usual").compute().identical(twin.predictions.open("usual").compute())
    assert not (far.folder / "models").exists()
    assert far.models is not None
    assert (far.folder / "models/usual/1/card.json").read_text() == "{}"
    assert list(far.scenarios) == []
    network.reset()
    assert far.predictions.open("usual").sizes == twin.predictions.open("usual").sizes
    assert objects(network, "GET") == []
    pull(place, tmp_path / "copy")
    copy = tl.open(tmp_path / "copy")
    assert copy.predictions.open("usual").compute().identical(twin.predictions.open("usual").compute())
    # What was replaced goes; a folder that isn't there any more stays in the store.
    shutil.rmtree(twin.folder / "predictions")
    (model / "card.json").rename(model / "other.json")
    twin.push(place)
    assert pull(place, tmp_path / "copy").push == 2
    assert [path.name for path in (tmp_path / "copy/models/usual/1").iterdir()] == ["other.json"]
    assert "usual" in far.newest().predictions


def test_segments_that_are_sealed_after_a_push_are_not_sent_again(
    twin: tl.Twin, network: Proxy, place: str, tmp_path: Path
) -> None:
    def append(first: int, *, full: bool) -> None:
        rows = pd.DataFrame({"time": times[first : first + 4000], "room": "A", "t": 4.0, "door": 0})
        with twin.ledger.writer("log") as writer:
            writer.append_records("log", pa.RecordBatch.from_pandas(rows))
            if full:
                writer.rotate()

    def ledger_objects() -> list[int]:
        network.reset()
        before = pushing.newest_push(Bucket(Address.parse(place)))[0].files
        twin.push(place)
        after = pushing.newest_push(Bucket(Address.parse(place)))[0].files
        known = {sha for pieces in before.values() for _, sha in pieces}
        return [size for path, pieces in after.items() if "/log/0" in path for size, sha in pieces if sha not in known]

    times = pd.date_range("2026-01-02", periods=40_000, freq="1min").strftime("%Y-%m-%dT%H:%M:%S").to_numpy()
    append(0, full=True)
    append(4000, full=False)
    twin.push(place)
    # Rows are added to the last segment, which is full then: what is new of it is sent before it may be sealed.
    append(8000, full=True)
    append(12000, full=False)
    assert twin.ledger.seal("log")
    sizes = {path.name: path.stat().st_size for path in (twin.folder / "ledger" / "log").glob("0*")}
    assert sorted(sizes) == ["00000000.frames", "00000001.seg", "00000002.seg"]
    sent = ledger_objects()
    assert len(sent) == 2
    assert sum(sent) < 0.8 * (sizes["00000001.seg"] + sizes["00000002.seg"])
    assert twin.ledger.seal("log")
    append(16000, full=False)
    assert len(ledger_objects()) == 1
    far = tl.open(place)
    assert far.verify().ok
    same(far, twin)
    pull(place, tmp_path / "copy")
    back = tl.open(tmp_path / "copy")
    assert back.verify().ok
    same(back, twin)
    assert back.ledger.reader("log").position() == twin.ledger.reader("log").position()
