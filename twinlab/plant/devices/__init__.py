"""Devices of the plant that take signed commands: each with a guard, a ledger and a key of its own.

In: envelopes that peers receive. Out: commands to the plant, and signed answers.
Read in order: `keys` (of devices and of people who try the demo), `rules` (what the devices allow), `actuators` (how they act on the
plant), `made` (one device with all of these).
Never: a key that outlives the run; a command to the plant that a device's guard hasn't checked.
"""
