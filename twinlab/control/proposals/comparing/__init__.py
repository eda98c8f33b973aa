"""The predicted effects of a command, compared with what was observed after it.

In: a plan that was carried out, and the twin's history since. Out: a comparison of each effect, with what it is judged by.
Read in order: `curves` (pure), `observed` (observed values, from the twin), `html`, `comparison`, `plans` (all effects of a plan).
Never: a value that failed its quality tests, a judgement on fewer than three values, a queue that nobody observes.
"""
