"""Open questions of a twin: units, zones and meanings that aren't stated yet, each with its place in YAML.

A unit or a zone that isn't known is written as ``unknown``. Anything else that a draft can't decide is an entry under
``questions:`` of the same file; it is answered when the value it asks about is changed, or the entry is removed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twinlab.model.units.spelling import UNKNOWN
from twinlab.model.yamltext import Path_, path_text

if TYPE_CHECKING:
    from twinlab.model.basics import QuestionRule
    from twinlab.model.mapping import Mapping as SourceMapping
    from twinlab.model.twinmodel import TwinModel

__all__ = ["Question", "open_questions"]

#: Keys whose value may be ``unknown`` -> the question.
_ASKED = {"unit": "In which unit are these values?", "zone": "In which zone does this clock run?"}


@dataclass(frozen=True)
class Question:
    """A unit, a zone or a meaning that isn't stated yet.

    Attributes
    ----------
    file : str
        The file in the twin's folder that has to say it.
    path : str
        The place in that file, such as ``asset_types.room.signals.temperature.unit``.
    ask : str
        The question, one sentence.
    evidence : str
        What was found in the data; may be empty.
    choices : tuple of str
        Values that fit the data, the drafted one first; may be empty.
    times : tuple of str
        Zones: local times in the data; a zone in which one of them doesn't exist isn't the clock's.
    """

    file: str
    path: str
    ask: str
    evidence: str = ""
    choices: tuple[str, ...] = ()
    times: tuple[str, ...] = ()


def open_questions(model: TwinModel, mappings: Mapping[str, SourceMapping]) -> list[Question]:
    """Return the open questions: first those of the model, then those of each mapping, in the order of the files.

    >>> from twinlab.model.load import parse_model
    >>> text = "{twin: a, asset_types: {room: {signals: {t: {unit: unknown, resolution: 0.1}}}}}"
    >>> [question.path for question in open_questions(parse_model(text), {})]
    ['asset_types.room.signals.t.unit']
    """
    found = list(_questions("twin.yaml", model))
    for source, mapping in mappings.items():
        found += _questions(f"mapping/{source}.yaml", mapping)
    return found


def _questions(file: str, part: TwinModel | SourceMapping) -> Iterator[Question]:
    # With defaults: a drafted value that equals one is open as well.
    written = part.model_dump(mode="json", by_alias=True, exclude={"questions"})
    # Several questions may be about one value, such as a list of columns.
    asked: dict[str, list[QuestionRule]] = {}
    for rule in part.questions:
        asked.setdefault(rule.at, []).append(rule)
    values = {path_text(path): value for path, value in _leaves(written, ())}
    for path, value in values.items():
        key = path.rpartition(".")[2]
        if value == UNKNOWN and key in _ASKED:
            about = asked.pop(path, [])
            yield _question(file, about[0], ask=_ASKED[key]) if about else Question(file, path, _ASKED[key])
    for path, rules in asked.items():
        for rule in rules:
            if rule.drafted is None or values.get(path) == rule.drafted:
                yield _question(file, rule, ask=rule.ask)


def _question(file: str, rule: QuestionRule, *, ask: str) -> Question:
    return Question(file, rule.at, ask, rule.evidence, tuple(map(str, rule.choices)), tuple(rule.times))


def _leaves(value: Any, path: Path_) -> Iterator[tuple[Path_, Any]]:  # noqa: ANN401  (JSON)
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key))
    elif isinstance(value, list):
        # One rule of a tag or column is written without a list.
        single = len(value) == 1 and len(path) > 1 and path[-2] in ("columns", "tags")
        for place, inner in enumerate(value):
            yield from _leaves(inner, path if single else (*path, place))
    else:
        yield path, value
