"""Transporters that are called to links, and who of all transporters works now.

In: the arrays of a state, of a plan and of the results. Out: the same arrays, changed in place.
Read in order: `service`, `waiting`, `dispatching`, `driving`.
Never: a call that nobody answers although a transporter is free; a transporter that is called twice at once.
"""

from __future__ import annotations
