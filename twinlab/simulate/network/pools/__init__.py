"""Transporters that are called to links: the ways of empty ones, and what such a group can't be.

In: a network's parts and a group of transporters with `links`. Out: drives, quickest ways, faults.
Read in order: `ways`, `faults`.
Never: a way over a link that takes no stated time.
"""

from __future__ import annotations
