"""What happens in the parcel network: roads, trips, parcels, cold rooms, forklifts, and the faults.

In: a size and a seed. Out: arrays and tables of what happened.
Read in order: `size`, `towns`, `roads`, `trips`, `parcels`, `tracks`, `cold_rooms`, `forklifts`, `faults`, `clocks`,
`network`.
Never: a random number that doesn't come from the seed.
"""
