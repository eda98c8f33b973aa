"""What is predicted, with its true values: a signal of an asset type, whether an event begins, how many do, or how late it is.

In: a state that knows what happened. Out: true values with dims ``issue_time, lead_time, asset``.
Read in order: `signal`, `signal_options`, `event`, `counts`, `delay` (of planned events), `truth` (as a twin knows them now).
Never: a true value where the state doesn't know it.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__, {"CountTarget": "counts", "EventTarget": "event", "SignalTarget": "signal", "truth_of": "truth"}
)
