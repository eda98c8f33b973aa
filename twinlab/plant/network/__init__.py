"""Simulation of the parcel network: roads, trips, parcels, cold rooms, forklifts, failures, and faults of sensors.

In: a size and a seed. Out: a `Network`: arrays of true states, and of the values that sensors report.
Read in order: `rates`, `size`, `towns`, `roads`, `trips`, `parcels`, `tracks`, `cold_rooms`, `forklifts`, `faults`,
`failures`, `clocks`, `network`.
Never: a random number that doesn't come from the seed.
"""
