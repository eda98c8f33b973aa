"""One cache for all readers with the same rights, and none between readers with different ones."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from twinlab.apps.rights.restricted_twin import RestrictedTwin
from twinlab.explore.kit.session import Shared

if TYPE_CHECKING:
    from twinlab.apps.rights.rights import Rights
    from twinlab.model.reader import TwinReader

__all__ = ["Audiences"]

#: Caches that are kept; the one that was used least recently is dropped.
_MOST = 16


class Audiences:
    """Twins as readers with different rights see them, each with its cache.

    Parameters
    ----------
    twin : TwinReader
        The whole twin.
    shared : Shared, optional
        Cache of the whole twin, for readers who may see everything.
    """

    def __init__(self, twin: TwinReader, *, shared: Shared | None = None) -> None:
        self.twin = twin
        self.whole = shared or Shared(twin)
        self._others: OrderedDict[str, Shared] = OrderedDict()
        self._lock = threading.Lock()

    def shared(self, rights: Rights | None) -> Shared:
        """Return the cache for a reader; its ``twin`` is what they may see. None is somebody without a login."""
        if rights is None or rights.see_everything(self.twin.model):
            return self.whole
        # The rules, not the names of the roles, decide what is seen.
        rules = rights.policy.rules(rights.roles)
        key = f"{rights.purpose} " + " ".join(f"{role}={rules[role].model_dump_json()}" for role in sorted(rules))
        with self._lock:
            found = self._others.pop(key, None) or Shared(RestrictedTwin(self.twin, rights))
            self._others[key] = found
            while len(self._others) > _MOST:
                self._others.popitem(last=False)
        return found
