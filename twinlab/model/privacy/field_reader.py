"""A reader that shows some of the fields of a twin: the same filter for roles and for purposes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from twinlab.errors import UnknownTermError
from twinlab.model.privacy.filtered_model import Sees, filtered_model
from twinlab.model.reader import DelegatingReader, TwinReader
from twinlab.model.schema import EVENT_COLUMNS
from twinlab.model.terms import nearest

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from twinlab.model.twinmodel import TwinModel

__all__ = ["FieldReader"]

OwnerT = TypeVar("OwnerT")


class FieldReader(DelegatingReader):
    """A twin with the fields alone that somebody sees; nothing beyond `TwinReader` can be reached through it.

    Parameters
    ----------
    twin : TwinReader
    sees : callable
        (asset type or event type, field, its entry in the model) -> whether it is seen. Asked once for each field.
    refusal : callable, optional
        (owner, field) -> error for a field of the twin that isn't seen; None for the error of a name that doesn't exist.
    without : set of str
        Asset types that aren't seen at all.
    """

    def __init__(
        self,
        twin: TwinReader,
        sees: Sees,
        *,
        refusal: Callable[[str, str], Exception | None] | None = None,
        without: Iterable[str] = (),
    ) -> None:
        self.__twin, self.__sees, self.__refusal = twin, sees, refusal
        self.__without = frozenset(without)

    @property
    def _source(self) -> TwinReader:
        return self.__twin

    @cached_property
    def model(self) -> TwinModel:
        """The twin's model without the fields that aren't seen."""
        return filtered_model(self.__twin.model, self.__sees, without=self.__without)

    def history(
        self,
        asset_type: str,
        *,
        signals: Sequence[str] | None = None,
        assets: Sequence[str] | None = None,
        start: object = None,
        stop: object = None,
        step: str | None = None,
    ) -> xr.Dataset:
        """Return the history of the signals that are seen; see `twinlab.Twin.history`."""
        wanted = self._signals(asset_type, signals)
        return self._source.history(asset_type, signals=wanted, assets=assets, start=start, stop=stop, step=step)

    def _signals(self, asset_type: str, signals: Sequence[str] | None) -> list[str]:
        """Return the signals that are asked for, once each of them is seen."""
        known = self._owner(asset_type, self.model.asset_types, "asset type").signals
        for name in signals or ():
            if name not in known:
                raise self._error(asset_type, name, "signal", known)
        if not known:
            first = next(iter(self._source.model.asset_types[asset_type].signals), "")
            raise self._error(asset_type, first, "signal", known)
        return list(known if signals is None else signals)

    def _owner(self, name: str, known: dict[str, OwnerT], what: str) -> OwnerT:
        if name not in known:
            raise self._error(name, "", what, known)
        return known[name]

    def _error(self, owner: str, field: str, what: str, known: Iterable[str]) -> Exception:
        refused = None if self.__refusal is None else self.__refusal(owner, field)
        if refused is not None:
            return refused
        name = field or owner
        of_owner = f" of {owner!r}" if field else ""
        return UnknownTermError(f"there is no {what} {name!r}{of_owner}{nearest(name, known)}")

    def events(
        self, event_type: str, *, start: object = None, stop: object = None, assets: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """Return the events of one type, without the columns that aren't seen."""
        if event_type in self.model.events:
            return self._source.events(event_type, start=start, stop=stop, assets=assets)
        seen = self._owner(event_type, self.model.event_types, "event type")
        if assets is not None and seen.asset != self._source.model.event_types[event_type].asset:
            # Which assets have an event would show what isn't seen.
            raise self._error(event_type, "asset", "column", EVENT_COLUMNS)
        table = self._source.events(event_type, start=start, stop=stop, assets=assets)
        whole = self._source.model.event_types[event_type]
        hidden = [name for name in whole.properties if name not in seen.properties]
        hidden += [name for name in whole.links if name not in seen.links]
        hidden += ["asset"] if whole.asset != seen.asset else []
        return table.drop(columns=[name for name in hidden if name in table.columns])

    def assets(self, asset_type: str) -> pd.DataFrame:
        """Return the assets of one type, without the properties that aren't seen."""
        seen = self._owner(asset_type, self.model.asset_types, "asset type").properties
        table = self._source.assets(asset_type)
        whole = self._source.model.asset_types[asset_type].properties
        return table.drop(columns=[name for name in whole if name not in seen and name in table.columns])

    def relationships(self, relationship: str) -> pd.DataFrame:
        """Return the links of one type: ``source, target, valid_from, valid_until``."""
        self._owner(relationship, self.model.relationships, "relationship")
        return self._source.relationships(relationship)

    def steps(self, asset_type: str, signal: str) -> tuple[str, ...]:
        """Return the steps at which rollups of a signal are available, finest first."""
        self._signals(asset_type, [signal])
        return self._source.steps(asset_type, signal)
