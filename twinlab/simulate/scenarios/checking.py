"""What of a scenario doesn't fit a network or a run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from twinlab.errors import SchemaError, TwinlabError
from twinlab.model.check import Finding
from twinlab.simulate.network.network import Network
from twinlab.simulate.scenarios.change import Change
from twinlab.simulate.scenarios.overlaps import contradictions, in_order, overlap
from twinlab.simulate.scenarios.windows import Span, spans

__all__ = ["scenario_findings"]


def scenario_findings(changes: Sequence[Change], network: Network, run: Span | None) -> list[Finding]:
    """Return all faults of changes with regard to a network, and to a run where it is known, each with its path.

    Each change is checked on the network with those changes before it that are in effect at the same time.
    """
    found: list[Finding] = []
    fitting: list[int] = []
    for place in in_order(changes):
        change = changes[place]
        before = network
        for other in fitting:
            if overlap(change, changes[other], run):
                before = changes[other].applied(before)
        faults = [_below(("changes", place), one) for one in _faults(change, before, run)]
        found += faults
        if not faults:
            fitting.append(place)
    if len(fitting) == len(changes):
        found += contradictions(changes, network, run)
    return sorted(found, key=lambda one: str(one.path))


def _below(path: tuple[str | int, ...], one: Finding) -> Finding:
    return Finding((*path, *one.path), one.kind, one.message, one.line)


def _faults(change: Change, network: Network, run: Span | None) -> Iterator[Finding]:
    if run is not None and not spans(change.start, change.stop, first=run[0], last=run[1]):
        field = "start" if change.start is not None else "stop"
        window = " to ".join(str(text) for text in (change.start, change.stop) if text is not None)
        span = " to ".join(str(one.astype("M8[s]")) for one in run)
        yield Finding((field,), SchemaError, f"expected a window within the run from {span} (UTC), got {window}")
    faults = list(change.faults(network))
    yield from faults
    if faults:
        return
    try:
        after = change.applied(network)
    except TwinlabError as error:
        yield Finding((), SchemaError, f"makes an impossible network: {_reason(error)}")
        return
    if after == network:
        yield Finding((), SchemaError, f"changes nothing: {change.words(network)}; remove it, or state other values")


def _reason(error: TwinlabError) -> str:
    return "; ".join(line.removeprefix("Network: ") for line in str(error).splitlines())
