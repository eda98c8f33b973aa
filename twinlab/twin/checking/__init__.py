"""`Twin.check`: what is wrong with the data, since when, how sure, what it touches, and the line that fixes it.

In: a twin's reader. Out: a `QualityReport`.
Read in order: `channels` (the data of a signal), `flagged` (flags of the history, by test), `missing`, `comparisons` (units,
clocks, drift, further tests), `words` and `disagreements` (from the rows), `origins` (source, tag and rule of a signal), `fixes`
and `clock_fixes` (the changed mapping), `touched` (rules and events), `running`, `quality_report` with `report_html`, `methods`
(of `Twin`).
Never: a value or a file changed.
"""
