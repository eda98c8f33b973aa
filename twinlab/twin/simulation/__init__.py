"""What if: futures of a twin from its state at an instant, with the twin's own KPIs and conditions on them.

In: a twin, an instant, scenarios. Out: results of simulated futures that read like the twin.
Read in order: `reader`, `carriers`, `results`, `catalogue`, `stored`, `scoring`, `methods`, `drafting`.
Never: a write to the twin's history; a value from after the start other than the plan.
"""
