"""Versions of models in folders: decided in one step, and complete whatever is killed."""

import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace

import pytest

from twinlab.errors import CorruptionError, SchemaError
from twinlab.predict.known.knowledge import ByEventTime
from twinlab.predict.models.decisions import Decision, current_version, open_proposals, read_decisions, state_of
from twinlab.predict.models.store import ModelStore
from twinlab.predict.models.stored import ModelRecord, StoredModel


@pytest.fixture
def model(fitted):
    one, _ = fitted["climatology"]
    return StoredModel(one, one.inputs, ByEventTime())


def record(version, *, name="rooms"):
    texts = dict.fromkeys(("kind", "model", "asset_type", "target", "units", "step", "owner", "twin_model"), "x")
    return ModelRecord(
        name=name, version=version, lead_times=("6h",), start="2026-01-01", stop="2026-02-01", added="2026-02-01", inputs=("t",),
        assets=("A",), input_units={}, mappings={}, sources=(), position={}, **texts,
    )  # fmt: skip


def put(store, model, version, what="added"):
    store.write(model, record(version), what=what, author="ann", reason="")


@pytest.fixture
def store(tmp_path, model):
    found = ModelStore(tmp_path / "models")
    put(found, model, "aaaa1111")
    return found


def test_versions_are_named_by_their_first_digits(store, model):
    put(store, model, "bbbb2222", "proposed")
    assert store.record("rooms", "bbbb").version == "bbbb2222"
    assert store.current("rooms") == "aaaa1111"
    assert store.proposals("rooms") == ["bbbb2222"]
    assert store.read("rooms").fitted.content_hash() == model.fitted.content_hash()
    assert "rooms" in store
    assert "halls" not in store
    assert list(store) == ["rooms"]


def test_names_of_any_text_are_folders_that_every_system_has(tmp_path, model):
    store = ModelStore(tmp_path)
    for name in ("con", "a/b", "Türen: kühl", "../out"):
        store.write(model, record("aaaa", name=name), what="added", author="", reason="")
    assert store.names == sorted(["con", "a/b", "Türen: kühl", "../out"])
    assert {path.parent for path in tmp_path.iterdir()} == {tmp_path}
    with pytest.raises(SchemaError, match="expected a name"):
        store.write(model, record("aaaa", name=" "), what="added", author="", reason="")


def test_a_promotion_that_is_taken_back_twice_needs_two_promotions(store, model):
    for version in ("bbbb", "cccc"):
        put(store, model, version, "proposed")
        store.promote("rooms", version, author="", reason="")
    assert store.rollback("rooms", author="", reason="") == "bbbb"
    assert store.rollback("rooms", author="", reason="") == "aaaa1111"
    with pytest.raises(SchemaError, match="is the first version"):
        store.rollback("rooms", author="", reason="")
    # What was taken back may be proposed again.
    put(store, model, "cccc", "proposed")
    store.promote("rooms", "cccc", author="", reason="")
    assert store.rollback("rooms", author="", reason="") == "aaaa1111"


KILLED = """
import os, signal, sys
from pathlib import Path
import twinlab.predict.models.{module} as of
from twinlab.predict.models.store import ModelStore

store = ModelStore(sys.argv[1])
model, record = store.read("rooms"), store.record("rooms")
from dataclasses import replace
def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
of.{name} = die
{call}
"""


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
@pytest.mark.parametrize(
    ("module", "name", "call"),
    [
        # After the file of the model, before the decision about it; then before the decision of a promotion is renamed.
        (
            "store",
            "write_decision",
            'store.write(model, replace(record, version="bbbb"), what="proposed", author="", reason="")',
        ),
        ("decisions", "sync_file", 'store.promote("rooms", "cccc", author="", reason="")'),
    ],
)
def test_a_killed_writer_leaves_what_was_decided_before(store, model, module, name, call):
    put(store, model, "cccc", "proposed")
    code = KILLED.format(module=module, name=name, call=call)
    died = subprocess.run([sys.executable, "-c", code, str(store.path)], check=False)
    assert died.returncode == -signal.SIGKILL
    assert store.current("rooms") == "aaaa1111"
    assert store.proposals("rooms") == ["cccc"]
    assert store.versions("rooms")["version"].tolist() == ["aaaa1111", "cccc"]
    # The next writer goes on, and removes what the killed one left.
    store.promote("rooms", "cccc", author="", reason="")
    assert sorted(path.name for path in (store.path / "rooms").glob("*.model")) == ["aaaa1111.model", "cccc.model"]
    assert store.current("rooms") == "cccc"


def test_writers_at_once_lose_no_decision(store, model):
    versions = [f"{number:04d}" for number in range(6)]
    threads = [threading.Thread(target=put, args=(store, model, version, "proposed")) for version in versions]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(store.proposals("rooms")) == versions
    assert len(store.versions("rooms")) == 7


def test_a_file_of_something_else_in_the_place_of_a_version_is_refused(store, fitted):
    from twinlab.predict.models.files import write_model

    file = store.path / "rooms" / "aaaa1111.model"
    write_model(file, fitted["climatology"][0], facts={"name": "rooms"})
    with pytest.raises(CorruptionError, match=r"aaaa1111\.model can't be read: its facts"):
        store.record("rooms")
    with pytest.raises(CorruptionError, match="it is a FittedTable"):
        store.read("rooms")


def test_states_follow_from_decisions_alone(tmp_path):
    made = [
        Decision("added", "a"),
        Decision("proposed", "b", "a"),
        Decision("promoted", "b", "a"),
        Decision("proposed", "c", "b"),
    ]
    assert current_version(made) == "b"
    assert [state_of(made, one) for one in "abcd"] == ["earlier", "current", "proposed", ""]
    assert open_proposals([*made, Decision("discarded", "c", "b")]) == []
    assert read_decisions(tmp_path) == []
    assert replace(made[0], author="ann").author == "ann"
