"""Rooms with a temperature, doors and thermostats, run forward beside a timetable.

In: fits by room and a state. Out: temperature, door and compressor at each step.
Read in order: `fits`, `futures`, `signals`.
Never: a random number that depends on more than seed, replication and purpose.
"""
