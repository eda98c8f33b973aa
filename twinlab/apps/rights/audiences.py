"""One cache for all readers with the same rights, and none between readers with different ones."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
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
    for_purpose : callable, optional
        (purpose, user's name) -> reader of the twin for a purpose, which records the user's reads of personal data. Without it
        nobody sees any.
    """

    def __init__(
        self,
        twin: TwinReader,
        *,
        shared: Shared | None = None,
        for_purpose: Callable[[str, str], TwinReader] | None = None,
    ) -> None:
        self.twin = twin
        self._for_purpose = for_purpose
        self.whole = shared or Shared(twin)
        self._others: OrderedDict[str, Shared] = OrderedDict()
        self._lock = threading.Lock()

    def shared(self, rights: Rights | None, *, user: str = "") -> Shared:
        """Return the cache for a reader; its ``twin`` is what they may see. Rights of None are those without a login.

        For a purpose, each user has a cache of their own: who read what is recorded, and a row from the cache of somebody
        else wouldn't be.
        """
        model = self.twin.model
        if rights is None or (rights.see_everything(model) and not model.commands):
            return self.whole
        # The rules, not the names of the roles, decide what is seen.
        rules = rights.policy.rules(rights.roles)
        key = f"{rights.purpose} {user if rights.purpose else ''!r} " + " ".join(
            f"{role}={rules[role].model_dump_json()}" for role in sorted(rules)
        )
        with self._lock:
            found = self._others.pop(key, None) or Shared(self._restricted(rights, user))
            self._others[key] = found
            while len(self._others) > _MOST:
                self._others.popitem(last=False)
        return found

    def _restricted(self, rights: Rights, user: str) -> RestrictedTwin:
        if rights.purpose is None or self._for_purpose is None:
            return RestrictedTwin(self.twin, rights)
        return RestrictedTwin(self.twin, rights, data=self._for_purpose(rights.purpose, user))
