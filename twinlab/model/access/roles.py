"""The roles of people. The same roles open pages and count for signatures."""

from __future__ import annotations

from typing import Literal, get_args

__all__ = ["ROLES", "Role"]

Role = Literal["viewer", "dispatcher", "analyst", "steward", "planner", "operator", "security", "admin"]
#: All roles.
ROLES: tuple[Role, ...] = get_args(Role)
