"""Faults of a running plant: of networks, sensors, clocks, gateways; by a schedule or on order, recorded as truth.

In: a schedule. Out: connections that fail, values and times that are wrong.
Read in order: `schedule` (what can be wrong, and when), `proxy` (networks), `sensors` (values and times).
Never: a change of the true states; a fault that the truth doesn't have.
"""
