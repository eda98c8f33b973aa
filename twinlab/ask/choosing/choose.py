"""Choose the call for a question: each kind of call takes what it needs; what is left over isn't understood."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from twinlab.ask.choosing.assets import asset_call
from twinlab.ask.choosing.conditions import condition_call
from twinlab.ask.choosing.contrasts import contrast_of, read_compared
from twinlab.ask.choosing.event_counts import event_call
from twinlab.ask.choosing.others import attention_call, kpi_call, where_call
from twinlab.ask.choosing.summaries import summary_call
from twinlab.ask.parsing.frame import span_of
from twinlab.ask.parsing.instants import When
from twinlab.ask.plans.plan import Contrast

if TYPE_CHECKING:
    from collections.abc import Callable

    from twinlab.ask.parsing.frame import Frame
    from twinlab.ask.plans.plan import Call, Span

__all__ = ["choose"]

#: In this order; the first that returns a call is asked.
_KINDS: tuple[Callable[[Frame], Call | None], ...] = (
    where_call,
    kpi_call,
    attention_call,
    condition_call,
    event_call,
    summary_call,
    asset_call,
)


def choose(frame: Frame) -> tuple[Call, Span | None, Contrast | None]:
    """Return the call of a question, the span that it compares with, and what is asked of two numbers.

    Raises
    ------
    NotUnderstoodError
        If the question names nothing that can be asked, or has words that no part of the call says.
    """
    for symbol in ("will", "why"):
        if frame.items.has(symbol):
            frame.refuse(symbol)
    versus = _versus(frame)
    compared = read_compared(frame, versus)
    versus = versus if compared is None else compared.versus
    while versus is not None and frame.items.take("compare"):
        pass
    contrast: Contrast | None = None
    call = _first_call(frame)
    frame.items.take("by")
    if compared is not None:
        call, contrast = contrast_of(frame, compared, call)
    elif frame.target:
        contrast = Contrast(asks="whether")
    if len(getattr(call, "assets", None) or getattr(call, "groups", None) or ()) > 1:
        # "Compare the temperature of R1 and R2": each is in the table.
        frame.items.take("beside")
        frame.items.take("versus")
    _refuse_what_is_left(frame, call, versus)
    return call, versus, contrast


def _refuse_what_is_left(frame: Frame, call: Call, versus: Span | None) -> None:
    """Raise if no part of the call says something of the question."""
    left = frame.items.not_understood()
    if left:
        frame.refuse("words", words=_quoted(left))
    if frame.per is not None and getattr(call, "per", None) is None:
        frame.refuse("no_per", per=frame.per)
    if frame.comparisons:
        frame.refuse("comparison")
    if len(frame.whens) > 1:
        frame.refuse("two_times")
    if versus is not None and getattr(call, "span", None) is None:
        frame.refuse("no_comparison")


def _first_call(frame: Frame) -> Call:
    """Return the call of the first kind that the question fits."""
    found = (kind(frame) for kind in _KINDS)
    call: Call | None = next((one for one in found if one is not None), None)
    if call is None:
        frame.refuse("no_subject", words=_quoted(frame.items.not_understood()))
    return call


def _quoted(texts: list[str]) -> str:
    return ", ".join(f"“{text}”" for text in texts)


def _versus(frame: Frame) -> Span | None:
    """Take the second span of a comparison: "than the week before", "compared with Monday"."""
    items = frame.items
    for place in range(len(items)):
        if not items.is_symbol(place, "versus"):
            continue
        if len(frame.whens) == 2:
            items.use(place)
            return span_of(frame.whens.pop())
        after = place + 1
        while items.is_symbol(after, "filler"):
            after += 1
        if items.is_symbol(after, "same_before"):
            items.use(place, after)
            return _before(frame)
        if items.is_symbol(after, "unit ") and items.is_symbol(after + 1, "before", "same_before", "last"):
            items.use(place, after, after + 1)
            return _before(frame)
        if items.is_symbol(after, "last") and items.is_symbol(after + 1, "unit "):
            items.use(place, after, after + 1)
            return _before(frame)
    if len(frame.whens) == 2 and items.has("compare"):
        return span_of(frame.whens.pop())
    return None


def _before(frame: Frame) -> Span:
    """Return the span of the same length before the one of the question."""
    if not frame.whens:
        frame.refuse("no_time_to_compare")
    when = frame.whens[0]
    start = when.start
    if start.day == 1 and when.stop == start + pd.DateOffset(months=1):
        return span_of(When(start - pd.DateOffset(months=1), start))
    return span_of(When(start - (when.stop - start), start))
