"""Settings of a reader: stored, private, and shared by the reader's sessions."""

import json
import logging
import threading

import pytest

from twinlab.apps.frame.settings import Settings, config_folder, settings_for
from twinlab.apps.login.access import User
from twinlab.errors import SchemaError


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "me.json"


def test_a_setting_is_stored_for_the_next_visit(path):
    Settings(path)["columns"] = ["asset", "since"]
    later = Settings(path)
    assert dict(later) == {"columns": ["asset", "since"]}
    assert "columns" in later and "clock" not in later
    assert len(later) == 1
    del later["columns"]
    assert dict(Settings(path)) == {}
    with pytest.raises(KeyError):
        del later["columns"]
    with pytest.raises(KeyError):
        later["columns"]


def test_settings_are_empty_and_write_nothing_at_the_first_visit(path):
    assert dict(Settings(path)) == {}
    assert not path.parent.exists()


def test_only_their_owner_can_read_them(path):
    Settings(path)["clock"] = "UTC"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_two_sessions_of_one_reader_merge_their_settings(path):
    first, second = Settings(path), Settings(path)
    assert "clock" not in first
    second["clock"] = "UTC"
    first["columns"] = ["asset"]
    assert dict(first) == dict(second) == {"clock": "UTC", "columns": ["asset"]}


def test_many_sessions_writing_at_once_lose_nothing(path):
    def write(name):
        mine = Settings(path)
        for count in range(5):
            mine[f"{name}{count}"] = count

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(Settings(path)) == 20


def test_a_changed_list_is_stored_only_when_it_is_assigned(path):
    mine = Settings(path)
    given = ["asset"]
    mine["columns"] = given
    given.append("since")
    mine["columns"].append("until")
    assert mine["columns"] == ["asset"]


@pytest.mark.parametrize("damage", [b"{", b"[1]", b"\xff\xfe", b"", b"[" * 100_000])
def test_damaged_settings_start_empty_and_are_renamed(path, caplog, damage):
    path.parent.mkdir()
    path.write_bytes(damage)
    mine = Settings(path)
    with caplog.at_level(logging.WARNING):
        assert dict(mine) == {}
    assert "start empty" in caplog.text
    mine["clock"] = "UTC"
    assert json.loads(path.read_text()) == {"clock": "UTC"}
    assert path.with_name("me.json.damaged").read_bytes() == damage


def test_a_folder_that_cannot_be_written_breaks_no_page(tmp_path, caplog):
    (tmp_path / "file").write_text("not a folder")
    mine = Settings(tmp_path / "file" / "me.json")
    mine["clock"] = "UTC"
    assert mine["clock"] == "UTC"
    assert "can't be saved" in caplog.text


@pytest.mark.parametrize("value", [object(), float("nan"), {1, 2}])
def test_values_that_json_cannot_represent_are_refused_by_name(path, value):
    with pytest.raises(SchemaError, match="'clock'"):
        Settings(path)["clock"] = value
    assert not path.exists()


def test_each_reader_and_twin_have_a_file_of_their_own(tmp_path, monkeypatch):
    monkeypatch.setenv("TWINLAB_CONFIG", str(tmp_path))
    assert config_folder() == tmp_path
    users = [None, User("dora"), User("dora", home=tmp_path / "u.d"), User("../dora", home=tmp_path / "u.d")]
    paths = {settings_for(user, twin).path for user in users for twin in ("nyc", "parcel", "..", ".hidden", "")}
    assert len(paths) == 20
    for path in paths:
        assert path.resolve().is_relative_to(tmp_path)
        settings = Settings(path)
        settings["x"] = 1
        assert path.exists()
