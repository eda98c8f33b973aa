"""The twins below a folder."""

from pathlib import Path

from twinlab.jupyter.launcher.twin_folders import find_twins


def write(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "twin.yaml").write_text(text, encoding="utf-8")
    return folder


def test_twins_are_found_three_levels_below_and_none_inside_of_another(tmp_path: Path) -> None:
    write(tmp_path / "b", "twin: b\ntitle: Freezers")
    write(tmp_path / "b" / "inside", "twin: inside")
    write(tmp_path / "x" / "y" / "z", "twin: z")
    write(tmp_path / "x" / "y" / "w" / "deep", "twin: deep")
    write(tmp_path / ".hidden" / "a", "twin: a")
    write(tmp_path / "wrong", ": [")
    assert [(one.place, one.title) for one in find_twins(tmp_path)] == [
        ("b", "Freezers"), ("wrong", "wrong"), ("x/y/z", "z"),
    ]  # fmt: skip


def test_links_arent_followed(tmp_path: Path) -> None:
    write(tmp_path / "outside" / "twin", "twin: secret")
    root = tmp_path / "root"
    root.mkdir()
    (root / "link").symlink_to(tmp_path / "outside", target_is_directory=True)
    assert find_twins(root) == []


def test_the_folder_itself_may_be_a_twin_and_keys_differ_by_path(tmp_path: Path) -> None:
    write(tmp_path / "a" / "pilot", "twin: pilot")
    write(tmp_path / "b" / "pilot", "twin: pilot")
    [only] = find_twins(tmp_path / "a" / "pilot")
    assert (only.place, only.key.startswith("pilot-")) == (".", True)
    first, second = (one.key for one in find_twins(tmp_path))
    assert first != second
    assert first == only.key
