"""Plans of a timetable that scenarios change.

In: changes of a scenario, a model, a state. Out: another model and state.
Read in order: `plan`, `changes`.
Never: a change of what had happened by the start.
"""
