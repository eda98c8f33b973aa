"""Layout of the arrays that are derived from a description and that a run only reads."""

from __future__ import annotations

from typing import Final

import numpy as np

__all__ = ["CLIMATE", "DISTRIBUTION", "DRIVE", "GROUP", "LEG", "LINK", "NODE", "SOURCE", "UNIT"]

NODE: Final = np.dtype(
    [
        ("order", "i4"),
        ("buffer", "i4"),
        ("reject", "i4"),
        ("docks", "i4"),  # -1 without a limit
        ("uptime", "i4"),
        ("repair", "i4"),
        ("key", "u4"),
        ("climate", "i4"),
        ("heated", "i4"),
        ("doored", "i4"),
    ],
    align=True,
)
CLIMATE: Final = np.dtype(
    [
        ("node", "i4"),
        ("ambient", "f8"),  # degC
        ("wall", "f8"),  # 1/s
        ("door", "f8"),
        ("cold", "f8"),  # K below ambient with the compressor on
        ("heat", "f8"),  # K above by a busy server
        ("low", "f8"),
        ("high", "f8"),
        ("limit", "f8"),
    ],
    align=True,
)
LINK: Final = np.dtype(
    [
        ("carried", "i4"),
        ("travel", "i4"),
        ("origin", "i4"),
        ("destination", "i4"),
        ("order", "i4"),  # of the entities that wait for a transporter, as that of a node's queue
        ("first_pool", "i4"),  # place in `Plan.pools_of_links`
        ("pools", "i4"),
    ],
    align=True,
)
#: An empty drive of a pool: a link in one direction.
DRIVE: Final = np.dtype([("origin", "i4"), ("destination", "i4"), ("travel", "i4"), ("distance", "f8")], align=True)
LEG: Final = np.dtype([("link", "i4"), ("travel", "i4"), ("distance", "f8")], align=True)
GROUP: Final = np.dtype(
    [
        ("capacity", "i4"),
        ("first_leg", "i4"),
        ("legs", "i4"),
        ("loading", "i4"),
        ("unloading", "i4"),
        ("turnaround", "i4"),
        ("first_ready", "i4"),
        ("at_least", "i4"),
        ("profile", "i4"),
        ("uptime", "i4"),
        ("repair", "i4"),
        ("duty", "i4"),  # place in `State.duty`, -1 without a calendar
        ("pool", "i4"),  # number of the pool, -1 for transporters with a route
        ("home", "i4"),  # node, -1 for none
        ("nearest", "i4"),  # whether the request that is reached soonest is served next
        ("first_unit", "i4"),
        ("count", "i4"),
        ("wait_at_most", "f8"),
        ("every", "f8"),
        ("speed_factor", "f8"),
    ],
    align=True,
)
UNIT: Final = np.dtype([("group", "i4"), ("source", "u4"), ("number", "u4"), ("out_of_service", "i4")], align=True)
SOURCE: Final = np.dtype(
    [
        ("key", "u4"),
        ("node", "i4"),
        ("kind", "i4"),
        ("priority", "i4"),
        ("target", "i4"),
        ("first_share", "i4"),
        ("shares", "i4"),
        ("interval", "i4"),
        ("due", "i4"),
        ("profile", "i4"),
        ("batch", "i4"),
        ("mean", "f8"),
    ],
    align=True,
)
DISTRIBUTION: Final = np.dtype([("kind", "i4"), ("first", "i4"), ("a", "f8"), ("b", "f8"), ("c", "f8")], align=True)
