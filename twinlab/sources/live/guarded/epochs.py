"""Which epochs and sequences a gateway may send: those after its latest handshake that aren't acknowledged for long. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from twinlab.edge.handshake import Birth

__all__ = ["Epochs"]

#: Seconds after which an acknowledgement has surely reached a gateway that has sent something since.
_SETTLED = 60.0
#: Seconds between two remembered acknowledgements.
_STEP = 10.0
#: Seconds for which rows of the epoch before may still be on their way.
_OVERLAP = 30.0


@dataclass
class _Gateway:
    token: int
    since: float
    birth: Birth | None = None
    earlier: set[int] = field(default_factory=set)
    # (time, sequence) of acknowledgements of the current epoch.
    acknowledged: deque[tuple[float, int]] = field(default_factory=deque)


class Epochs:
    """The latest epoch and acknowledgements of each gateway.

    Times are seconds of a clock that never goes back.

    Examples
    --------
    >>> epochs = Epochs()
    >>> epochs.begin("truck-1", Birth(7, 1, 0, 0, {}), now=0.0)
    ''
    >>> epochs.begin("truck-1", Birth(8, 1, 0, 0, {}), now=50.0)
    'epoch 0000000000000008 follows 0000000000000007: a new outbox, such as after a new disk'
    >>> epochs.fault_of_rows("truck-1", 7, 1, now=100.0)[0]
    'earlier epoch'
    """

    def __init__(self) -> None:
        self._gateways: dict[str, _Gateway] = {}

    def restore(self, gateway: str, tokens: list[int], durable: int, *, now: float) -> None:
        """Note the epochs of a gateway that the ledger knows, the latest last, and its latest durable row."""
        found = _Gateway(tokens[-1], now, earlier=set(tokens[:-1]))
        found.acknowledged.append((now, durable))
        self._gateways[gateway] = found

    def fault_of_birth(self, gateway: str, birth: Birth) -> tuple[str, str] | None:
        """Return why a handshake can't be the gateway's present one, as a reason's name and a sentence; None if it can."""
        known = self._gateways.get(gateway)
        if known is None:
            return None
        if birth.token in known.earlier:
            return (
                "earlier epoch",
                f"expected a handshake of epoch {known.token:016x}, got one of {birth.token:016x}, which ended",
            )
        before = known.birth
        if before is not None and before.token == birth.token and set(birth.runs) < set(before.runs):
            return "sequence again", (
                f"expected a handshake after {len(before.runs)} runs of the gateway, got an earlier one after {len(birth.runs)}"
            )
        return None

    def begin(self, gateway: str, birth: Birth, *, now: float) -> str:
        """Note a handshake; return what is new about it, empty if nothing is."""
        known = self._gateways.get(gateway)
        if known is not None and known.token == birth.token:
            known.birth = birth
            return ""
        found = self._gateways[gateway] = _Gateway(birth.token, now, birth)
        if known is None:
            return ""
        found.earlier = known.earlier | {known.token}
        return f"epoch {birth.token:016x} follows {known.token:016x}: a new outbox, such as after a new disk"

    def acknowledge(self, gateway: str, token: int, sequence: int, *, now: float) -> None:
        """Note that a gateway gets an acknowledgement."""
        known = self._gateways.get(gateway)
        if known is None or known.token != token:
            return
        if not known.acknowledged or now - known.acknowledged[-1][0] >= _STEP:
            known.acknowledged.append((now, sequence))

    def fault_of_rows(self, gateway: str, token: int, last: int, *, now: float) -> tuple[str, str] | None:
        """Return why rows up to ``last`` of an epoch can't be new, as a reason's name and a sentence; None if they can."""
        known = self._gateways.get(gateway)
        if known is None:
            return "no handshake", f"expected a handshake of epoch {token:016x} first, got rows"
        if token != known.token:
            if token in known.earlier and now - known.since < _OVERLAP:
                return None
            word = "earlier epoch" if token in known.earlier else "no handshake"
            return word, f"expected rows of epoch {known.token:016x}, got some of {token:016x}"
        while len(known.acknowledged) > 1 and now - known.acknowledged[1][0] >= _SETTLED:
            known.acknowledged.popleft()
        at, settled = known.acknowledged[0] if known.acknowledged else (now, 0)
        if now - at >= _SETTLED and last <= settled:
            return "sequence again", (
                f"expected rows after {settled}, which were acknowledged {now - at:.0f} s ago and longer, got some up to {last}"
            )
        return None
