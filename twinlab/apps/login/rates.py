"""Limits on how often somebody may ask: a token bucket for each of them."""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

__all__ = ["Bucket", "Buckets", "network"]


@dataclass
class Bucket:
    """Tokens that come at a steady rate, up to a most; each request takes one.

    Parameters
    ----------
    rate : float
        Tokens a second.
    burst : float
        Most tokens; there are so many at first.
    clock : callable
        Monotonic time, seconds.

    Examples
    --------
    >>> bucket = Bucket(rate=1, burst=2, clock=lambda: 0.0)
    >>> [bucket.take() for _ in range(3)]
    [True, True, False]
    """

    rate: float
    burst: float
    clock: Callable[[], float] = time.monotonic
    tokens: float = field(init=False)
    _last: float = field(init=False)

    def __post_init__(self) -> None:
        self.tokens, self._last = self.burst, self.clock()

    def take(self, cost: float = 1.0) -> bool:
        """Take tokens if there are enough; return whether there were."""
        now = self.clock()
        self.tokens = min(self.burst, self.tokens + (now - self._last) * self.rate)
        self._last = now
        if self.tokens < cost:
            return False
        self.tokens -= cost
        return True


class Buckets:
    """A bucket for each key; keys that haven't asked for longest are forgotten, at first those beyond ``most``.

    Parameters
    ----------
    rate, burst, clock
        As for `Bucket`.
    most : int
        Number of keys.
    """

    def __init__(
        self, *, rate: float, burst: float, most: int = 10_000, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.rate, self.burst, self._most, self._clock = rate, burst, most, clock
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, key: str) -> bool:
        """Take a token of a key; return whether there was one."""
        bucket = self._buckets.pop(key, None) or Bucket(self.rate, self.burst, self._clock)
        self._buckets[key] = bucket
        while len(self._buckets) > self._most:
            self._buckets.popitem(last=False)
        return bucket.take()


def network(address: str | None) -> str:
    """Return the network by which requests and failures are counted: whoever has one IPv6 address has 2^64 of them.

    >>> network("192.0.2.7"), network("2001:db8::1:2:3")
    ('192.0.2.7', '2001:db8::/64')
    """
    try:
        found = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return str(address)
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is None:
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)
