"""Failures that announce themselves, and causes of delays: what wears out when, what it does to the assets, and the truth of it.

In: a size with `FailureRates`, and the plans of the network's other parts. Out: plans in which assets wear, fail and are repaired; values
of the signals that show it; the records of the truth.
Read in order: `kinds`, `failure`, `wear`, `rooms`, `forklifts`, `trucks`, `hindrances`, `weather`, `delays`, `condition`.
Never: a random number of another part's stream; a difference to the plans when a size has no rates.
"""
