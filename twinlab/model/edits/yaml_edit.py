"""Change one value in a YAML text and nothing else: comments, order, quotes and line breaks stay as they are.

The comments of a drafted mapping give the evidence for it, so the form must not rewrite the whole file. The marks of the
value's node say which characters to replace. The result is parsed again; if its data aren't the wanted ones, the edit is
repeated with every alias replaced by its value, and at last (exotic styles) the whole document is written anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from copy import deepcopy
from functools import lru_cache
from typing import Any

import yaml

from twinlab.errors import SchemaError
from twinlab.model.yamltext import Document, read_yaml, write_line, write_yaml

__all__ = [
    "Path_",
    "change",
    "comment",
    "comments",
    "document",
    "drop",
    "put",
    "span",
    "uncomment",
    "value_of",
    "without_comments",
]

Path_ = tuple["str | int", ...]


@lru_cache(maxsize=8)
def document(text: str, *, name: str = "mapping") -> Document:
    """Parse a YAML text. The last results are cached, because one edit needs them several times: don't change them.

    Raises
    ------
    SchemaError
        If ``text`` isn't YAML.
    """
    return read_yaml(text, name=name)


def value_of(data: object, path: Path_) -> Any:  # noqa: ANN401  (as YAML has it)
    """Return the value at ``path`` of a document's data; None if there is none.

    >>> value_of({"a": [{"b": 1}]}, ("a", 0, "b"))
    1
    """
    return _at(data, path) if _has(data, path) else None


def put(text: str, path: Path_, value: object) -> str:
    """Return ``text`` with ``value`` at ``path``; mappings on the way that are missing are added.

    Raises
    ------
    SchemaError
        If ``text`` isn't YAML.

    >>> put("a: {b: 1}  # why", ("a", "c"), "x")
    'a: {b: 1, c: x}  # why'
    """
    data = document(text).data
    wanted = _with(deepcopy(data) if isinstance(data, dict | list) else {}, path, value)
    if wanted == data:
        return text
    return _first_right((_put(one, path, value) for one in _candidates(text)), wanted)


def drop(text: str, path: Path_) -> str:
    """Return ``text`` without the value at ``path``; unchanged if there is none.

    Raises
    ------
    SchemaError
        If ``text`` isn't YAML.

    >>> drop("a: {b: 1, c: x}", ("a", "b"))
    'a: {c: x}'
    """
    data = document(text).data
    if not _has(data, path):
        return text
    wanted = deepcopy(data)
    del _at(wanted, path[:-1])[path[-1]]
    return _first_right((_drop(one, path) for one in _candidates(text)), wanted)


def change(text: str, path: Path_, value: object) -> str:
    r"""Return ``text`` with ``value`` at ``path``; within a dictionary or list only what differs is written.

    So comments beside the entries that stay are kept, which `put` would replace together with the whole value.

    Raises
    ------
    SchemaError
        If ``text`` isn't YAML.

    >>> change("a:\n  b: 1  # why\n  c: 2\n", ("a",), {"b": 1, "c": 3})
    'a:\n  b: 1  # why\n  c: 3\n'
    """
    before = value_of(document(text).data, path)
    if isinstance(before, dict) and isinstance(value, dict) and before and value:
        for key in [key for key in before if key not in value]:
            text = drop(text, (*path, key))
        for key, inner in value.items():
            text = change(text, (*path, key), inner)
        return text
    if isinstance(before, list) and isinstance(value, list) and before and value:
        for place in reversed([place for place, one in enumerate(before) if one not in value]):
            text = drop(text, (*path, place))
        left = [one for one in before if one in value]
        if left and value[: len(left)] == left:
            for place, one in enumerate(value[len(left) :], len(left)):
                text = put(text, (*path, place), one)
            return text
    return put(text, path, value)


def span(text: str, path: Path_) -> tuple[int, int] | None:
    """Return where in ``text`` the value at ``path`` begins and ends; None if there is none."""
    node = _find(_compose(text), path)
    return None if node is None else (node.start_mark.index, _end(node))


def comment(text: str, path: Path_) -> str:
    """Return the comment on the line where the value at ``path`` ends; "" if there is none.

    >>> comment("zone: UTC  # not stated", ("zone",))
    'not stated'
    """
    span = _comment_span(text, path)
    return text[span[0] : span[1]].lstrip(" \t#").strip() if span else ""


def comments(text: str, path: Path_) -> list[str]:
    """Return the comments within the value at ``path``: beside its lines, and on deeper lines of their own behind it.

    >>> comments("a: {b: 1}  # one", ("a",))
    ['one']
    """
    return [text[begin:end].lstrip(" \t#").strip() for begin, end in _inner(text, path)]


def without_comments(text: str, path: Path_, matching: re.Pattern[str]) -> str:
    """Return ``text`` without those of `comments` in which the pattern is found; a line with nothing else on it goes too."""
    for begin, end in reversed(_inner(text, path)):
        if not matching.search(text[begin:end]):
            continue
        line = text.rfind("\n", 0, begin) + 1
        alone = not text[line:begin].strip()
        text = text[: line if alone else begin] + text[end + 1 if alone else end :]
    return text


def _inner(text: str, path: Path_) -> list[tuple[int, int]]:
    node = _find(_compose(text), path)
    if node is None:
        return []
    begin = text.rfind("\n", 0, node.start_mark.index) + 1
    if isinstance(node, yaml.CollectionNode) and not node.flow_style:
        begin = text.rfind("\n", 0, max(0, begin - 1)) + 1
    column = len(text[begin:]) - len(text[begin:].lstrip(" "))
    stop, spans, at = _end(node), [], begin
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        line = text[at:end]
        bare = line.lstrip(" ")
        if at > stop and (not bare.startswith("#") or len(line) - len(bare) <= column):
            break
        match = re.search(r"(?:^|[ \t]+)#.*$", line)
        # A number sign within the value begins no comment.
        if match and (at + match.start() >= stop or bare.startswith("#") or end < stop):
            spans.append((at + match.start(), end))
        at = end + 1
    return spans


def uncomment(text: str, path: Path_) -> str:
    """Return ``text`` without the comment that `comment` finds."""
    span = _comment_span(text, path)
    return text[: span[0]] + text[span[1] :] if span else text


def _comment_span(text: str, path: Path_) -> tuple[int, int] | None:
    found = _find(_compose(text), path)
    if found is None:
        return None
    begin = _end(found)
    match = re.compile(r"[ \t\]},]*?([ \t]+#[^\n]*)").match(text, begin)
    return (match.start(1), match.end(1)) if match else None


@lru_cache(maxsize=4)
def _compose(text: str) -> yaml.Node | None:
    try:
        node: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return None
    return node


def _first_right(edited: Iterable[str | None], wanted: object) -> str:
    """Return the first text whose data are the wanted ones, else the wanted data as a new document."""
    for text in edited:
        try:
            found = None if text is None else document(text)
        except SchemaError:
            continue
        if text is not None and found is not None and found.data == wanted and not found.problems:
            return text
    return write_yaml(wanted)


def _candidates(text: str) -> Iterator[str]:
    """Yield the text as it is, then with each alias replaced by the value it repeats, which can then be changed alone."""
    yield text
    aliases = [
        (event.start_mark.index, event.end_mark.index)
        for event in yaml.parse(text, Loader=yaml.SafeLoader)
        if isinstance(event, yaml.AliasEvent) and event.start_mark and event.end_mark
    ]
    values = _repeated(_compose(text), document(text).data)
    if not aliases or len(aliases) != len(values):
        return
    for (begin, end), value in zip(reversed(aliases), reversed(values), strict=True):
        text = text[:begin] + write_line(value) + text[end:]
    yield text


def _repeated(root: yaml.Node | None, data: object) -> list[object]:
    """Return the value of each alias, in the order of the text: an alias is a node that is met again."""
    first: dict[int, Path_] = {}
    values: list[object] = []

    def visit(node: yaml.Node, path: Path_) -> None:
        if id(node) in first:
            where = first[id(node)]
            if _has(data, where):
                values.append(_at(data, where))
            return
        first[id(node)] = path
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                visit(value, (*path, key.value))
        elif isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                visit(item, (*path, index))

    if root is not None:
        visit(root, ())
    return values


def _put(text: str, path: Path_, value: object) -> str | None:
    root = _compose(text)
    depth = len(path)
    while depth and _find(root, path[:depth]) is None:
        depth -= 1
    node = _find(root, path[:depth])
    if node is None:
        return None
    if depth == len(path):
        return _spliced(text, node.start_mark.index, _end(node), write_line(value))
    inner = _nested(path[depth + 1 :], value)
    key = path[depth]
    if isinstance(node, yaml.MappingNode):
        return _insert(text, node, f"{write_line(key)}: {write_line(inner)}")
    if isinstance(node, yaml.SequenceNode):
        return _insert(text, node, write_line(inner) if node.flow_style else f"- {write_line(inner)}")
    whole = [inner] if isinstance(key, int) else {key: inner}
    return _spliced(text, node.start_mark.index, _end(node), write_line(whole))


def _spliced(text: str, begin: int, end: int, new: str) -> str:
    space = " " if begin and text[begin - 1] == ":" else ""
    return text[:begin] + space + new + text[end:]


def _insert(text: str, node: yaml.MappingNode | yaml.SequenceNode, entry: str) -> str:
    """Insert an entry after the last one of a collection."""
    if node.flow_style or not node.value:
        close = _end(node) - 1
        before = text[:close].rstrip()
        return f"{before}{', ' if node.value else ''}{entry}{text[close:]}"
    first = node.value[0][0] if isinstance(node, yaml.MappingNode) else node.value[0]
    column = first.start_mark.column if isinstance(node, yaml.MappingNode) else _dash(text, first)
    end = text.find("\n", _end(node))
    end = len(text) if end < 0 else end
    if text[end - 1 : end] == "\r":
        return f"{text[:end]}\n{' ' * column}{entry}\r{text[end:]}"
    return f"{text[:end]}\n{' ' * column}{entry}{text[end:]}"


def _dash(text: str, item: yaml.Node) -> int:
    line = text.rfind("\n", 0, item.start_mark.index) + 1
    return text.index("-", line) - line


def _drop(text: str, path: Path_) -> str | None:
    root = _compose(text)
    parent = _find(root, path[:-1])
    if not isinstance(parent, (yaml.MappingNode, yaml.SequenceNode)):
        return None
    spans = _spans(parent)
    place = _place(parent, path[-1])
    if place is None:
        return None
    begin, end = spans[place]
    if len(spans) == 1:
        return _spliced(
            text, parent.start_mark.index, _end(parent), "{}" if isinstance(parent, yaml.MappingNode) else "[]"
        )
    if parent.flow_style:
        if place + 1 < len(spans):
            return text[:begin] + text[spans[place + 1][0] :]
        return text[: spans[place - 1][1]] + text[end:]
    stop = text.find("\n", end)
    stop = len(text) if stop < 0 else stop + 1
    if place == 0:
        # The first entry may share its line with the dash of the list around it.
        return text[:begin] + text[spans[1][0] :]
    return text[: text.rfind("\n", 0, begin) + 1] + text[stop:]


def _spans(node: yaml.MappingNode | yaml.SequenceNode) -> list[tuple[int, int]]:
    if isinstance(node, yaml.MappingNode):
        return [(key.start_mark.index, max(_end(value), key.end_mark.index)) for key, value in node.value]
    return [(item.start_mark.index, _end(item)) for item in node.value]


def _place(node: yaml.MappingNode | yaml.SequenceNode, key: str | int) -> int | None:
    if isinstance(node, yaml.SequenceNode):
        return key if isinstance(key, int) and key < len(node.value) else None
    return next((place for place, (name, _) in enumerate(node.value) if name.value == str(key)), None)


def _find(node: yaml.Node | None, path: Path_) -> yaml.Node | None:
    for key in path:
        if not isinstance(node, (yaml.MappingNode, yaml.SequenceNode)):
            return None
        place = _place(node, key)
        if place is None:
            return None
        node = node.value[place][1] if isinstance(node, yaml.MappingNode) else node.value[place]
    return node


def _end(node: yaml.Node) -> int:
    """Return the position after a node's last character; a block's end mark comes after the comments that follow it."""
    if isinstance(node, (yaml.MappingNode, yaml.SequenceNode)) and not node.flow_style and node.value:
        last = node.value[-1]
        if isinstance(last, tuple):
            return max(_end(last[1]), int(last[0].end_mark.index))
        return _end(last)
    return int(node.end_mark.index)


def _nested(path: Path_, value: object) -> object:
    for key in reversed(path):
        value = [value] if isinstance(key, int) else {key: value}
    return value


def _has(data: object, path: Path_) -> bool:
    try:
        _at(data, path)
    except (KeyError, IndexError, TypeError):
        return False
    return True


def _at(data: Any, path: Path_) -> Any:  # noqa: ANN401
    for key in path:
        data = data[key]
    return data


def _with(data: Any, path: Path_, value: object) -> Any:  # noqa: ANN401
    if not path:
        return value
    key, rest = path[0], path[1:]
    if isinstance(key, int) and not isinstance(data, dict):
        data = data if isinstance(data, list) else []
        old = data[key] if key < len(data) else None
        return [*data[:key], _with(old, rest, value), *data[key + 1 :]]
    data = data if isinstance(data, dict) else {}
    return {**data, key: _with(data.get(key), rest, value)}
