"""Rooms of a twin that have a temperature and a door: fitted to its history, and as they are at an instant.

In: a twin and a window, or an instant. Out: fits by room, and their present state.
Read in order: `names`, `records`, `thermal`, `doors`, `fitting`, `present`.
Never: a value from outside the window, or from the instant on.
"""
