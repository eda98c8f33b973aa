"""Conformance check of a kind of change: what scenarios rely on when they change a network for somebody."""

from __future__ import annotations

import json

import numpy as np

from twinlab.errors import TwinlabError
from twinlab.simulate.network.network import Network
from twinlab.simulate.scenarios.change import Change
from twinlab.simulate.scenarios.scenario import Scenario

__all__ = ["check_change"]


def check_change(change: Change, network: Network) -> None:
    """Check that a change, and so its kind, changes a network as scenarios rely on it.

    It is stated in plain data and read back equal, and an unknown key is refused; it fits the network, changes it, says what
    it changes and leaves the network that it was given as it is; a name that doesn't exist is a fault; in a window it leaves no
    trace before and after, and all parts of the run have the same nodes, links, demand and transporters.

    Parameters
    ----------
    change : Change
        A change of the kind to check.
    network : Network
        A network that it fits.

    Raises
    ------
    AssertionError
        With a sentence that says what is wrong.

    >>> from twinlab.simulate.scenarios import Servers
    >>> bank = Network(name="bank", nodes={"desk": {"type": "desk", "servers": 2}})
    >>> check_change(Servers(node="desk", add=1), bank)
    """
    _check(isinstance(change, Change), f"{type(change).__name__} doesn't derive from twinlab.simulate.scenarios.Change")
    _check_stated(change)
    faults = [f"{'.'.join(map(str, one.path))}: {one.message}" for one in change.faults(network)]
    _check(not faults, f"the change doesn't fit the network: {'; '.join(faults)}")
    before = network.content_hash()
    after = change.applied(network)
    _check(isinstance(after, Network), f"applied returned a {type(after).__name__}, not a Network")
    _check(network.content_hash() == before, "applied has changed the network that it was given; return another one")
    _check(after != network, "the change changes nothing")
    _check(change.applied(network) == after, "the changed network isn't the same twice")
    words = change.summary(network)
    _check(bool(words.strip()) and "\n" not in words, f"expected a summary of one line, got {words!r}")
    effects = change.effects(network)
    _check(bool(effects), "effects names nothing that is changed")
    other = sorted({*effects.values()} - {"set", "adjust"})
    _check(not other, f"expected the effects 'set' and 'adjust', got {other}")
    if after.transporters != network.transporters:
        named = any(path.startswith("transporters.") for path in effects)
        _check(named, "transporters are changed, and effects names no path that begins with 'transporters.'")
    _check_names(change, network)
    if change.windows:
        _check_window(change, network)


def _keys(change: Change) -> dict[str, object]:
    """Return what a change states, as a YAML file has it."""
    keys: dict[str, object] = Scenario("checked", changes=(change,)).stated()["changes"][0]
    return keys


def _check_stated(change: Change) -> None:
    kind = type(change)
    default = kind.model_fields["kind"].default
    _check(default == change.kind, f"expected its `kind` to have the default {change.kind!r}, got {default!r}")
    stated = json.loads(json.dumps(_keys(change)))
    _check(kind.model_validate(stated) == change, f"the change isn't the same when it is read back from {stated}")
    try:
        kind(**(dict(change) | {"no_such_key": 1}))
    except TwinlabError:
        return
    raise AssertionError(f"{kind.__name__}: expected an unknown key to be refused")  # noqa: TRY003, EM102


def _check_names(change: Change, network: Network) -> None:
    groups = (network.nodes, network.transporters, network.demand, network.calendars, network.profiles)
    types = {node.type for node in network.nodes.values()} | {group.type for group in network.transporters.values()}
    known = types.union(*groups)
    for field in type(change).model_fields.keys() - {"kind", "start", "stop"}:
        value = getattr(change, field)
        if isinstance(value, str) and value in known:
            wrong = change.model_copy(update={field: "no_such_name"})
            found = bool(list(wrong.faults(network)))
            _check(found, f"{field!r} is {value!r}, a name of the network; a name that doesn't exist isn't a fault")


def _check_window(change: Change, network: Network) -> None:
    windowed = type(change).model_validate(_keys(change) | {"start": "1h", "stop": "2h"})
    if list(windowed.faults(network)):
        return  # a kind may refuse some changes for a window only
    start = np.datetime64("2026-01-05", "ns")
    parts = Scenario("checked", network, (windowed,)).parts(start=start, stop=start + np.timedelta64(3, "h"))
    first, within, last = (part.network for part in parts)
    _check(first == last, "a change in a window leaves traces in the network after it")
    _check(within != first, "a change in a window changes nothing")
    for name in ("nodes", "transporters", "demand"):
        same = getattr(within, name).keys() == getattr(first, name).keys()
        _check(same, f"a change in a window adds or removes {name}; set `windows = False`")
    ways = [[(link.origin, link.destination) for link in one.directed_links()] for one in (first, within)]
    _check(ways[0] == ways[1], "a change in a window adds or removes links; set `windows = False`")


def _check(condition: bool, message: str) -> None:  # noqa: FBT001
    if not condition:
        raise AssertionError(message)
