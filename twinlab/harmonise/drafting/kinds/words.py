"""Words of a column's name, in whichever way it joins them."""

from __future__ import annotations

import re

__all__ = ["spaced"]

_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def spaced(name: str) -> str:
    """Return a name with its words joined by underscores.

    >>> spaced("CRSDepTime"), spaced("machineID"), spaced("record type")
    ('CRS_Dep_Time', 'machine_ID', 'record_type')
    """
    return re.sub(r"[\s_.-]+", "_", _CAMEL.sub("_", name.strip()))
