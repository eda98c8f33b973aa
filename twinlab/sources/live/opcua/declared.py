"""What a server declares about a node: its unit, its range, a description."""

from __future__ import annotations

from asyncua import ua
from asyncua.common.node import Node

from twinlab.sources.live.protocol import DeclaredTag

__all__ = ["declared_tag"]


async def declared_tag(tag: str, node: Node) -> DeclaredTag:
    """Return a node's EngineeringUnits as its unit, and description and EURange as text."""
    text = (await node.read_description()).Text or ""
    units = await _property(node, "0:EngineeringUnits")
    span = await _property(node, "0:EURange")
    unit = None
    if isinstance(units, ua.EUInformation):
        unit = units.DisplayName.Text or units.Description.Text or None
    if isinstance(span, ua.Range):
        text = f"{text}; range {span.Low:g} to {span.High:g}".removeprefix("; ")
    return DeclaredTag(tag, unit, description=text)


async def _property(node: Node, name: str) -> object:
    try:
        return await (await node.get_child(name)).read_value()
    except ua.uaerrors.BadNoMatch:
        return None
