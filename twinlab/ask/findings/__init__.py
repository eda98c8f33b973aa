"""Findings: three sentences about a span, computed by rules: the largest change, the worst exception, how much is known.

In: a twin as the reader sees it, a span. Out: an `Explanation`, whose sentences have the plan that gives their numbers again.
Read in order: `explanation`, `summaries` (signals), `counts` (KPIs and events), `rules`, `explaining`.
Never: a sentence about data that aren't there: then the reason why there is none.
"""
