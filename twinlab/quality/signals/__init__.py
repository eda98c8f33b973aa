"""Quality tests of one signal: the season and hour of a value, its variation, the states and times of a series.

In: labelled arrays of one signal, at the cells of a history or, for `cadence` and `status`, at the exact times of
observations. Out: flags of the same shape, lazy if the arrays were.
Read in order: one module per test (`bridge`: between bad values), `kernels` and `regular_windows` (numba), `built_in` (the tests with their options, as the registry has them).
Never: another signal or another asset looked at (see `twinlab.quality.related`).
"""
