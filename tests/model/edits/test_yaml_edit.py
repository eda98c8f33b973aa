"""An edit changes one value of a YAML text and no other byte.

The hostile texts are those on which ruamel.yaml was compared (decision note on own code and libraries).
"""

from pathlib import Path

import pytest

from twinlab.model.edits.yaml_edit import drop, put
from twinlab.model.yamltext import read_yaml

ROOT = Path(__file__).parents[3]
FILES = sorted([ROOT / "environment.yml", *ROOT.glob("twinlab/**/*.yaml"), *ROOT.glob("notebooks/*.y*ml")])

#: Texts whose value of ``b`` is 2, on a line of its own.
HOSTILE = {
    "Windows line ends": "a: 1\r\nb: 2\r\nc: x # why\r\n",
    "no final newline": "a: 1\nb: 2",
    "byte order mark": "\ufeffa: 1\nb: 2\n",
    "trailing blanks": "a: 1   \nb: 2  \n",
    "comments in columns": "a: 1     # one\nlonger: 2   # two\nb: 2 # three\n",
    "comments of their own": "# head\n\na: 1 # x\n# between\nb: 2\n# tail\n",
    "a comment indented oddly": "a:\n  # why\n  c: 1\n    # odd\nb: 2\n",
    "blank lines": "a: 1\n\n\n# section\n\nc: 2\n\nb: 2\n\n\n",
    "a flow mapping": "a: {x: 1,y: 2}  # c\nb: 2\n",
    "a flow mapping with spaces": "a: { x: 1, y: [ 1,2 ] }\nb: 2\n",
    "a flow mapping over lines": "a: {x: 1,   # one\n    y: 2}   # two\nb: 2\n",
    "a flow list over lines": "a: [\n  1,\n  2,  # two\n]\nb: 2\n",
    "an indented list": "a:\n    - x: 1\n      y: 2\n    - x: 3\nb: 2\n",
    "a list without indent": "a:\n- x: 1\n- x: 3\nb: 2\n",
    "several indents": "a:\n   - 1\nc:\n- 1\nd:\n    e: 1\nb: 2\n",
    "quotes": "a: 'x'\nc: \"y\\u00b0\"\n'd': 'it''s'\nb: 2\n",
    "a folded plain text": "a: one\n  two\nb: 2\n",
    "block texts": "a: |\n  one\n  two\nc: >-\n  one\n  two\n\nb: 2\n",
    "anchors and merges": "a: &x {k: 1}\nc:\n  <<: *x\n  l: 2\nb: 2\n",
    "document marks": "---\na: 1\nb: 2\n...\n",
    "forms of null": "a:\nc: ~\nd: null\nb: 2\n",
    "dates and clock times": "a: 2026-03-01\nc: 2026-03-01T12:00:00Z\nd: 2026-03-01 12:00:00\ne: 12:30\nb: 2\n",
    "words of YAML 1.1": "a: yes\nc: no\nd: on\ne: off\nf: NO\ng: y\nb: 2\n",
    "numbers": "a: 08\nc: 010\nd: 1e3\ne: 1.50\nf: +3\ng: 0x1F\nh: 1_000\ni: .5\nj: 1.\nk: 0o17\nl: 1E+03\nb: 2\n",
    "a long line": "a: " + "word " * 60 + "\nb: 2\n",
    "an explicit key": "? a\n: 1\nb: 2\n",
    "spaces round the colon": "a : 1\nb:   2\n",
    "signs beyond ASCII": 'a: °C\nc: "\\xB0"\nd: 🚚\nb: 2\n',
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_an_edit_changes_no_other_byte(text: str) -> None:
    begin = text.index("b:")
    at = text.index("2", begin)
    assert put(text, ("b",), 3) == f"{text[:at]}3{text[at + 1 :]}"


@pytest.mark.parametrize("name", [name for name in HOSTILE if name != "an explicit key"])
def test_a_new_key_leaves_every_line_as_it_was(name: str) -> None:
    text = HOSTILE[name]
    end = "\r\n" if "\r\n" in text else "\n"
    made = put(text, ("new",), "x")
    assert made.count(f"new: x{end}" if text.endswith(end) else f"{end}new: x") == 1
    assert made.replace(f"new: x{end}" if text.endswith(end) else f"{end}new: x", "") == text
    before, after = read_yaml(text, name="x").data, read_yaml(made, name="x").data
    assert isinstance(before, dict)
    assert after == {**before, "new": "x"}


def test_where_a_style_is_too_unusual_the_document_is_written_anew() -> None:
    assert put(HOSTILE["an explicit key"], ("new",), "x") == "a: 1\nb: 2\nnew: x\n"


@pytest.mark.parametrize(
    ("text", "path", "made"),
    [
        ("a: &x {k: 1}  # one\nb: *x  # two\n", ("a", "k"), "a: &x {k: 3}  # one\nb: {k: 1}  # two\n"),
        ("a: &x {k: 1}  # one\nb: *x  # two\n", ("b", "k"), "a: &x {k: 1}  # one\nb: {k: 3}  # two\n"),
        ("a: &x\n  k: 1  # one\nb:\n  <<: *x\n  l: 2\n", ("a", "k"), "a: &x\n  k: 3  # one\nb:\n  <<: {k: 1}\n  l: 2\n"),
        ("a: &x [1, 2]\nb: &y {k: *x}\nc: [*y, *x]\n", ("a", 0), "a: &x [3, 2]\nb: &y {k: [1, 2]}\nc: [{k: [1, 2]}, [1, 2]]\n"),
        ("states: {0: open, 1: closed}  # as sent\n", ("states", 0), "states: {0: 3, 1: closed}  # as sent\n"),
    ],
)  # fmt: skip
def test_of_a_value_that_aliases_repeat_only_the_one_asked_for_changes(text: str, path: tuple, made: str) -> None:
    assert put(text, path, 3) == made


def test_a_long_value_and_a_text_of_several_lines_leave_the_comments_where_they_are() -> None:
    towns = {f"town {number}": f"T{number:03d}" for number in range(60)}
    made = put("# head\na: 1  # one\nb: 2\n", ("a",), {"towns": towns, "note": "one\n\ntwo\n"})
    assert made.startswith("# head\na: {towns: {town 0: T000, ")
    assert made.endswith('note: "one\\n\\ntwo\\n"}  # one\nb: 2\n')


def leaves(data: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    if isinstance(data, dict):
        return [leaf for key, item in data.items() for leaf in leaves(item, (*path, key))]
    if isinstance(data, list):
        return [leaf for index, item in enumerate(data) for leaf in leaves(item, (*path, index))]
    return [path]


@pytest.mark.parametrize("file", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_value_of_each_yaml_file_here_can_be_changed_alone(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    before = text.splitlines()
    found = leaves(read_yaml(text, name=file.name).data)
    assert found
    # Some 40 values of a long file: enough of each kind, and quick.
    for path in found[:: 1 + len(found) // 40]:
        after = put(text, path, "another").splitlines()
        changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
        # Where the value has an anchor, its aliases are written out.
        ((old, new), *aliases) = sorted(changed, key=lambda pair: ": *" in pair[0])
        assert all(": *" in line for line, _ in aliases), path
        assert old.partition("#")[2] == new.partition("#")[2]
        assert old.partition(":")[0].strip() in new or isinstance(path[-1], int)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_dropped_value_takes_its_line_alone(text: str) -> None:
    lines = text.splitlines(keepends=True)
    assert drop(text, ("b",)) == "".join(line for line in lines if not line.startswith("b:"))
