"""Run the call of a plan on anything that reads like a twin, and return a table, the number that was asked for, and its evidence."""

from __future__ import annotations

from twinlab.ask.running.result import Evidence, Result
from twinlab.ask.running.run import run_call

__all__ = ["Evidence", "Result", "run_call"]
