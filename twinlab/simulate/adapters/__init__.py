"""Adapters: Python functions, SimPy processes and FMUs as models that start, save, fork and resume.

In: a function, a function that builds SimPy processes, or the file of an FMU; the outputs it has, with units. Out: a
`twinlab.simulate.Model`.
Read in order: `outputs`, `streams`, `state`, `callables`, `replay`, `processes`, `fmus`.
Never: a state that claims to contain what can't be saved. Where the model has no state to save, the state says how to
repeat the past (start, seed, replications), and `advance` repeats it.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {"Output": "outputs", "from_callable": "callables", "from_fmu": "fmus", "from_simpy": "processes"},
)
