"""How other processes open a twin: at one state, or refused with what to do."""

import pickle
import shutil

import pandas as pd
import pytest

import twinlab as tl
from twinlab.compute import Handle
from twinlab.errors import ClusterError


@pytest.fixture
def copy(rooms, tmp_path):
    return tl.open(shutil.copytree(rooms.folder, tmp_path / "copy"))


def last_hour(reader):
    return reader.history("room", assets=["R1"], start="2026-03-30T23:00").temperature.values


def test_an_opening_is_small_and_of_one_state_whatever_comes_later(copy):
    before = last_hour(copy)
    sent = pickle.dumps([Handle.of(copy), Handle.of(copy.as_of("2100-01-01"))])
    assert len(sent) < 2000
    with tl.open(copy.folder).writer() as writer:
        rows = {"time": ["2026-03-30T23:59"], "room": ["R1"], "t": [99.0], "door": [1], "energy": [9e9]}
        writer.append(pd.DataFrame(rows))
    copy.compact()
    assert (last_hour(copy) != before).any()
    now, then = pickle.loads(sent)
    now.check()
    then.check()
    assert (last_hour(now.open()) == before).all()


def test_a_folder_that_is_not_there_is_refused_with_what_to_do(copy):
    handle = Handle.of(copy)
    shutil.rmtree(copy.folder / "history")
    with pytest.raises(ClusterError, match="expected the history of the twin in .*mount the twin's own"):
        handle.check()
    shutil.rmtree(copy.folder)
    with pytest.raises(ClusterError, match="expected the twin's folder .*mount it at the same path on all machines"):
        handle.open()
