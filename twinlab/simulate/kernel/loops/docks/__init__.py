"""Docks of nodes: as many transporters as there are docks load or unload at once, the others wait in line.

In: the arrays of a state, of a plan and of the results. Out: the same arrays, changed in place.
Read: `line`.
Never: a free dock while a transporter waits in line.
"""

from __future__ import annotations
