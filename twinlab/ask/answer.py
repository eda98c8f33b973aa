"""An answer: the plan, the table, one sentence, and what each number rests on."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from twinlab.ask.languages import load_language
from twinlab.ask.plans.code import python_code
from twinlab.ask.plans.plan import instant_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from twinlab.ask.plans.plan import Plan, Span
    from twinlab.ask.running.result import Evidence, Result

__all__ = ["Answer"]

_ROWS = 10


@dataclass(frozen=True)
class Answer:
    """The answer to a question, or why there is none.

    Parameters
    ----------
    question : str
    language : str
    plan : Plan or None
        What was asked of the twin; None if the question wasn't understood.
    result, other : Result or None
        What running the plan gave, and of the span that it compares with.
    reason : str
        Why there is no answer; empty if there is one.
    suggestions : sequence of str
        Questions that are understood.
    twin : object
        What was asked; `why` needs it.
    """

    question: str
    language: str
    plan: Plan | None
    result: Result | None = None
    other: Result | None = None
    reason: str = ""
    suggestions: Sequence[str] = ()
    twin: Any = field(default=None, repr=False, compare=False)

    @property
    def answered(self) -> bool:
        """Whether there is an answer."""
        return self.result is not None

    @property
    def value(self) -> float | int | str | pd.Timestamp | None:
        """The number that was asked for, in `unit`; None if the table is the answer, or there is none."""
        return None if self.result is None else self.result.value

    @property
    def unit(self) -> str:
        """Unit of the value."""
        return "" if self.result is None else self.result.unit

    @property
    def table(self) -> pd.DataFrame:
        """A row for each asset, event or group; empty without an answer."""
        return pd.DataFrame() if self.result is None else self.result.table

    @property
    def evidence(self) -> Evidence | None:
        """What the number rests on."""
        return None if self.result is None else self.result.evidence

    @property
    def sentence(self) -> str:
        """The answer in one sentence, or why there is none."""
        words = load_language(self.language)
        if self.result is None:
            return f"{words.sentence('cannot_tell')} {self.reason}".strip()
        text = words.sentence(self.result.sentence, **_named(self.result, self.language))
        if (
            self.other is not None
            and self.plan is not None
            and self.plan.versus is not None
            and self.plan.contrast is None
        ):
            change = _change(self.result, self.other)
            text += " " + words.sentence(
                "versus",
                when=_span(self.plan.versus, self.language),
                other=_value(self.other.value, self.other.unit),
                change=change,
            )
        return text

    @property
    def notes(self) -> list[str]:
        """What was assumed, and what limits the answer."""
        if self.plan is None:
            return []
        words = load_language(self.language)
        found = list(self.plan.notes)
        made_of = None if self.twin is None else self.twin.model.synthetic
        if made_of is not None:
            found.append(words.sentence("note_synthetic", source=made_of.source))
        for part in (self.result, self.other):
            found += [] if part is None else [words.sentence(f"note_{key}", **values) for key, values in part.notes]
        return list(dict.fromkeys(found))

    @property
    def code(self) -> str:
        """The plan as Python, which gives the same numbers in a fresh kernel; empty without a plan."""
        return "" if self.plan is None else python_code(self.plan)

    def why(self) -> Any:  # noqa: ANN401  (a Lineage of the twin, which this room doesn't know)
        """Return what is behind the number: rows, files, mapping, flags; as `Twin.why`. None if nothing single is."""
        if self.result is None or self.result.evidence.why is None or not hasattr(self.twin, "why"):
            return None
        return self.twin.why(**self.result.evidence.why)

    def __str__(self) -> str:
        parts = [self.sentence, *(f"- {note}" for note in self.notes)]
        if self.suggestions:
            parts += [load_language(self.language).sentence("nearest"), *(f"- {one}" for one in self.suggestions)]
        return "\n".join(parts)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        parts = [f"<p><b>{escape(self.sentence)}</b></p>"]
        if self.notes:
            parts.append("<ul>" + "".join(f"<li>{escape(note)}</li>" for note in self.notes) + "</ul>")
        if self.suggestions:
            title = escape(load_language(self.language).sentence("nearest"))
            parts.append(
                f"<p>{title}</p><ul>" + "".join(f"<li>{escape(one)}</li>" for one in self.suggestions) + "</ul>"
            )
        if self.result is not None and len(self.table):
            parts.append(self.table.head(_ROWS).to_html(index=False, border=0))
        if self.plan is not None:
            parts.append(f"<details><summary>Python</summary><pre>{escape(self.code)}</pre></details>")
        return "".join(parts)


def _named(result: Result, language: str) -> Mapping[str, Any]:
    """Return what a sentence names, as text."""
    names: dict[str, Any] = {"value": _value(result.value, result.unit)}
    for name, value in result.names.items():
        if name == "span":
            names["when"] = _span(value, language)
        elif name in ("low", "high"):
            names[name] = _value(value, result.unit)
        elif name == "condition":
            names[name] = f" ({value})" if value else ""
        elif isinstance(value, pd.Timedelta):
            names[name] = _duration(value)
        elif isinstance(value, pd.Timestamp):
            names[name] = instant_text(value)
        else:
            names[name] = value
    return names


def _span(span: Span, language: str) -> str:
    start, stop = (instant_text(pd.Timestamp(one)) for one in (span.start, span.stop))
    return load_language(language).sentence("span", start=start, stop=stop)


def _value(value: object, unit: str) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, bool | np.bool_ | str):
        return str(value)
    if isinstance(value, pd.Timestamp):
        return instant_text(value)
    if isinstance(value, int | np.integer):
        return f"{value:,}" + (f" {unit}" if unit else "")
    number = float(value)  # type: ignore[arg-type]
    text = f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.4g}"
    return text + (f" {unit}" if unit else "")


def _duration(span: pd.Timedelta) -> str:
    minutes = round(span.total_seconds() / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h" + (f" {rest} min" if rest else "")


def _change(result: Result, other: Result) -> str:
    if isinstance(result.value, int | float | np.number) and isinstance(other.value, int | float | np.number):
        difference = float(result.value) - float(other.value)
        return ("+" if difference >= 0 else "−") + _value(
            abs(difference) if not float(difference).is_integer() or result.unit else int(abs(difference)), result.unit
        )
    return "—"
