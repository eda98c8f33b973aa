"""Types that several parts of a model share: the frozen base class, names, durations, units, questions."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from functools import cache, lru_cache
from itertools import pairwise
from typing import Annotated, Any, ClassVar, TypeGuard, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    SerializerFunctionWrapHandler,
    model_serializer,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from twinlab.model.units import canonical_unit

__all__ = [
    "NANOSECONDS",
    "AssetName",
    "Duration",
    "ExtendedModel",
    "MissingCode",
    "Model",
    "QuestionRule",
    "Term",
    "Unit",
    "field_texts",
    "is_pattern",
    "parse_duration",
    "term",
    "yaml_text",
]

CodeT = TypeVar("CodeT", float | str, str)

_DURATION = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(ms|s|min|h|d)\s*$")
NANOSECONDS = {"ms": 10**6, "s": 10**9, "min": 60 * 10**9, "h": 3600 * 10**9, "d": 86400 * 10**9}


@lru_cache(maxsize=256)
def parse_duration(text: str) -> int:
    """Return a duration such as ``"10min"`` or ``"1h"`` in nanoseconds.

    Raises
    ------
    ValueError
        If ``text`` isn't a number with one of ``ms s min h d``, or is less than a nanosecond.

    >>> parse_duration("15min")
    900000000000
    """
    match = _DURATION.match(text)
    if match is None:
        msg = f"expected a duration such as '10s', '15min', '1h' or '1d', got {text!r}"
        raise ValueError(msg)
    found = round(float(match[1]) * NANOSECONDS[match[2]])
    if not 0 < found < 2**62:
        msg = f"expected a duration longer than zero and shorter than a century, got {text!r}"
        raise ValueError(msg)
    return found


def term(text: str) -> str:
    """Return a name of the model if it is spelled like one.

    Raises
    ------
    ValueError
        If it isn't.

    >>> term("cold_room")
    'cold_room'
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", text):
        msg = f"expected a name of lower-case letters, digits and underscores that starts with a letter, got {text!r}"
        raise ValueError(msg)
    return text


def _duration(text: str) -> str:
    parse_duration(text)
    return text


def yaml_text(value: object) -> object:
    """Return a bare number or date of YAML, such as 1 or 2013-01-01, as text."""
    return value if value is None or isinstance(value, (str, dict, list)) else str(value)


def _readable_pattern(code: CodeT) -> CodeT:
    if is_pattern(code):
        try:
            re.compile(code[1:-1])
        except re.error as error:
            msg = f"the pattern {code} is no regular expression: {error}"
            raise ValueError(msg) from error
    return code


def is_pattern(code: object) -> TypeGuard[str]:
    """Return whether a name or code is a pattern between slashes.

    >>> is_pattern("/^See /"), is_pattern("n/a"), is_pattern(-9999)
    (True, False, False)
    """
    return isinstance(code, str) and len(code) > 2 and code.startswith("/") and code.endswith("/")


#: A number or text that means "no value", or a pattern of such texts between slashes: "/^See /".
MissingCode = Annotated[float | str, AfterValidator(_readable_pattern)]
#: An asset's id, or a pattern of ids between slashes: "/^freezer/".
AssetName = Annotated[str, BeforeValidator(yaml_text), AfterValidator(_readable_pattern)]
Term = Annotated[str, AfterValidator(term)]
Duration = Annotated[str, AfterValidator(_duration)]
Unit = Annotated[str, BeforeValidator(yaml_text), AfterValidator(canonical_unit)]


@cache
def field_texts(kind: type) -> dict[str, str]:
    """Return the text below each field of a class and of those that it extends, where their source is known."""
    found: dict[str, str] = {}
    for part in reversed(kind.__mro__):
        if part is BaseModel or not issubclass(part, BaseModel):
            continue
        try:
            (tree,) = ast.parse(textwrap.dedent(inspect.getsource(part))).body
        except (OSError, SyntaxError, ValueError):
            # A class that was typed into an interpreter.
            continue
        for field, below in pairwise(getattr(tree, "body", [])):
            if (
                isinstance(field, ast.AnnAssign)
                and isinstance(field.target, ast.Name)
                and isinstance(below, ast.Expr)
                and isinstance(below.value, ast.Constant)
                and isinstance(below.value.value, str)
            ):
                found[field.target.id] = inspect.cleandoc(below.value.value)
    return found


class Model(BaseModel):
    """Base of all parts of a model or mapping: frozen, and an unknown key is an error.

    The text below a field is its description in the JSON Schema.
    """

    # Not `use_attribute_docstrings`, which parses the source of each class whenever this module is imported.
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Add the descriptions of the fields."""
        made = handler(core_schema)
        entries = handler.resolve_ref_schema(made).get("properties", {})
        for name, text in field_texts(cls).items():
            field = cls.model_fields.get(name)
            key = name if field is None else field.alias or name
            if key in entries:
                entries[key].setdefault("description", text)
        return made


class ExtendedModel(Model):
    """A part of a model or mapping that got further keys later.

    A key of `added_keys` is written only if it differs from its default, so that a mapping without it has the same hash
    as before there was such a key, and stored twins open without a rebuild.
    """

    added_keys: ClassVar[frozenset[str]] = frozenset()

    @model_serializer(mode="wrap")
    def _without_unused_keys(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written: dict[str, Any] = write(self)
        for key in self.added_keys & written.keys():
            if getattr(self, key) == type(self).model_fields[key].get_default(call_default_factory=True):
                del written[key]
        return written


class QuestionRule(Model):
    """A question that a draft leaves to a person."""

    at: str
    """Path of the value in this file: "tables[0].time.format"."""
    ask: str
    """The question, one sentence."""
    evidence: str = ""
    """What was found in the data."""
    choices: list[str | float | bool] = Field(default_factory=list)
    """Values that fit the data; the first is the one that was drafted."""
    drafted: str | float | bool | None = None
    """The value that was drafted: the question is answered once another value is in its place. Without it, the question
    is open as long as its entry is there."""
    times: list[str] = Field(default_factory=list)
    """Zones: local times in the data, ISO. A zone in which one of them doesn't exist, since its clocks are put forward then,
    isn't the clock's."""
