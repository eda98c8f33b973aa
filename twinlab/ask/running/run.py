"""Run any call: one function for each kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twinlab.ask.running.assets import run_assets
from twinlab.ask.running.episodes import run_find, run_rule
from twinlab.ask.running.events import run_events
from twinlab.ask.running.others import run_attention, run_kpi, run_where
from twinlab.ask.running.summaries import run_summary

if TYPE_CHECKING:
    from twinlab.ask.plans.plan import Call
    from twinlab.ask.running.result import Result
    from twinlab.model.reader import TwinReader

__all__ = ["run_call"]

_RUN: dict[str, Callable[[TwinReader, Any], Result]] = {
    "summary": run_summary,
    "find": run_find,
    "rule": run_rule,
    "events": run_events,
    "kpi": run_kpi,
    "where": run_where,
    "assets": run_assets,
    "attention": run_attention,
}


def run_call(twin: TwinReader, call: Call) -> Result:
    """Return what a call gives.

    Raises
    ------
    NotUnderstoodError
        If the data have no answer: nothing was observed, no such asset.
    """
    return _RUN[call.do](twin, call)
