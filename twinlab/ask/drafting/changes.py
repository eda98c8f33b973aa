"""Which changes a clause is: each kind of change says which words mean it, and needs its names and numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twinlab.ask.drafting.amounts import DOWN, UP
from twinlab.ask.drafting.fleets import groups_of
from twinlab.ask.errors import NotUnderstoodError

if TYPE_CHECKING:
    from twinlab.ask.drafting.clauses import Clause

__all__ = ["changes_of"]

Stated = list[dict[str, Any]]
#: Factor on times of travel in a storm of which nothing else is said.
_USUAL_STORM = 1.5


def changes_of(clause: Clause, before: Clause | None) -> Stated:
    """Return the changes that a clause says, as YAML has them.

    Parameters
    ----------
    clause : Clause
    before : Clause or None
        The clause before it, whose place counts where a place is needed and none is named.

    Raises
    ------
    NotUnderstoodError
        If it is no change, or a name or number is missing.
    """
    try:
        found = _made(clause, before)
    except NotUnderstoodError:
        _refuse_words([item.text for item in clause.items.all if item.kind == "unknown"], clause)
        raise
    clause.take(*UP, *DOWN, "by", *(("between",) if len(clause.nodes) == 2 else ()))
    _refuse_words(clause.items.not_understood(), clause)
    window = {} if clause.window is None else clause.window.stated()
    if clause.window is not None and clause.window.assumed_daily:
        clause.note("daily", **window)
    return [one | window for one in found]


def _made(clause: Clause, before: Clause | None) -> Stated:
    made = next((make for means, make in _KINDS if means(clause)), None)
    if made is None:
        clause.refuse("no_action", text=clause.text)
    return made(clause, before)


def _refuse_words(words: list[str], clause: Clause) -> None:
    if words:
        clause.refuse("words", words=", ".join(dict.fromkeys(words)))


# -- what is needed ---------------------------------------------------------------------------------------------------
def _factor(clause: Clause, what: str, direction: int | None = None) -> float:
    found = clause.amount.multiplier(direction)
    if found is None:
        clause.refuse("no_amount", what=what, text=clause.text)
    if not 0 < found <= 100:
        clause.refuse("bounds", what=what, value=f"{found:g}")
    return round(found, 6)


def _more(clause: Clause, what: str, there: int | None, *, one: bool = False) -> int:
    """Return how many more: a count with its sign, or a factor on those that are there."""
    amount = clause.amount
    factor = amount.multiplier()
    if factor is not None:
        if there is None:
            clause.refuse("no_number_there", what=what)
        more = round(there * (factor - 1))
        if abs(more - there * (factor - 1)) > 1e-9:
            clause.note("rounded", what=what, there=str(there), more=f"{more:+d}")
        return more
    count = 1 if amount.count is None and one else amount.count
    if count is None:
        clause.refuse("no_amount", what=what, text=clause.text)
    if count < 0:
        return count
    if amount.direction == 0:
        clause.refuse("more_or_fewer", what=what, text=clause.text)
    return amount.direction * count


def _nodes(clause: Clause, before: Clause | None, fits: Callable[[str], bool], what: str) -> list[str]:
    """Return the nodes of a clause: named, of a named type, those of the clause before, or the only one that fits."""
    network = clause.network
    if clause.nodes:
        return clause.nodes
    if clause.node_types:
        return [name for name, node in network.nodes.items() if node.type in clause.node_types]
    fitting = [name for name in network.nodes if fits(name)]
    inherited = [name for name in (before.nodes if before else ()) if fits(name)]
    if inherited:
        clause.note("same_place", place=", ".join(inherited), text=clause.text)
        # The clause after this one may mean the place, too.
        clause.nodes = inherited
        return inherited
    if len(fitting) != 1:
        clause.refuse("which_node", what=what, names=", ".join(fitting[:8]) or "–")
    clause.note("only_place", place=fitting[0], what=what)
    return fitting


# -- the kinds --------------------------------------------------------------------------------------------------------
def _storm(clause: Clause, before: Clause | None) -> Stated:
    del before
    clause.take("storm", "about travel", "about trips", "everywhere")
    if clause.amount.multiplier(1) is None and clause.amount.percent is None:
        clause.note("storm", percent=f"{(_USUAL_STORM - 1) * 100:g}")
        factor = _USUAL_STORM
    else:
        factor = _factor(clause, "storm", -1 if clause.has("do shorter", "do faster") else 1)
    nodes = clause.nodes or [
        name for name, node in clause.network.nodes.items() if node.type in clause.node_types and clause.node_types
    ]
    return [{"kind": "storm", "factor": factor} | ({"nodes": nodes} if nodes else {})]


def _travel(clause: Clause, before: Clause | None) -> Stated:
    del before
    clause.take("about travel", "about trips", "everywhere", "about links")
    if clause.amount.duration is not None:
        clause.refuse("in_percent", text=clause.text)
    slower = clause.has("do slower", "do longer", "do more")
    factor = _factor(
        clause, "travel", 1 if slower else -1 if clause.has("do shorter", "do faster", "do less") else None
    )
    if clause.nodes:
        clause.note("both_directions", place=", ".join(clause.nodes))
    return [{"kind": "storm", "factor": factor} | ({"nodes": clause.nodes} if clause.nodes else {})]


def _speed(clause: Clause, before: Clause | None) -> Stated:
    del before
    clause.take("about speed", "about trips")
    if clause.amount.duration is not None:
        clause.refuse("in_percent", text=clause.text)
    if clause.has("do longer", "do shorter"):
        factor = round(1 / _factor(clause, "travel", 1 if clause.has("do longer") else -1), 6)
    else:
        factor = _factor(clause, "speed")
        if clause.amount.factor is not None and factor > 1 and clause.has("do slower"):
            factor = round(1 / factor, 6)
    if not (clause.groups or clause.nodes):
        return [{"kind": "speed", "transporters": kind, "factor": factor} for kind in clause.carriers]
    return [{"kind": "speed", "transporters": name, "factor": factor} for name in groups_of(clause)]


def _fleet(clause: Clause, before: Clause | None) -> Stated:
    clause.take("about trips")
    if not clause.nodes and not clause.groups and before is not None and before.nodes and len(groups_of(clause)) > 1:
        clause.nodes = before.nodes
        clause.note("same_place", place=", ".join(before.nodes), text=clause.text)
    names = groups_of(clause)
    if not names:
        clause.refuse("no_group", text=clause.text)
    if len(names) > 1 and clause.amount.multiplier() is None:
        clause.refuse("which_group", names=", ".join(names[:8]))
    groups = clause.network.transporters
    if clause.amount.multiplier() is None and clause.has("do fail") and clause.amount.count is None:
        clause.note("one_fails", group=names[0])
        return [{"kind": "transporters", "transporters": names[0], "add": -1}]
    found = []
    for name in names:
        there = groups[name].count - groups[name].out_of_service
        found.append({"kind": "transporters", "transporters": name, "add": _more(clause, name, there, one=False)})
    return found


def _docks(clause: Clause, before: Clause | None) -> Stated:
    clause.take("about docks", "about all")
    network = clause.network
    nodes = _nodes(clause, before, lambda name: network.nodes[name].docks is not None, "docks")
    items = clause.items.all
    if clause.amount.count is not None and clause.amount.factor is None:
        number = next(
            (place for place, item in enumerate(items) if item.text.lstrip("+-") == str(clause.amount.count)), 0
        )
        if number and items[number - 1].symbol("about docks"):
            clause.note("dock_number", number=str(clause.amount.count))
            add = 1 if clause.amount.direction > 0 else -1
            return [{"kind": "docks", "node": node, "add": add} for node in nodes]
    return [
        {"kind": "docks", "node": node, "add": _more(clause, "docks", network.nodes[node].docks, one=True)}
        for node in nodes
    ]


def _servers(clause: Clause, before: Clause | None) -> Stated:
    clause.take("about servers")
    network = clause.network
    nodes = _nodes(clause, before, lambda name: network.nodes[name].servers != 0, "servers")
    if clause.has("do fail") and clause.window is not None:
        return [{"kind": "breakdown", "node": node, "servers": clause.amount.count or 1} for node in nodes]
    found = []
    for node in nodes:
        there = network.nodes[node].servers
        more = _more(clause, "servers", there if isinstance(there, int) else None, one=True)
        found.append({"kind": "servers", "node": node, "add": more})
    return found


def _set_point(clause: Clause, before: Clause | None) -> Stated:
    clause.take("about setpoint")
    network, kelvin = clause.network, clause.amount.kelvin
    if kelvin is None and clause.amount.count is not None:
        kelvin = float(clause.amount.count)
        clause.note("kelvin", number=f"{kelvin:g}")
    if kelvin is None:
        clause.refuse("no_amount", what="set-point", text=clause.text)
    direction = 1 if clause.has("do warmer") else -1 if clause.has("do colder") else clause.amount.direction
    if clause.has("to") and not clause.has("by") and any(
        item.symbol("to") and after.kind == "number" for item, after in zip(clause.items.all, clause.items.all[1:], strict=False)
    ):  # fmt: skip
        clause.refuse("by_degrees", text=clause.text)
    if direction == 0 and kelvin >= 0:
        clause.refuse("more_or_fewer", what="set-point", text=clause.text)
    by = kelvin if kelvin < 0 else direction * kelvin
    if not -50 <= by <= 50:
        clause.refuse("bounds", what="set-point", value=f"{by:+g} K")
    if clause.node_types and not clause.nodes:
        return [{"kind": "set_point", "node": kind, "by": f"{by:g} K"} for kind in clause.node_types]
    nodes = _nodes(clause, before, lambda name: network.nodes[name].climate is not None, "set-point")
    return [{"kind": "set_point", "node": node, "by": f"{by:g} K"} for node in nodes]


def _service(clause: Clause, before: Clause | None) -> Stated:
    clause.take("about service", "about travel")
    if clause.has("do slower", "do longer", "do more"):
        direction: int | None = 1
    else:
        direction = -1 if clause.has("do faster", "do shorter", "do less") else None
    factor = _factor(clause, "service", direction)
    if clause.amount.factor is not None and factor > 1 and clause.has("do faster"):
        factor = round(1 / factor, 6)
    nodes = (
        clause.node_types
        if clause.node_types and not clause.nodes
        else _nodes(clause, before, lambda _: True, "service")
    )
    return [{"kind": "service", "node": node, "factor": factor} for node in nodes]


def _reliability(clause: Clause, before: Clause | None) -> Stated:
    del before
    repairs = clause.take("about repairs")
    clause.take("about breakdowns", "about travel")
    direction = (
        {True: 1, False: -1}.get(clause.has("do longer", "do slower", "do more")) if clause.amount.percent else None
    )
    factor = _factor(clause, "repairs" if repairs else "breakdowns", direction)
    of = clause.nodes or clause.groups or clause.node_types or clause.carriers
    if not of:
        clause.refuse(
            "which_node", what="breakdowns", names=", ".join([*clause.network.nodes, *clause.network.transporters][:8])
        )
    field, value = ("repair", factor) if repairs else ("uptime", round(1 / factor, 6))
    return [{"kind": "reliability", "of": name, field: value} for name in of]


def _closed_link(clause: Clause, before: Clause | None) -> Stated:
    del before
    clause.take("about links", "about trips", "do close", "do fail")
    if len(clause.nodes) != 2:
        clause.refuse("two_ends", text=clause.text)
    one_way = clause.has("one_way")
    clause.take("one_way", "both_ways")
    if not one_way:
        clause.note("both_ways", a=clause.nodes[0], b=clause.nodes[1])
    stated = {"kind": "reroute", "closed": [list(clause.nodes)]}
    return [stated | ({"both_ways": False} if one_way else {})]


def _departures(clause: Clause, before: Clause | None) -> Stated:
    del before
    clause.take("every", "about departures", "about trips")
    if clause.amount.duration is None:
        clause.refuse("no_amount", what="departures", text=clause.text)
    names = groups_of(clause)
    if len(names) != 1:
        clause.refuse("which_group", names=", ".join(names[:8] or list(clause.network.transporters)[:8]))
    return [{"kind": "timetable", "transporters": names[0], "every": clause.amount.duration}]


def _demand(clause: Clause, before: Clause | None) -> Stated:
    del before
    clause.take("about demand", "everywhere")
    factor = _factor(clause, "demand")
    nodes = clause.nodes or [name for name, node in clause.network.nodes.items() if node.type in clause.node_types]
    stated: dict[str, Any] = {"kind": "demand", "factor": factor}
    kinds = {demand.kind for demand in clause.network.demand.values()}
    if clause.entities and set(clause.entities) != kinds:
        stated["kinds"] = clause.entities
    return [stated | ({"nodes": nodes} if nodes else {})]


def _close(clause: Clause, before: Clause | None) -> Stated:
    nodes = list(clause.nodes) or list(_nodes(clause, before, lambda _: True, "close"))
    stated: dict[str, Any] = {"kind": "close"}
    if clause.take("reroute"):
        stated["entities"] = "reroute"
    if clause.take("instead"):
        if len(nodes) != 2:
            clause.refuse("instead", text=clause.text)
        stated["instead"] = nodes.pop()
        clause.note("instead", place=stated["instead"])
    elif "entities" not in stated:
        clause.note("wait", place=", ".join(nodes))
    return [stated | {"node": node} for node in nodes]


def _is_link(clause: Clause) -> bool:
    closed = clause.has("do close", "do fail")
    return closed and (
        clause.has("about links") or (len(clause.nodes) == 2 and clause.has("between") and not clause.carriers)
    )


def _is_fleet(clause: Clause) -> bool:
    named = bool(clause.carriers or clause.groups) or clause.has("about trips")
    return named and (clause.has("do more", "do less", "do fail", "factor ") or clause.amount.multiplier() is not None)


def _is_speed(clause: Clause) -> bool:
    moving = bool(clause.carriers or clause.groups)
    if clause.has("about speed"):
        return moving
    return moving and clause.has("do faster", "do slower", "do longer", "do shorter")


#: Which words mean a kind, and how it is made; the first that fits counts.
_KINDS: tuple[tuple[Callable[[Clause], bool], Callable[[Clause, Clause | None], Stated]], ...] = (
    (lambda c: c.has("about docks"), _docks),
    (lambda c: c.has("about repairs", "about breakdowns"), _reliability),
    (lambda c: c.has("about setpoint", "do warmer", "do colder"), _set_point),
    (lambda c: c.has("about service"), _service),
    (lambda c: c.has("storm"), _storm),
    (lambda c: c.has("every"), _departures),
    (lambda c: c.has("about servers"), _servers),
    (_is_link, _closed_link),
    (_is_speed, _speed),
    (lambda c: c.has("about demand") or (bool(c.entities) and not c.carriers), _demand),
    (lambda c: c.has("do slower", "do longer", "do faster", "do shorter") or c.has("about travel"), _travel),
    (_is_fleet, _fleet),
    (lambda c: c.has("do close", "do fail") and not c.carriers, _close),
)
