"""Options to read a file: its syntax, given by the user or detected."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Self

from twinlab.errors import SchemaError, SourceError
from twinlab.model.registry import registry_of
from twinlab.model.yamltext import read_yaml

__all__ = ["FORMATS", "Reading"]

#: The built-in formats that ``Reading.format`` may name.
FORMATS = (
    *("csv", "tsv", "fixed_width", "excel", "parquet", "json_lines", "sqlite"),
    *("toa5", "hobo", "rdb", "weatherlink", "pi", "line_protocol"),
)


@dataclass(frozen=True)
class Reading:
    """Syntax of a file. Options that are None are detected; given ones are used as they are.

    Examples
    --------
    >>> Reading.from_dict({"delimiter": ";", "decimal": ","}).decimal
    ','
    """

    format: str | None = None
    """One of FORMATS, or a format that another package adds."""
    encoding: str | None = None
    """A codec of Python, such as ``cp1252``."""
    delimiter: str | None = None
    """One character between cells."""
    decimal: str | None = None
    """``.`` or ``,``."""
    thousands: str | None = None
    """Character between groups of three digits; ``""`` for none."""
    quote: str | None = None
    """Character around cells that contain delimiters; ``""`` for none."""
    header_rows: tuple[int, ...] | None = None
    """1-based rows with the names of the columns, joined with a space; ``()`` for none."""
    units_row: int | None = None
    """1-based row with the units of the columns; 0 for none."""
    skip_rows: int | None = None
    """Number of rows above the table (titles)."""
    footer_rows: int | None = None
    """Number of rows below the table (totals); reported as problems."""
    missing: tuple[str, ...] = ()
    """Texts that stand for an empty cell. Codes such as -9999 belong in the mapping."""
    text_columns: tuple[str, ...] = ()
    """Columns that are read as text even if they contain numbers."""
    sheet: str | None = None
    """Sheet of a workbook; all sheets if None."""
    widths: tuple[int, ...] | None = None
    """Number of characters of each column of a fixed-width file."""
    columns: tuple[str, ...] | None = None
    """Names of the columns, instead of those in the header."""
    options: Mapping[str, Any] | None = None
    """Options of a format that another package adds."""

    def __post_init__(self) -> None:
        """Check the options as far as possible without the file."""
        if self.format not in FORMATS:
            _check_choice("format", self.format, tuple(registry_of("twinlab.sources").names()))
        _check_choice("decimal", self.decimal, (".", ","))
        for name in ("delimiter", "quote", "thousands"):
            value = getattr(self, name)
            if value is not None and (
                not isinstance(value, str) or len(value) > 1 or (name == "delimiter" and not value)
            ):
                msg = f'reading: {name} is {value!r}; expected one character (a tab is "\\t"): correct it'
                raise SchemaError(msg)
        if self.delimiter is not None and self.delimiter in {"\n", "\r", self.quote}:
            msg = f"reading: delimiter {self.delimiter!r} ends rows or quotes cells already: choose another"
            raise SchemaError(msg)
        if self.decimal is not None and self.decimal == self.thousands:
            msg = f"reading: decimal and thousands are both {self.decimal!r}; expected two characters: correct one"
            raise SchemaError(msg)

    @classmethod
    def from_dict(cls, options: Mapping[str, Any], *, where: str = "reading") -> Self:
        """Build a Reading from a plain mapping, such as the ``reading:`` section of a mapping file.

        Raises
        ------
        SchemaError
            If a key is unknown (the nearest known one is shown) or a value has the wrong type.
        """
        known = [field.name for field in fields(cls)]
        values: dict[str, Any] = {}
        for key, value in options.items():
            if key not in known:
                near = difflib.get_close_matches(str(key), known, n=1, cutoff=0.5)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                msg = f"{where}: unknown key {key!r}{hint} Known keys: {', '.join(known)}"
                raise SchemaError(msg)
            values[key] = _typed(key, value, where)
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        """Return the options that are set, as lists and scalars for YAML."""
        result: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if value is None or (value == () and field.name in {"missing", "text_columns"}):
                continue
            result[field.name] = list(value) if isinstance(value, tuple) else value
        return result

    def merged(self, over: Reading | None) -> Self:
        """Return these options, replaced by those that ``over`` sets."""
        if over is None:
            return self
        return replace(self, **{key: getattr(over, key) for key in over.to_dict()})


def reading_of_mapping(mapping: Path | None) -> Reading:
    """Return the ``reading:`` section of a mapping file; an empty Reading if there is no such file or section."""
    if mapping is None or not mapping.is_file():
        return Reading()
    try:
        document = read_yaml(mapping.read_text(encoding="utf-8"), name=mapping.name).data
    except SchemaError as error:
        msg = f"{mapping}: not valid YAML ({error}): correct the mapping file"
        raise SchemaError(msg) from error
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{mapping}: the mapping file can't be read ({error}): check its permissions and that it is UTF-8"
        raise SourceError(msg) from error
    section = document.get("reading") if isinstance(document, Mapping) else None
    if section is None:
        return Reading()
    if not isinstance(section, Mapping):
        msg = f"{mapping}: reading: is {section!r}; expected keys and values such as 'delimiter: \";\"'"
        raise SchemaError(msg)
    return Reading.from_dict(section, where=f"{mapping}: reading")


_TEXTS = ("missing", "text_columns", "columns")
_NUMBERS = ("header_rows", "widths")
_COUNTS = ("units_row", "skip_rows", "footer_rows")


def _check_choice(name: str, value: str | None, allowed: tuple[str, ...]) -> None:
    if value is not None and value not in allowed:
        near = difflib.get_close_matches(str(value), allowed, n=1, cutoff=0.4)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        msg = f"reading: {name} is {value!r}; expected one of {', '.join(map(repr, allowed))}{hint}"
        raise SchemaError(msg)


def _typed(key: str, value: object, where: str) -> object:
    """Return ``value`` in the type of the option ``key``; YAML gives lists for tuples and scalars for lists of one."""
    if value is None:
        return () if key in {"missing", "text_columns"} else None
    if key == "options":
        if isinstance(value, Mapping):
            return dict(value)
        msg = f"{where}: options is {value!r}; expected the format's options, a name and a value each"
        raise SchemaError(msg)
    if key in _TEXTS:
        items = [value] if isinstance(value, str) else value
        if isinstance(items, Iterable) and all(isinstance(item, str) for item in items):
            return tuple(items)
        msg = f"{where}: {key} is {value!r}; expected a list of texts: put quotes around each"
        raise SchemaError(msg)
    if key in _NUMBERS:
        numbers = [value] if isinstance(value, int) else value
        if (
            isinstance(numbers, Iterable)
            and not isinstance(numbers, str)
            and all(_is_count(item, 1) for item in numbers)
        ):
            return tuple(numbers)
        msg = f"{where}: {key} is {value!r}; expected a list of numbers from 1"
        raise SchemaError(msg)
    if key in _COUNTS:
        if _is_count(value, 0):
            return value
        msg = f"{where}: {key} is {value!r}; expected a number from 0"
        raise SchemaError(msg)
    if isinstance(value, str):
        return value
    msg = f"{where}: {key} is {value!r}; expected text: put quotes around it"
    raise SchemaError(msg)


def _is_count(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def reading_from(
    mapping: Path | None,
    *,
    format: str | None = None,  # noqa: A002 - the name of Reading's option
    encoding: str | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    thousands: str | None = None,
    quote: str | None = None,
    header_rows: Iterable[int] | None = None,
    units_row: int | None = None,
    skip_rows: int | None = None,
    footer_rows: int | None = None,
    missing: Iterable[str] = (),
    text_columns: Iterable[str] = (),
    sheet: str | None = None,
    widths: Iterable[int] | None = None,
    columns: Iterable[str] | None = None,
) -> Reading:
    """Return the reading section of a mapping file, with options of `Reading` that take precedence."""
    given = Reading.from_dict(
        {
            "format": format,
            "encoding": encoding,
            "delimiter": delimiter,
            "decimal": decimal,
            "thousands": thousands,
            "quote": quote,
            "header_rows": header_rows,
            "units_row": units_row,
            "skip_rows": skip_rows,
            "footer_rows": footer_rows,
            "missing": missing,
            "text_columns": text_columns,
            "sheet": sheet,
            "widths": widths,
            "columns": columns,
        },
        where="options",
    )
    return reading_of_mapping(mapping).merged(given)
