"""Every key of the mapping language and of the model, taken from their schemas, and the parts of a text that have them.

The form's own fields are for the keys that are edited most. All others are reached through this list, so that a key that is
added to the schema has a place in the form without further code. No widgets.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
import typing
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from functools import cache
from itertools import pairwise
from types import NoneType, UnionType
from typing import Any, Literal

from pydantic import BaseModel

from twinlab.errors import SchemaError
from twinlab.languages import tr
from twinlab.model.basics import field_texts
from twinlab.model.edits.yaml_edit import Path_, change, document, drop, put, span, value_of
from twinlab.model.mapping import Mapping as SourceMapping
from twinlab.model.mapping import TableRule
from twinlab.model.registry import registry_of
from twinlab.model.yamltext import path_text, write_line
from twinlab.sources import Reading
from twinlab.sources.reading import FORMATS

__all__ = [
    "Key",
    "Part",
    "errors_at",
    "flat_keys",
    "keys_of",
    "parse_value",
    "parts",
    "shown_value",
    "value_at",
    "with_another",
    "with_key",
]

#: Parts with at most so many keys are shown together with the keys of the part around them.
_SMALL = 6
Shape = Literal["one", "list", "dict"]
Holder = Any


@dataclass(frozen=True)
class Key:
    """A key that a part of a mapping or model may have.

    Attributes
    ----------
    name : str
        The key as it is written.
    help : str
        What it means, from the docstring in the schema.
    kind : str
        "text", "number", "list", "dict" or "part" (a part with keys of its own): how a typed value is read.
    choices : tuple of str
        All values that it may have; empty if there is no such list.
    inner : type or None
        Schema of the parts below it, which have keys of their own.
    shape : str
        Whether there is one such part, a list of them or a dictionary.
    default : str
        The value that applies where the key isn't written; "" if there is none.
    plain : bool
        Whether a list may be in the place of the part below it: one span, or one that depends on the asset.
    """

    name: str
    help: str = ""
    kind: str = "text"
    choices: tuple[str, ...] = ()
    inner: Holder | None = None
    shape: Shape = "one"
    default: str = ""
    plain: bool = False


@dataclass(frozen=True)
class Part:
    """A part of a text that has keys: a table's time, a column's rule, a signal.

    Attributes
    ----------
    path : tuple of str and int
        Its path in the document.
    holder : type
        Its schema.
    label : str
        Its name in a list of parts.
    """

    path: Path_
    holder: Holder
    label: str


@cache
def keys_of(holder: Holder) -> tuple[Key, ...]:
    """Return the keys that a schema knows, in its order.

    >>> from twinlab.model.signal import Signal
    >>> next(key.choices for key in keys_of(Signal) if key.name == "storage")
    ('int32', 'int64')
    """
    if holder is Reading:
        said, hints = _docstrings(Reading), typing.get_type_hints(Reading)
        formats = tuple(dict.fromkeys((*FORMATS, *registry_of("twinlab.sources").names())))
        chosen = {"format": formats, "decimal": (".", ",")}
        return tuple(
            _key(one.name, hints[one.name], said.get(one.name, ""), choices=chosen.get(one.name, ()))
            for one in fields(Reading)
        )
    made, texts = [], field_texts(holder)
    for name, info in holder.model_fields.items():
        default = "" if info.is_required() else _default(info.get_default(call_default_factory=True))
        made.append(_key(info.alias or name, info.annotation, texts.get(name, ""), default=default))
    return tuple(made)


@cache
def flat_keys(holder: Holder) -> dict[tuple[str, ...], Key]:
    """Return the keys of a schema by their path, with those of small parts: ``("status", "codes")``.

    >>> from twinlab.model.asset_types import AssetType
    >>> [path for path in flat_keys(AssetType) if path[0] == "lifetime"]
    [('lifetime', 'from'), ('lifetime', 'until')]
    """
    found: dict[tuple[str, ...], Key] = {}
    for key in keys_of(holder):
        if _is_small(key):
            found |= {(key.name, inner.name): inner for inner in keys_of(key.inner)}
        else:
            found[key.name,] = key
    return found


def parts(data: object, holder: Holder, *, table: int | None = None) -> list[Part]:
    """Return all parts of a document that have keys, from the outermost on.

    Parameters
    ----------
    data : object
        The document as plain values.
    holder : type
        Its schema: of a mapping or of a model.
    table : int, optional
        Only the parts of this table, and those outside of tables.
    """
    return list(_parts(data, holder, (), "", table))


def shown_value(value: object) -> str:
    """Return a value as the form shows it: a text as it is, anything else as YAML on one line.

    >>> shown_value("%d.%m.%Y"), shown_value([0, 8]), shown_value(True)
    ('%d.%m.%Y', '[0, 8]', 'true')
    """
    return "" if value is None else value if isinstance(value, str) else write_line(value)


def parse_value(key: Key, text: str) -> object:
    """Return the value that a person typed for a key; None if nothing.

    Brackets around a list or dictionary may be left out, and a text needs no quotes.

    Raises
    ------
    SchemaError
        If it is no such value.

    >>> parse_value(Key("expected_span", kind="list"), "0, 8"), parse_value(Key("codes", kind="dict"), "P: pass")
    ([0, 8], {'P': 'pass'})
    """
    text = text.strip()
    if not text:
        return None
    opened = text[0] in "[{"
    bare = key.kind == "text" or (key.kind == "part" and ": " not in text)
    if bare and not opened:
        return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text
    pair = {"list": "[]", "dict": "{}", "part": "{}"}.get(key.kind, "")
    whole = f"{pair[0]}{text}{pair[1]}" if pair and not opened else text
    try:
        read = document(tr("value: {whole}", whole=whole), name=key.name)
    except SchemaError as error:
        pairs = tr("pairs such as a: b, c: d")
        expected = {"list": tr("a list such as a, b"), "dict": pairs, "part": pairs}.get(key.kind, tr("a value"))
        msg = tr(
            "{name}: expected {expected}, got {text!r}; put a text with a comma, colon or bracket in quotes",
            name=key.name,
            expected=expected,
            text=text,
        )
        raise SchemaError(msg) from error
    return read.data["value"] if isinstance(read.data, dict) else None


def with_key(text: str, part: Part, path: tuple[str, ...], value: object) -> str:
    """Return a text with a key of a part set, or removed where the value is None; comments and order stay.

    A part that is written as the bare name of a column gets keys: ``weight: kg`` becomes ``weight: {column: kg, …}``.

    Raises
    ------
    SchemaError
        If ``text`` isn't YAML.

    >>> from twinlab.model.twinmodel import TwinModel
    >>> with_key("signals: {t: {unit: degC}}  # why", Part(("signals", "t"), TwinModel, ""), ("gap",), "1h")
    'signals: {t: {unit: degC, gap: 1h}}  # why'
    """
    if value is None:
        text, around = drop(text, (*part.path, *path)), (*part.path, *path[:-1])
        # A small part without keys left goes too.
        return drop(text, around) if value_of(document(text).data, around) == {} else text
    there = value_of(document(text).data, part.path)
    if isinstance(there, str) and path != ("column",):
        text = put(text, part.path, {"column": there})
    return change(text, (*part.path, *path), value)


def with_another(text: str, path: Path_, value: object) -> str:
    r"""Return a text with another value beside the one at ``path``, in a list of both; comments and order stay.

    Raises
    ------
    SchemaError
        If ``text`` isn't YAML.

    >>> print(with_another("t:\n  signal: a  # raw\n  unit: K\n", ("t",), {"signal": "b"}), end="")
    t:
      - signal: a  # raw
        unit: K
      - {signal: b}
    """
    before, place = value_of(document(text).data, path), span(text, path)
    if before is None or place is None:
        return put(text, path, value)
    if isinstance(before, list):
        return put(text, (*path, len(before)), value)
    simple, begin = put(text, path, [before, value]), place[0]
    # A text of several lines ends after its last line.
    end = begin + len(text[begin : place[1]].rstrip("\r\n"))
    column = begin - text.rfind("\n", 0, begin) - 1
    if text[begin - column : begin].strip() or text[begin] == "{":
        made = f"{text[:begin]}[{text[begin:end]}, {write_line(value)}]{text[end:]}"
    else:
        inner = re.sub(r"\n(?=[^\r\n])", "\n  ", text[begin:end])
        left, newline, right = text[end:].partition("\n")
        ended = "\r" if left.endswith("\r") else ""
        entry = f"{left}\n{' ' * column}- {write_line(value)}{ended}"
        made = f"{text[:begin]}- {inner}{entry}{newline}{right}"
    with suppress(SchemaError):
        found = document(made)
        return made if found.data == document(simple).data and not found.problems else simple
    return simple


def value_at(text: str, part: Part) -> dict[tuple[str, ...], object]:
    """Return the keys that are written in a part, with their values; a bare column as its ``column``."""
    found = value_of(document(text).data, part.path)
    if isinstance(found, str):
        return {("column",): found}
    made = {path: value_of(found, path) for path in flat_keys(part.holder)}
    return {path: value for path, value in made.items() if value is not None}


def errors_at(errors: tuple[str, ...], part: Part) -> tuple[str, ...]:
    """Return the errors of a part and of those within it."""
    where = re.compile(rf"(?:^|: ){re.escape(path_text(part.path))}(?:[.\[][^:]*)?: ")
    return tuple(line for line in errors if part.path and where.search(line))


def _is_small(key: Key) -> bool:
    return key.inner is not None and key.shape == "one" and not key.plain and len(keys_of(key.inner)) <= _SMALL


def _parts(data: object, holder: Holder, path: Path_, label: str, table: int | None) -> Iterator[Part]:
    whole = tr("the whole mapping") if holder is SourceMapping else tr("the whole twin")
    yield Part(path, holder, label or whole)
    if holder is SourceMapping:
        yield Part(("reading",), Reading, "reading")
    for key in keys_of(holder):
        found = data.get(key.name) if isinstance(data, dict) else None
        if key.inner is None or found is None or key.name == "questions" or _is_small(key):
            continue
        if key.plain and not isinstance(found, dict):
            continue
        for suffix, name, one in _entries(key, found):
            if not path and key.name == "tables":
                if table in (None, suffix[0]):
                    said = (
                        tr("table {table}", table=one["table"])
                        if isinstance(one, dict) and one.get("table")
                        else "table"
                    )
                    yield from _parts(one, key.inner, (key.name, *suffix), said, table)
                continue
            # What is within a table is named without it.
            above = f"{label} › " if label and holder is not TableRule else ""
            yield from _parts(one, key.inner, (*path, key.name, *suffix), f"{above}{key.name}{name}", table)


def _entries(key: Key, found: object) -> Iterator[tuple[Path_, str, object]]:
    """Yield the parts below a key: the path below the key, the end of the label, and the data."""
    if key.shape == "one":
        yield (), "", found
    elif key.shape == "list" and isinstance(found, list):
        for place, one in enumerate(found):
            kind = one.get("type") if isinstance(one, dict) else None
            yield (place,), f" {place + 1}" + (f" ({kind})" if kind else ""), one
    elif isinstance(found, dict):
        for name, one in found.items():
            # The rules of a column may be a list.
            several = isinstance(one, list)
            for place, rule in enumerate(one if several else [one]):
                where = (str(name), place) if several else (str(name),)
                yield where, f" › {name}" + (f" {place + 1}" if several else ""), rule


def _key(name: str, hint: Any, said: str, *, choices: tuple[str, ...] = (), default: str = "") -> Key:
    inner, shape, kind, known = None, "one", "text", list(choices)
    for one in _alternatives(hint):
        origin, arguments = typing.get_origin(one), typing.get_args(one)
        if inspect.isclass(one) and issubclass(one, BaseModel):
            inner, kind = one, "part"
        elif origin in (list, dict):
            models = dict.fromkeys(held for part in arguments for held in _models(part))
            # Entries of several kinds have different keys: they are written as text.
            held = next(iter(models)) if len(models) == 1 else None
            inner, shape = (held, "list" if origin is list else "dict") if held is not None else (inner, shape)
            # A list beside a text: brackets say which of them is meant.
            kind = kind if str in _alternatives(hint) else origin.__name__
        elif origin in (tuple, Mapping):
            kind = "list" if origin is tuple else "dict"
        elif origin is Literal:
            known += [str(value) for value in arguments]
            kind = "number" if all(isinstance(value, int) for value in arguments) else kind
        elif one is bool:
            known, kind = ["true", "false"], "number"
        elif one in (int, float):
            kind = "number"
    plain = inner is not None and any(typing.get_origin(one) is tuple for one in _alternatives(hint))
    kind = "list" if plain else kind
    return Key(name, " ".join(said.split()), kind, tuple(known), inner, shape, default, plain)  # type: ignore[arg-type]


def _alternatives(hint: Any) -> list[Any]:
    """Return the types of a union, without None and without the checks of ``Annotated``."""
    if hasattr(hint, "__metadata__"):
        return _alternatives(hint.__origin__)
    if typing.get_origin(hint) in (typing.Union, UnionType):
        return [one for part in typing.get_args(hint) for one in _alternatives(part)]
    return [] if hint is NoneType else [hint]


def _models(hint: Any) -> Iterator[type[BaseModel]]:
    for one in _alternatives(hint):
        if inspect.isclass(one) and issubclass(one, BaseModel):
            yield one
        for part in typing.get_args(one):
            yield from _models(part)


def _default(value: object) -> str:
    if value is None or value in ([], {}, "") or isinstance(value, BaseModel):
        return ""
    return shown_value(list(value) if isinstance(value, tuple) else value)


def _docstrings(holder: Holder) -> dict[str, str]:
    """Return the string below each field of a dataclass."""
    try:
        source = textwrap.dedent(inspect.getsource(holder))
    except OSError:  # an installation without sources
        return {}
    body = next(node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)).body
    found = {}
    for node, after in pairwise(body):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and isinstance(after, ast.Expr):
            said = ast.literal_eval(after.value) if isinstance(after.value, ast.Constant) else ""
            found[node.target.id] = re.sub(r"``", "", str(said))
    return found
