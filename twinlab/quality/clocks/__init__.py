"""Tests of the clocks of sources: shifted, drifting, in another zone, or confused by summer time.

In: labelled arrays of one signal of several assets, or the exact times of observations. Out: flags of the same shape, the
shift of each asset's clock by period, findings.
Read in order: `shifts` (against the other assets or a reference; `by_period` computes them in memory or lazily), `findings` (constant, drift or zone), `summer_time` (hours that
are missing or there twice), `kernels` (numba), `built_in` (the tests as the registry has them).
Never: a time changed.
"""
