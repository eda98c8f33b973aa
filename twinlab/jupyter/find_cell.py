"""What a ``%%find`` cell asks for: a condition as text, or a mapping in YAML as under ``events:`` of ``twin.yaml``."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError, field_validator

from twinlab.errors import SchemaError
from twinlab.model.basics import Duration, Model, Term
from twinlab.model.terms import nearest
from twinlab.model.yamltext import read_yaml

__all__ = ["FindCell", "parse_find_cell"]


class FindCell(Model):
    """A condition and how its events are found; the fields are parameters of ``twin.find``."""

    when: str
    """The condition: "temperature > 8 degC and door == closed"."""
    on: Term | None = None
    """Asset type; None if the condition names it."""
    lasting: Duration | None = None
    """Only events of at least this duration."""
    gap: Duration | None = None
    """Two events at most this far apart are one."""
    start: str | None = None
    """First instant, UTC."""
    stop: str | None = None
    """End, not included, UTC."""
    assets: tuple[str, ...] | None = None
    """Assets to search (default: all)."""

    @field_validator("start", "stop", mode="before")
    @classmethod
    def _as_text(cls, value: object) -> object:
        # YAML makes a number of 2026.
        return value if value is None else str(value)

    @field_validator("assets", mode="before")
    @classmethod
    def _as_texts(cls, value: object) -> object:
        # YAML makes numbers of ids such as 3.
        return tuple(map(str, value)) if isinstance(value, list) else value


def parse_find_cell(text: str, **given: object) -> FindCell:
    r"""Return what a cell asks for.

    Parameters
    ----------
    text : str
        A condition, over one line or several, or YAML with ``when:`` and other fields of `FindCell`. Lines that begin
        with ``#`` are comments.
    **given
        Fields that the cell's first line states; None for one that it doesn't.

    Raises
    ------
    SchemaError
        If there is no condition, a field is unknown, wrong, or stated twice.

    >>> parse_find_cell("temperature > 8 degC", on="cold_room").on
    'cold_room'
    >>> parse_find_cell("when: temperature > 8 degC\nlasting: 10min").lasting
    '10min'
    """
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    stated = {name: value for name, value in given.items() if value is not None}
    found = _mapping("\n".join(lines))
    if found is None:
        found = {"when": " ".join(line.strip() for line in lines)}
    for name in found:
        if name not in FindCell.model_fields:
            msg = f"%%find: there is no field {name!r}{nearest(str(name), FindCell.model_fields)}"
            raise SchemaError(msg)
        if name in stated:
            msg = f"%%find: {name!r} is in the first line and in the cell; state it once"
            raise SchemaError(msg)
    if not str(found.get("when") or "").strip():
        msg = "%%find: expected a condition, such as temperature > 8 degC, got an empty cell"
        raise SchemaError(msg)
    try:
        return FindCell.model_validate({**found, **stated})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        msg = f"%%find: {place}: {first['msg'].removeprefix('Value error, ')}"
        raise SchemaError(msg) from error


def _mapping(text: str) -> dict[Any, Any] | None:
    """Return the mapping that a text is in YAML; None for a condition."""
    try:
        document = read_yaml(text, name="%%find")
    except SchemaError:
        if text.partition(":")[0].strip() in FindCell.model_fields:
            raise
        return None
    if not isinstance(document.data, dict):
        return None
    for _, row, problem in document.problems:
        msg = f"%%find:{row}: {problem}"
        raise SchemaError(msg)
    return document.data
