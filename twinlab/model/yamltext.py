"""Read and write YAML: YAML 1.2's meaning of plain values, the line of each key, and strict checks.

PyYAML follows YAML 1.1, in which ``no`` is false, ``12:30`` is 750, ``010`` is 8 and ``1e5`` is text. Here plain words are
text and numbers are those of YAML 1.2's core schema, without leading zeros, octal and hexadecimal ones, so that codes such
as ``08`` stay text. Duplicate keys, several documents, object tags and documents that become too large when aliases are
followed are refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from twinlab.errors import SchemaError

__all__ = ["Document", "path_text", "read_text", "read_yaml", "write_line", "write_yaml"]

Path_ = tuple["str | int", ...]

_PREFIX = "tag:yaml.org,2002:"
_RULES: tuple[tuple[str, str, str], ...] = (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789"),
    (
        "float",
        (
            r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)\.[0-9]*|(?:0|[1-9][0-9]*)(?=[eE]))(?:[eE][-+]?[0-9]+)?"
            r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
        ),
        "-+0123456789.",
    ),
    ("null", r"~|null|Null|NULL|", "~nN\0"),
    ("merge", r"<<", "<"),
)
_HINTS = {
    "'\\t'": "; indent with spaces",
    "mapping values": "; put a value that contains ': ' in quotes",
    "cannot start any token": "; put a value that begins with a sign in quotes, such as '%'",
}
_LARGEST = 4 * 2**20
_MOST_NODES = 200_000


class _Loader(yaml.SafeLoader):
    """Loader that reads plain words as text."""


class _FastLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """The same in C: ten times faster, with other messages."""


#: Ends of a line in YAML 1.1 that PyYAML doesn't read back as it writes them, except in double quotes.
_RARE_BREAK = re.compile("[\x85\u2028\u2029]")


class _Dumper(yaml.SafeDumper):
    """Dumper that quotes a text which YAML 1.1 or our loader would read as another type."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002  (repeat values instead of writing &id001)
        return True

    def represent_text(self, text: str) -> yaml.Node:
        return self.represent_scalar(_PREFIX + "str", text, style='"' if _RARE_BREAK.search(text) else None)


class _LineDumper(_Dumper):
    """Dumper that writes a text with line breaks on one line, in double quotes."""

    def represent_text(self, text: str) -> yaml.Node:
        if "\n" in text:
            return self.represent_scalar(_PREFIX + "str", text, style='"')
        return super().represent_text(text)


_Dumper.add_representer(str, _Dumper.represent_text)
_LineDumper.add_representer(str, _LineDumper.represent_text)

# By setattr: the type stubs declare the resolvers as an attribute of instances.
_inherited = yaml.SafeDumper.yaml_implicit_resolvers
setattr(_Loader, "yaml_implicit_resolvers", {})  # noqa: B010
setattr(_FastLoader, "yaml_implicit_resolvers", {})  # noqa: B010
setattr(_Dumper, "yaml_implicit_resolvers", {first: list(rules) for first, rules in _inherited.items()})  # noqa: B010
for _name, _pattern, _first in _RULES:
    for _class in (_Loader, _FastLoader, _Dumper):
        _class.add_implicit_resolver(
            _PREFIX + _name, re.compile(rf"^(?:{_pattern})$"), ["" if c == "\0" else c for c in _first]
        )


@dataclass
class Document:
    """A YAML file's data, the line of each key and item, and its problems."""

    data: object = None
    lines: dict[Path_, int] = field(default_factory=dict)
    problems: list[tuple[Path_, int, str]] = field(default_factory=list)

    def line(self, path: Path_) -> int | None:
        """Return the line of ``path``, or of the nearest part above it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)


def path_text(path: Path_) -> str:
    r"""Return a path as text of one line; a key with line ends or control characters is quoted.

    >>> path_text(("tables", 0, "columns", "temp", "unit"))
    'tables[0].columns.temp.unit'
    >>> print(path_text(("columns", "a\nb")))
    columns.'a\nb'
    """
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part if part.isprintable() else repr(part)}"
    return text.removeprefix(".")


def read_text(path: Path) -> str:
    """Return a file's text, which must be UTF-8, with or without a byte-order mark."""
    try:
        if path.stat().st_size > _LARGEST:
            msg = f"{path}: expected a model or mapping of at most {_LARGEST // 2**20} MiB; is this a data file?"
            raise SchemaError(msg)
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        msg = f"{path}: expected UTF-8 text, got other bytes at position {error.start}; save the file as UTF-8"
        raise SchemaError(msg) from error
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        msg = f"{path}: expected a YAML file, got: {error.strerror}"
        raise SchemaError(msg) from error


def read_yaml(text: str, *, name: str) -> Document:
    """Parse one YAML document.

    Raises
    ------
    SchemaError
        If ``text`` isn't YAML at all; problems of single values are in ``problems``.
    """
    try:
        node = _composed(text.removeprefix("\ufeff"))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        what = " ".join(str(part) for part in (error.context, error.problem) if part)
        hint = next((hint for sign, hint in _HINTS.items() if sign in what), "")
        msg = f"{name}:{line}: expected YAML, got something else: {what}{hint}"
        raise SchemaError(msg) from error
    except yaml.YAMLError as error:
        msg = f"{name}: expected YAML, got something else: {str(error).splitlines()[0]}"
        raise SchemaError(msg) from error
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, text.index(error.object[error.start])) + 1
        msg = f"{name}:{line}: expected Unicode text, got the lone surrogate {error.object[error.start]!r}"
        raise SchemaError(msg) from error
    except RecursionError as error:
        msg = f"{name}: expected YAML of reasonable depth, got brackets nested too deeply"
        raise SchemaError(msg) from error
    document = Document()
    if node is not None:
        try:
            document.data = _Builder(document).build(node, ())
        except RecursionError as error:
            msg = f"{name}: expected YAML of reasonable depth, got nesting without end"
            raise SchemaError(msg) from error
    return document


#: Where both loaders differ: tabs, other line ends, a mark among the text, keys after "? ", the start of a document.
_DIFFERS = re.compile(r"[\t\x85\u2028\u2029\ufeff]|(?<![^\s{\[,:-])\?(?:\s|$)|^---", re.MULTILINE)


def _composed(text: str) -> yaml.Node | None:
    """Return the document's nodes, as the loader in Python reads them; its errors have the better messages."""
    if not _DIFFERS.search(text):
        try:
            return yaml.compose(text, Loader=_FastLoader)
        except yaml.YAMLError:
            pass
    return yaml.compose(text, Loader=_Loader)


class _Builder:
    def __init__(self, document: Document) -> None:
        self._document = document
        self._open: set[int] = set()
        self._count = 0

    def build(self, node: yaml.Node, path: Path_) -> object:
        self._count += 1
        line = node.start_mark.line + 1
        self._document.lines.setdefault(path, line)
        if self._count > _MOST_NODES:
            if self._count == _MOST_NODES + 1:
                self._complain(path, line, f"expected at most {_MOST_NODES:,} values once aliases are followed")
            return None
        if id(node) in self._open:
            self._complain(path, line, "expected a tree, got an alias to a part that contains itself")
            return None
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode) and node.tag == _PREFIX + "map":
                return self._mapping(node, path)
            if isinstance(node, yaml.SequenceNode) and node.tag == _PREFIX + "seq":
                return [self.build(item, (*path, index)) for index, item in enumerate(node.value)]
        finally:
            self._open.discard(id(node))
        self._complain(path, line, f"the tag {node.tag!r} isn't allowed; write plain values")
        return None

    def _complain(self, path: Path_, line: int, text: str) -> None:
        self._document.problems.append((path, line, text))

    def _scalar(self, node: yaml.ScalarNode, path: Path_) -> object:
        text, kind = str(node.value), node.tag.removeprefix(_PREFIX)
        try:
            if kind in ("str", "merge"):
                return text
            if kind == "null":
                return None
            if kind == "bool":
                return text.casefold() == "true"
            if kind == "int":
                return int(text)
            if kind == "float":
                return float(text.casefold().replace(".inf", "inf").replace(".nan", "nan"))
        except ValueError:
            self._complain(path, node.start_mark.line + 1, f"expected {kind}, got {text[:40]!r}")
            return None
        self._complain(path, node.start_mark.line + 1, f"the tag {node.tag!r} isn't allowed; write plain values")
        return None

    def _mapping(self, node: yaml.MappingNode, path: Path_) -> dict[object, object]:
        made: dict[object, object] = {}
        merged: dict[object, object] = {}
        first: dict[object, int] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self._complain(path, line, "expected a plain key, got a list or a mapping as key")
                continue
            if key_node.tag == _PREFIX + "merge":
                merged |= self._merge(value_node, path)
                continue
            key = self._scalar(key_node, path)
            if key is None:
                self._complain(path, line, "expected a key before the colon, got nothing")
                continue
            here = (*path, key if isinstance(key, str) else str(key))
            if here in first:
                self._complain(here, line, f"the key {key!r} is there twice, first on line {first[here]}; remove one")
                continue
            first[here] = self._document.lines[here] = line
            made[key] = self.build(value_node, here)
        return {**merged, **made}

    def _merge(self, node: yaml.Node, path: Path_) -> dict[object, object]:
        parts = node.value if isinstance(node, yaml.SequenceNode) else [node]
        made: dict[object, object] = {}
        for part in reversed(parts):
            value = self.build(part, path)
            if not isinstance(value, dict):
                self._complain(path, part.start_mark.line + 1, "expected a mapping after <<")
                continue
            made |= value
        return made


def write_yaml(data: object) -> str:
    """Return ``data`` (mappings, lists, plain values) as YAML that every YAML reader reads the same way.

    >>> print(write_yaml({"states": {"no": "closed"}, "span": [0, 1.5]}), end="")
    states: {'no': closed}
    span: [0, 1.5]
    """
    return _block(data, 0)


def write_line(value: object) -> str:
    """Return a value as YAML on one line.

    >>> write_line({"zone": "UTC", "span": [0, 1.5]})
    '{zone: UTC, span: [0, 1.5]}'
    """
    return _flow(value, dumper=_LineDumper)


def _flow(value: object, *, dumper: type[_Dumper] = _Dumper) -> str:
    text = yaml.dump(value, Dumper=dumper, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10**6)
    return text.removesuffix("...\n").strip(" \n")


def _is_leaf(value: object, room: int) -> bool:
    if not isinstance(value, (dict, list)) or not value:
        return True
    inner = value.values() if isinstance(value, dict) else value
    deep = any(isinstance(item, dict) and any(isinstance(x, dict) for x in item.values()) for item in inner)
    return not deep and len(_flow(value)) <= room and "\n" not in _flow(value)


def _block(value: object, depth: int) -> str:
    pad, room = "  " * depth, 100 - 2 * depth
    lines: list[str] = []
    if isinstance(value, dict):
        for key, item in value.items():
            head = f"{pad}{write_line(key)}:"
            lines.append(
                f"{head} {_flow(item)}\n"
                if _is_leaf(item, room - len(str(key)))
                else f"{head}\n{_block(item, depth + 1)}"
            )
    elif isinstance(value, list):
        for item in value:
            body = _flow(item) + "\n" if _is_leaf(item, room) else _block(item, depth + 1).lstrip(" ")
            lines.append(f"{pad}- {body}")
    else:
        lines.append(pad + _flow(value) + "\n")
    return "".join(lines)
