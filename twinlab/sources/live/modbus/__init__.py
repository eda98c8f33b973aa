"""Modbus TCP: registers of old devices, polled within a stated budget.

In: a register map, an address. Out: an observation a register and poll, its time that of the poll, since the protocol has none.
Read in order: `registers` (what they contain, and which are read together), `options`, `polling` (one connection, its pace), `source`, `kind`.
Never: a write, a second connection, a request beyond the budget, a value scaled or a sentinel removed: the mapping does that.
"""
