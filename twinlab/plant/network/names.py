"""Names of assets and trips, as they are in every file and every protocol; which maker's box a truck has."""

from __future__ import annotations

from twinlab.errors import UnknownTermError
from twinlab.model.terms import nearest

__all__ = ["asset_name", "asset_number", "first_maker_trucks"]

_PREFIXES = {"truck": ("T", 3), "cold_room": ("R", 2), "forklift": ("F", 2), "trip": ("TR", 5)}


def asset_name(asset_type: str, number: int) -> str:
    """Return the name of an asset or a trip by its number from 0.

    >>> asset_name("cold_room", 0), asset_name("trip", 41)
    ('R01', 'TR00042')
    """
    prefix, digits = _PREFIXES[asset_type]
    return f"{prefix}{number + 1:0{digits}d}"


def asset_number(asset_type: str, name: str, *, count: int) -> int:
    """Return the number from 0 of an asset or a trip by its name; the network has ``count`` of them.

    Raises
    ------
    UnknownTermError
        If the network has none of this name.

    Examples
    --------
    >>> asset_number("truck", "T002", count=3)
    1
    """
    names = [asset_name(asset_type, number) for number in range(count)]
    if name not in names:
        msg = f"there is no {asset_type} {name!r}{nearest(name, names)}"
        raise UnknownTermError(msg)
    return names.index(name)


def first_maker_trucks(trucks: int) -> int:
    """Return how many of the trucks, the first ones, have boxes of the first maker; the others' are of the second.

    >>> first_maker_trucks(10)
    6
    """
    return -(-trucks * 3 // 5)
