"""A network as text and as HTML: tables of nodes, transporters and demand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Final

from twinlab.simulate.network.quantities import in_unit
from twinlab.simulate.network.scaling import scaled_text

if TYPE_CHECKING:
    from twinlab.simulate.network.distributions import TimeDistribution
    from twinlab.simulate.network.flows import Demand
    from twinlab.simulate.network.nodes import Node
    from twinlab.simulate.network.parts import NetworkParts
    from twinlab.simulate.network.transporters import Transporters

__all__ = ["network_html", "network_text"]

#: Rows of a table that are shown; the rest is counted.
_ROWS: Final = 12
Rows = list[list[str]]


def network_text(network: NetworkParts) -> str:
    """Return name and size of a network, and its first nodes, transporters and sources of demand."""
    lines = [f"Network {network.name!r}: {_summary(network)}"]
    for title, head, rows, count in _tables(network):
        shown = [head, *rows]
        widths = [max(len(row[column]) for row in shown) for column in range(len(head))]
        lines.append(title)
        lines += [
            "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in shown
        ]
        lines += [f"  … {count - len(rows)} more"] if count > len(rows) else []
    return "\n".join(lines)


def network_html(network: NetworkParts) -> str:
    """Return the same as HTML."""
    parts = [f"<strong>{escape(network.title or network.name)}</strong>: {escape(_summary(network))}"]
    for title, head, rows, count in _tables(network):
        body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
        if count > len(rows):
            body += f'<tr><td colspan="{len(head)}">… {count - len(rows)} more</td></tr>'
        heads = "".join(f"<th>{escape(cell)}</th>" for cell in head)
        parts.append(f"<table><caption>{title}</caption><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>")
    return f"<div>{''.join(parts)}</div>"


def _summary(network: NetworkParts) -> str:
    vehicles = sum(group.count - group.out_of_service for group in network.transporters.values())
    counts = [
        (len(network.nodes), "node"),
        (sum(1 for _ in network.directed_links()), "link"),
        (vehicles, "transporter"),
        (len(network.demand), "source of demand"),
    ]
    return ", ".join(f"{count:,} {_plural(what, count)}" for count, what in counts)


def _plural(what: str, count: int) -> str:
    return what if count == 1 else what.replace("source", "sources") if " " in what else f"{what}s"


def _tables(network: NetworkParts) -> Sequence[tuple[str, list[str], Rows, int]]:
    found = [
        (
            "Nodes",
            ["name", "type", "servers", "mean service", "buffer"],
            _first(network.nodes, _node),
            len(network.nodes),
        ),
        (
            "Transporters",
            ["name", "type", "count", "capacity", "route or links"],
            _first(network.transporters, _group),
            len(network.transporters),
        ),
        ("Demand", ["name", "kind", "at", "rate", "to"], _first(network.demand, _demand), len(network.demand)),
    ]
    return [table for table in found if table[3]]


def _first(parts: Mapping[str, object], cells: object) -> Rows:
    return [[name, *cells(part)] for name, part in list(parts.items())[:_ROWS]]  # type: ignore[operator]


def _node(node: Node) -> list[str]:
    service = node.service
    times = {_time(one) for one in service.values()} if isinstance(service, dict) else {_time(service)}
    buffer = "" if node.buffer is None else f"{node.buffer}, {node.when_full}"
    return [node.type, str(node.servers), " / ".join(sorted(times)), buffer]


def _group(group: Transporters) -> list[str]:
    count = f"{group.count}" + (f" ({group.out_of_service} out of service)" if group.out_of_service else "")
    where = ", ".join(" → ".join(pair) for pair in group.links or ()) or " → ".join(group.route or ())
    return [group.type, count, str(group.capacity), _shortened(where)]


def _demand(demand: Demand) -> list[str]:
    if demand.interval is not None:
        rate = f"every {_time(demand.interval)}"
    else:
        rate = scaled_text(demand.rate or "", demand.batch)
    where = " → ".join(demand.route or ()) or ", ".join(
        f"{name} {share:.0%}" for name, share in (demand.to or {}).items()
    )
    return [demand.kind, demand.at, rate, _shortened(where)]


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"


def _time(distribution: TimeDistribution) -> str:
    seconds = distribution.mean_seconds
    unit = next((unit for unit in ("d", "h", "min") if seconds >= 2 * in_unit(f"1 {unit}", "s")), "s")
    return f"{seconds / in_unit(f'1 {unit}', 's'):.3g} {unit}"
