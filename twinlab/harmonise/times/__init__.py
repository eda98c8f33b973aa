"""Times of a source: formats, time zones and clock changes, resolved to instants in UTC.

In: columns of a frame and a mapping's time rule. Out: int64 nanoseconds since 1970 UTC, `NAT` where there is none.
Read in order: `formats` (text and numbers to times), `zones` (offsets of a zone), `folds` (repeated and missing hours),
`resolve` (a whole time rule).
Never: a zone or an offset assumed, an ambiguous time resolved without a rule.
"""
