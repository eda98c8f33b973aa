"""Steps of the plant: a state goes in, a later state and what happened until then come out.

In: a size with its seed, and commands. Out: `Plant`, which advances; `simulate_network`, which advances once to the end.
Read in order: `plan` (what doesn't depend on commands), `commands`, `plant` (the state and its steps), `simulate`.
Never: rows that depend on how long the steps are.
"""
