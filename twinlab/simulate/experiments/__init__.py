"""Experiments: what replications say about scenarios, and how many of them are needed to say it.

In: KPIs as arrays with dim ``replication`` (and ``scenario``), or a function that returns such KPIs when it is asked for more
replications. Out: differences with intervals and a verdict, tables of designs, indices of sensitivity, a selected scenario.
Read in order: `intervals`, `samples`, `comparison`, `comparing`, `comparisons`, `boundaries`,
`replications`, `sequential`, `selection`, `designs`, `sensitivity`.
Never: a verdict without its interval and level; a random number that the caller's seed doesn't decide.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "Comparison": "comparison",
        "Comparisons": "comparisons",
        "Decision": "sequential",
        "Decisions": "sequential",
        "Selection": "selection",
        "compare": "comparing",
        "compare_all": "comparisons",
        "decide": "sequential",
        "decide_all": "sequential",
        "latin_hypercube": "designs",
        "models_of": "designs",
        "morris": "sensitivity",
        "responses": "designs",
        "select_best": "selection",
        "sobol": "sensitivity",
        "sweep": "designs",
    },
)
