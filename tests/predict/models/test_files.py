"""Files of models: written in one step, read without running code; a damaged one is an error that names it."""

import json
import os
import pickle
import signal
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twinlab.errors import CorruptionError, SchemaError, SourceError
from twinlab.predict.models.files import read_model, write_model

MEMBER = "model.json"


@pytest.fixture
def file(fitted, tmp_path):
    return write_model(tmp_path / "rooms.model", fitted["pipeline"][0])


def rewritten(file, change):
    """Write the file again with its members changed, and their checksums right."""
    import hashlib

    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    content = json.loads(members.pop(MEMBER))
    change(content, members)
    content["members"] = {name: hashlib.sha256(one).hexdigest() for name, one in members.items()}
    with zipfile.ZipFile(file, "w") as archive:
        for name, one in {MEMBER: json.dumps(content).encode(), **members}.items():
            archive.writestr(name, one)
    return file


def test_numpy_opens_a_file_without_twinlab(file):
    with np.load(file) as arrays:
        assert any(name.endswith("coef_") for name in arrays)


def test_reading_runs_no_pickle(file, monkeypatch):
    def refuse(*_):
        raise AssertionError

    monkeypatch.setattr(pickle, "loads", refuse)
    monkeypatch.setattr(pickle, "load", refuse)
    read_model(file)


def test_a_missing_file_is_a_source_error(tmp_path):
    with pytest.raises(SourceError, match=r"there is none: .*nothing\.model"):
        read_model(tmp_path / "nothing.model")


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_file_that_was_cut_off_is_an_error_that_names_it(file, share):
    cut = file.with_name("cut.model")
    whole = file.read_bytes()
    cut.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(CorruptionError, match=r"cut\.model can't be read"):
        read_model(cut)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_file_with_a_flipped_bit_is_an_error_or_the_same_model(file, fitted, share, bit):
    model, state = fitted["pipeline"]
    data = bytearray(file.read_bytes())
    data[int(len(data) * share)] ^= 1 << bit
    flipped = file.with_name("flipped.model")
    flipped.write_bytes(bytes(data))
    try:
        # Dates and comments of a zip aren't of the model.
        assert read_model(flipped).predict(state).identical(model.predict(state))
    except CorruptionError as error:
        assert "flipped.model" in str(error)


def test_bytes_of_anything_else_are_refused(tmp_path):
    for name, content in (("empty", b""), ("pickle", pickle.dumps({"a": 1})), ("text", b"tree\nversion=v4\n")):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(CorruptionError, match=f"{name} can't be read"):
            read_model(path)


def test_a_member_that_was_exchanged_added_or_removed_is_refused(file):
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = next(one for one in members if one.endswith("coef_.npy"))

    def refused(others):
        with zipfile.ZipFile(file, "w") as archive:
            for one, content in others.items():
                archive.writestr(one, content)
        with pytest.raises(CorruptionError, match=r"rooms\.model can't be read"):
            read_model(file)

    refused({**members, name: members[name][:-1] + b"\1"})
    refused({**members, "more.npy": members[name]})
    refused({one: content for one, content in members.items() if one != name})
    refused({one: content for one, content in members.items() if one != MEMBER})


def _npy(header, data=b""):
    text = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data


@pytest.mark.parametrize(
    "content",
    [
        _npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,)}"),
        _npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", pickle.dumps([1])),
        _npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-1, -3)}", bytes(24)),
        _npy("__import__('os').system('true')"),
        b"no array",
    ],
    ids=["huge", "objects", "negative", "code", "none"],
)
def test_an_array_that_claims_what_it_is_not_is_refused(file, content):
    def change(_, members):
        members[next(one for one in members if one.endswith("coef_.npy"))] = content

    with pytest.raises(CorruptionError, match=r"rooms\.model can't be read"):
        read_model(rewritten(file, change))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda content, _: content.update(version=99), "expected version 1 of the format, got 99"),
        (lambda content, _: content.update(format="other"), "expected a model of twinlab"),
        (lambda content, _: content["model"].update({"class": "os.system"}), "has no class 'os.system'"),
        (lambda content, _: content["model"].pop("content"), "content"),
        (
            lambda content, _: content["model"]["content"].update(of={"$": "array", "name": "no such"}),
            "expected the array 'no such'",
        ),
        (
            lambda content, _: content["model"]["content"]["of"]["content"].update(
                lead_times={"$": "tuple", "items": []}
            ),
            "lead time",
        ),
    ],
)
def test_content_that_is_not_as_it_is_written_is_refused(file, change, why):
    with pytest.raises(CorruptionError, match=rf"rooms\.model can't be read: .*{why}"):
        read_model(rewritten(file, change))


def test_a_file_that_unpacks_to_more_than_memory_is_refused_before_it_is_unpacked(file, monkeypatch):
    monkeypatch.setattr("twinlab.predict.models.files._MOST", 1000)
    with pytest.raises(CorruptionError, match=r"rooms\.model can't be read: it unpacks to"):
        read_model(file)


def test_a_model_that_cannot_be_stored_leaves_the_file_as_it_was(file):
    before = file.read_bytes()
    with pytest.raises(SchemaError, match="a is a builtins.object, which can't be stored"):
        write_model(file, {"a": object()})
    assert file.read_bytes() == before


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_another_process_reads_the_model_and_a_kill_before_its_file_is_renamed_leaves_the_earlier_one(file, fitted):
    model, state = fitted["pipeline"]
    code = (
        "import os, signal, sys, twinlab._files as files\n"
        "from twinlab.predict.models import files as of\n"
        "from twinlab.predict import read_model\n"
        "model = read_model(sys.argv[1])\n"
        "print(model.content_hash(), flush=True)\n"
        "files.replace_file = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "of.write_model(sys.argv[1], model)\n"
    )
    before = file.read_bytes()
    died = subprocess.run([sys.executable, "-c", code, str(file)], check=False, capture_output=True, text=True)
    assert died.stdout.strip() == model.content_hash()
    assert died.returncode == -signal.SIGKILL
    assert len(list(file.parent.iterdir())) == 2
    assert file.read_bytes() == before
    assert read_model(file).predict(state).identical(model.predict(state))
