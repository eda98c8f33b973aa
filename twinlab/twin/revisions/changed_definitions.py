"""Read the definitions that a revision changes, and refuse those that can't be meant, before anything is built."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.harmonise import Context, harmonise
from twinlab.history.build.mapping_context import content_hash
from twinlab.model.load import check_mapping, parse_mapping, parse_model
from twinlab.model.mapping import Mapping as SourceMapping
from twinlab.model.terms import nearest
from twinlab.model.twinmodel import TwinModel
from twinlab.twin.revisions.revision_log import Definition, model_definition, of_mapping

if TYPE_CHECKING:
    from twinlab.ledger import Ledger

__all__ = ["check_readable", "new_mapping", "new_model"]

#: Rows of a source that are read under the old and the new mapping, at most, and the share of them that may lose their meaning.
_SAMPLE_ROWS, _MOST_LOST = 200_000, 0.5


def _text(given: str | Path) -> tuple[str, str]:
    """Return the YAML of a file or a text, and its name in messages."""
    if isinstance(given, str) and "\n" in given:
        return given, "the new YAML"
    path = Path(given)
    try:
        return path.read_text(encoding="utf-8"), path.name
    except OSError as error:
        msg = f"expected a YAML file at {path}, but it can't be read ({error.strerror}); check the path"
        raise SchemaError(msg) from error


def new_mapping(
    source: str, given: str | Path, model: TwinModel, mappings: Mapping[str, SourceMapping]
) -> tuple[SourceMapping, Definition]:
    """Return the new mapping of a source.

    Raises
    ------
    UnknownTermError
        If no mapping has this source.
    SchemaError
        If the file breaks the schema, is of another source, or means the same as the present one.
    """
    if source not in mappings:
        msg = f"expected a source of this twin, got {source!r}{nearest(source, mappings)}; nothing was rebuilt"
        raise UnknownTermError(msg)
    text, name = _text(given)
    mapping = parse_mapping(text, name)
    check_mapping(mapping, model, name)
    if mapping.source != source:
        msg = f"{name} maps the source {mapping.source!r}, expected {source!r}; correct `source:` or name that source"
        raise SchemaError(msg)
    if content_hash(mapping) == content_hash(mappings[source]):
        msg = (
            f"{name} means the same as the present mapping of {source!r}: nothing would change, and nothing was rebuilt"
        )
        raise SchemaError(msg)
    return mapping, of_mapping(mapping, text)


def new_model(given: str | Path, model: TwinModel) -> tuple[TwinModel, Definition]:
    """Return the new model.

    Raises
    ------
    SchemaError
        If the file breaks the schema, means the same as the present one, or has another name or origin.
    """
    text, name = _text(given)
    found = parse_model(text, name)
    if content_hash(found) == content_hash(model):
        msg = f"{name} means the same as the present model: nothing would change, and nothing was rebuilt"
        raise SchemaError(msg)
    for what in ("twin", "origin_ns"):
        if getattr(found, what) != getattr(model, what):
            key = "origin" if what == "origin_ns" else what
            msg = f"{name}: `{key}` can't be changed by a revision; leave it as it is, or create another twin"
            raise SchemaError(msg)
    return found, model_definition(found, text)


def _sample(ledger: Ledger, source: str) -> Iterator[Any]:
    """Yield frames of the first, the middle and the last rows of a source."""
    reader = ledger.reader(source)
    rows = reader.position()
    starts = sorted({0, max(0, rows // 2 - _SAMPLE_ROWS // 6), max(0, rows - _SAMPLE_ROWS // 3)})
    for start, end in zip(starts, [*starts[1:], rows], strict=True):
        left = _SAMPLE_ROWS // 3
        for frame in reader.frames(start=start, stop=min(end, start + left)):
            if frame.kind != "retract_file":
                yield frame


def check_readable(
    ledger: Ledger, old: tuple[TwinModel, SourceMapping], new: tuple[TwinModel, SourceMapping], name: str
) -> None:
    """Refuse definitions under which most rows of a sample that mean something now would mean nothing.

    Raises
    ------
    SchemaError
        If more than half of them would; says which, and why.
    """
    source = new[1].source
    had, lost, reason = 0, 0, ""
    for frame in _sample(ledger, source):
        before, after = (harmonise(frame, mapping, Context(model)) for model, mapping in (old, new))
        rows = [np.unique(np.concatenate([_ordinals(found), np.empty(0, np.int64)])) for found in (before, after)]
        had += len(rows[0])
        gone = np.setdiff1d(rows[0], rows[1])
        lost += len(gone)
        if len(gone) and not reason:
            problem = next(iter(after.problems), None)
            term = next(iter(after.unknown.items()), None)
            if problem is not None:
                where = f"row {problem.row}" + (f", column {problem.column!r}" if problem.column else "")
                reason = f" First problem: {where}, {problem.text!r}: {problem.reason}."
            elif term is not None:
                reason = f" First unknown: {term[0]}: {term[1].message}."
    if had and lost / had > _MOST_LOST:
        msg = (
            f"{name} would leave {lost / had:.0%} of the rows of {source!r} without a meaning: {lost:,} of {had:,} rows that "
            f"were tried.{reason} Nothing was rebuilt. Correct the file, or pass force=True if that is intended"
        )
        raise SchemaError(msg)


def _ordinals(found: Any) -> np.ndarray:  # noqa: ANN401  (a Harmonised)
    parts = [
        found.claims.ordinal,
        *(one.ordinal for kind in (found.events, found.assets, found.relationships) for one in kind),
    ]
    return np.concatenate([np.asarray(part, dtype=np.int64) for part in parts])
