"""Files on other systems: names that Windows refuses, files that are open, no module that only POSIX has."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

import twinlab
from twinlab import _files
from twinlab._files import file_name, open_binary, replace_file, sync_file, sync_folder, write_atomically

PACKAGE = Path(twinlab.__file__).parent
#: Microsoft, "Naming Files, Paths, and Namespaces".
DEVICES = re.compile(r"(con|prn|aux|nul|com[1-9]|lpt[1-9])\s*(\.|$)", re.IGNORECASE)
REFUSED = ["con", "NUL", "aux", "Com1", "lpt9", "con.csv", "nul .x", "a:b", "a\\b", "a/b", 'a"b', "a<b>", "a|b", "a?*"]
REFUSED += ["a.", "a ", " .", ".", "..", ".hidden", "a\tb", "\x00", ""]


def accepted(name: str) -> bool:
    return not (
        name in {"", ".", ".."} or DEVICES.match(name) or re.search(r'[<>:"/\\|?*\x00-\x1f]', name) or name[-1] in ". "
    )


@pytest.mark.parametrize("name", REFUSED)
def test_a_name_that_windows_refuses_is_escaped(name: str) -> None:
    for safe in ("", " ()+,=@[]{}"):
        assert accepted(file_name(name, safe=safe))
        assert name in {"", unquote(file_name(name, safe=safe))}


@given(st.text(st.characters(codec="utf-8")), st.sampled_from(["", " ()+,=@[]{}"]))
def test_every_name_becomes_a_file_name_from_which_it_can_be_read_back(name: str, safe: str) -> None:
    assert accepted(file_name(name, safe=safe))
    assert name == "" or unquote(file_name(name, safe=safe)) == name


def test_usual_names_stay_what_they_are() -> None:
    for name in ("fridges", "fridge-7_a.b~", "console", "com10", "auxiliary", "null"):
        assert file_name(name) == name


def test_a_file_that_is_open_elsewhere_is_replaced_once_it_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "draft").write_text("new")
    (tmp_path / "target").write_text("old")
    real, tries = Path.replace, []

    def refuse_twice(self: Path, target: Path) -> Path:
        tries.append(target)
        if len(tries) < 3:
            raise PermissionError(13, "The process cannot access the file")
        return real(self, target)

    monkeypatch.setattr(_files, "_WINDOWS", True)
    monkeypatch.setattr(Path, "replace", refuse_twice)
    replace_file(tmp_path / "draft", tmp_path / "target")
    assert (tmp_path / "target").read_text() == "new"
    assert len(tries) == 3


@pytest.mark.parametrize("windows", [True, False])
def test_a_file_that_stays_open_elsewhere_is_an_error(
    tmp_path: Path, windows: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, target: Path) -> Path:
        raise PermissionError(13, "The process cannot access the file")

    monkeypatch.setattr(_files, "_WINDOWS", windows)
    monkeypatch.setattr(_files, "_PATIENCE", 0.1)
    monkeypatch.setattr(Path, "replace", refuse)
    began = time.monotonic()
    with pytest.raises(PermissionError):
        replace_file(tmp_path / "draft", tmp_path / "target")
    assert (time.monotonic() - began >= 0.1) == windows


def test_where_folders_can_not_be_synced_they_are_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"x")
    sync_file(tmp_path / "file")
    sync_folder(tmp_path)
    monkeypatch.setattr(_files, "_WINDOWS", True)
    sync_folder(tmp_path / "missing")


def test_a_file_is_opened_without_translation_of_line_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(os, "O_BINARY", 0x8000, raising=False)
    monkeypatch.setattr(os, "open", lambda path, flags, mode: seen.append(flags))
    open_binary(tmp_path / "file", os.O_RDWR)
    assert seen == [os.O_RDWR | 0x8000]


def test_every_module_is_imported_without_what_only_posix_has() -> None:
    names = [
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.name != "__main__.py"
    ]
    # Other packages may use it and have a way round; what can't be imported at all is None in `sys.modules`.
    code = f"""
import sys, warnings
warnings.simplefilter("ignore")
for name in ("fcntl", "pwd", "grp", "termios", "resource"):
    sys.modules[name] = None
import importlib
for name in {names!r}:
    importlib.import_module(name)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def test_what_a_killed_process_leaves_of_a_definition_is_no_definition(tmp_path: Path) -> None:
    seen = []
    write_atomically(
        tmp_path / "log.yaml", lambda draft: (draft.write_text("a: 1"), seen.extend(tmp_path.glob("*.yaml")))
    )
    assert seen == []
    assert [one.name for one in tmp_path.iterdir()] == ["log.yaml"]
