"""Conformance checks of what sends commands.

In: a kind of carrier with a device that it reaches. Out: nothing, or an `AssertionError` that says what doesn't conform.
Read in order: `carrier_checks`.
Never: a command that changes a setpoint.
"""
