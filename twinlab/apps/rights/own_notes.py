"""Notes and alerts of the assets that a reader sees."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from twinlab.errors import UnknownTermError
from twinlab.languages import tr

if TYPE_CHECKING:
    import pandas as pd

    from twinlab.events.annotations import Annotation
    from twinlab.model.twinmodel import TwinModel

__all__ = ["OwnNotes"]


class OwnNotes:
    """The functions of a twin for notes and alerts, for exceptions of the assets that a reader sees.

    Notes on exceptions of events, and alerts of security, are for readers who see the whole twin.

    Parameters
    ----------
    twin : Any
        With the functions that are called.
    model : TwinModel
        The part of the model that is seen.
    sees : callable
        Called with asset type and asset; returns whether the asset is seen.
    """

    def __init__(self, twin: Any, model: TwinModel, sees: Callable[[str, str], bool]) -> None:
        self._twin, self._model, self._sees = twin, model, sees

    def notes(self, *, history: bool = False) -> pd.DataFrame:
        """Return the notes on exceptions of assets that are seen."""
        return self._visible(self._twin.notes(history=history))

    def alerts(self, *, state: str | None = None) -> pd.DataFrame:
        """Return the alerts of assets that are seen."""
        return self._visible(self._twin.alerts(state=state))

    def annotate(self, key: str, *, note: str | None = None, acknowledged: bool | None = None, author: str) -> None:
        """Write a note on an exception of an asset that is seen."""
        self._check(key)
        self._twin.annotate(key, note=note, acknowledged=acknowledged, author=author)

    def annotate_many(self, said: Sequence[Annotation]) -> None:
        """Write several notes on exceptions of assets that are seen, or none."""
        for one in said:
            self._check(one.about.key if one.about.kind == "exception" else "")
        self._twin.annotate_many(said)

    def snooze_alert(self, id: str, *, until: object, author: str) -> None:  # noqa: A002  (as of the twin)
        """Snooze an alert of an asset that is seen."""
        if id not in set(self.alerts()["id"]):
            msg = tr("there is no alert {id!r} that you may see", id=id)
            raise UnknownTermError(msg)
        self._twin.snooze_alert(id, until=until, author=author)

    def _visible(self, table: pd.DataFrame) -> pd.DataFrame:
        return table[[self._may(str(key)) for key in table["key"]]].reset_index(drop=True)

    def _may(self, key: str) -> bool:
        """Return whether the asset of an exception is seen; the rule is, if all that it compares is."""
        name, _, rest = key.partition("/")
        asset, _, when = rest.rpartition("/")
        rule = self._model.rules.get(name)
        return rule is not None and bool(when) and rule.on in self._model.asset_types and self._sees(rule.on, asset)

    def _check(self, key: str) -> None:
        if not self._may(key):
            msg = tr("there is no exception {key!r} of an asset that you may see", key=key)
            raise UnknownTermError(msg)
