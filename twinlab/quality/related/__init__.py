"""Quality tests that compare: a signal with other signals of its asset, or an asset with the others of its type.

In: labelled arrays on the same coordinates. Out: flags of the first one's shape, lazy if it was.
Read in order: one module per test, `kernels` (numba), `built_in` (the tests with their options, as the registry has them).
Never: run by the build of history, which sees a few series of one signal at a time; `twinlab.quality.run_tests` runs them.
"""
