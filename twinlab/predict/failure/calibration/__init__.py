"""From what trees say to probabilities that are right on average, at the fit and after it.

In: log odds of trees, and whether a failure came. Out: a line with a bend, and its correction by the outcomes since the fit.
Read in order: `log_odds`, `outcomes`.
Never: an outcome before its span is over; another order of the assets.
"""
