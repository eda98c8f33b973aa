"""Conformance checks of what sends commands.

In: a kind of carrier with a device that it reaches; an actuator with an asset that nobody works with. Out: nothing, or an `AssertionError` that says what doesn't conform.
Read in order: `carrier_checks`, `actuator_checks`.
Never: a setpoint that a carrier's check changes.
"""
