"""A twin as one reader may see it: assets, fields and functions beyond their rights aren't there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from twinlab.apps.rights.functions import HARMLESS, OF_ASSETS, OF_PAGES, OF_WHOLE_TWIN, WITH_ASSET, WITH_COMMAND
from twinlab.apps.rights.masks import masked_columns, masked_history
from twinlab.apps.rights.own_notes import OwnNotes
from twinlab.apps.rights.pages import opens_page
from twinlab.apps.rights.rights import FieldClass, Rights, field_class, id_class, is_personal
from twinlab.errors import ControlError, SchemaError, UnknownTermError
from twinlab.events import CachedReader
from twinlab.languages import tr
from twinlab.model.access.questions import ReadAsset
from twinlab.model.privacy.filtered_model import filtered_model
from twinlab.model.reader import DelegatingReader
from twinlab.model.terms import nearest

if TYPE_CHECKING:
    import xarray as xr

    from twinlab.model.reader import TwinReader
    from twinlab.model.twinmodel import EventType, TwinModel

__all__ = ["RestrictedTwin"]


class RestrictedTwin(DelegatingReader):
    """A twin without what a reader may not see. Something that they may not see is as unknown as what doesn't exist.

    Parameters
    ----------
    twin : TwinReader
        Whose functions it has, as far as they are allowed.
    rights : Rights
    data : TwinReader, optional
        Reader of the twin for the purpose of the rights, which records reads of personal data. By default the twin itself, of
        which no personal data are then seen.

    Raises
    ------
    UnknownTermError
        From each method, if an asset, a type, a signal or an event type isn't seen.
    """

    def __init__(self, twin: TwinReader, rights: Rights, *, data: TwinReader | None = None) -> None:
        self._twin, self._data = twin, twin if data is None else data
        # Without the reader of a purpose, none counts.
        self._rights = rights if data is not None else replace(rights, purpose=None)
        self._cached = CachedReader(self._data)
        self._model: tuple[TwinModel, TwinModel, bool] | None = None
        limited = frozenset[str]() if self._whole else OF_ASSETS
        for name in sorted(self._functions() - WITH_ASSET - WITH_COMMAND - limited):
            # Pages look for methods on the object itself; properties are asked for each time (`__getattr__`).
            if callable(getattr(type(twin), name, None)):
                setattr(self, name, getattr(twin, name))

    def _functions(self) -> frozenset[str]:
        """Return the functions that the reader has, as far as the twin has them."""
        pages = [names for page, names in OF_PAGES.items() if opens_page(self._rights, page)]
        whole = OF_WHOLE_TWIN if self._whole else OF_ASSETS
        return HARMLESS.union(WITH_ASSET, whole, *pages)

    @property
    def _source(self) -> TwinReader:
        return self._data

    @property
    def model(self) -> TwinModel:
        """The part of the twin's model that is seen."""
        return self._views()[1]

    @property
    def _whole(self) -> bool:
        return self._views()[2]

    def _views(self) -> tuple[TwinModel, TwinModel, bool]:
        """Return the twin's model, the part that is seen, and whether all assets and signals are."""
        model = self._data.model
        if self._model is None or self._model[0] is not model:
            self._model = (model, _visible(model, self._rights), self._rights.see_whole(self._twin.model))
        return self._model

    # -- reading ------------------------------------------------------------------------------------------------------

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
        """Return the history of the signals and assets that are seen."""
        known = _known(asset_type, self.model.asset_types, "asset type").signals
        names = list(known) if signals is None else [_checked(name, known, "signal") for name in signals]
        seen = {name: self._assets_seen(asset_type, field_class(known[name])) for name in names}
        some = self._some(asset_type, assets, list(seen.values()))
        found = self._data.history(asset_type, signals=names, assets=some, start=start, stop=stop, step=step)
        return masked_history(found, known, seen)

    def events(
        self, event_type: str, *, start: object = None, stop: object = None, assets: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """Return the events of assets that are seen, with the fields that are."""
        finder = self.model.events.get(event_type)
        if finder is None:
            spec = _known(event_type, self.model.event_types, "event type")
            asset_type, links = spec.asset, spec.links
        else:
            spec, asset_type, links = None, finder.on, {}
        if assets is not None and asset_type is not None:
            asked = pd.Series(list(assets), dtype=object)
            assets = self._some(asset_type, assets, [self._ids_seen(asset_type, asked)])
        found = self._data.events(event_type, start=start, stop=stop, assets=assets)
        if spec is not None:
            whole = self._data.model.event_types[event_type]
            found = found.drop(columns=[name for name in _fields(whole) if name not in _fields(spec)], errors="ignore")
        return self._visible_rows(found, asset_type, links, spec)

    def assets(self, asset_type: str) -> pd.DataFrame:
        """Return the assets that are seen, with the properties that are."""
        spec = _known(asset_type, self.model.asset_types, "asset type")
        table = self._cached.assets(asset_type)
        hidden = set(self._data.model.asset_types[asset_type].properties) - set(spec.properties)
        out = table.drop(columns=[name for name in table.columns if name in hidden])
        allowed = self._assets_seen(asset_type, id_class(spec))
        if allowed is not None:
            out = out[out.index.isin(list(allowed))]
        seen = {name: self._assets_seen(asset_type, field_class(field)) for name, field in spec.properties.items()}
        return masked_columns(out, pd.Series(out.index, index=out.index), seen)

    def relationships(self, relationship: str) -> pd.DataFrame:
        """Return the links between assets that are both seen."""
        spec = _known(relationship, self.model.relationships, "relationship")
        table = self._data.relationships(relationship)
        for column, kind in (("source", spec.source), ("target", spec.target)):
            allowed = self._ids_seen(kind, table[column])
            if allowed is not None:
                table = table[table[column].isin(list(allowed))]
        return table

    def steps(self, asset_type: str, signal: str) -> tuple[str, ...]:
        """Return the steps at which rollups of a signal are available."""
        _checked(signal, _known(asset_type, self.model.asset_types, "asset type").signals, "signal")
        return self._data.steps(asset_type, signal)

    # -- which assets -------------------------------------------------------------------------------------------------

    def _assets_seen(self, asset_type: str, looked_at: FieldClass) -> frozenset[str] | None:
        """Return the assets whose fields of a class are seen; None: all."""
        if self._rights.sees_class_of_all(asset_type, looked_at):
            return None

        def find() -> frozenset[str]:
            table = self._cached.assets(asset_type)
            rows = table.to_dict("index")
            return frozenset(
                str(one)
                for one, properties in rows.items()
                if self._rights.sees_class_of(ReadAsset(asset_type, str(one), properties), looked_at)
            )

        return self._cached.cached(("assets seen", asset_type, looked_at), find)

    def _ids_seen(self, asset_type: str, ids: pd.Series) -> frozenset[str] | None:
        """Return the assets that are seen; None: all."""
        return self._seen_of(asset_type, ids, id_class(self.model.asset_types[asset_type]))

    def _seen_of(self, asset_type: str, ids: pd.Series, looked_at: FieldClass) -> frozenset[str] | None:
        """Return the assets that are seen, among them those of a table that the twin has no properties of; None: all."""
        seen = self._assets_seen(asset_type, looked_at)
        if seen is None:
            return None
        others = set(map(str, ids.dropna().unique())).difference(map(str, self._cached.assets(asset_type).index))
        return seen | {one for one in others if self._rights.sees_class_of(ReadAsset(asset_type, one), looked_at)}

    def _some(
        self, asset_type: str, asked: Sequence[str] | None, seen: Sequence[frozenset[str] | None]
    ) -> list[str] | None:
        """Return the assets to read of those that were asked for, all of which have to be seen; None: all."""
        if not seen or None in seen:
            # One of the fields is seen of every asset.
            return None if asked is None else list(asked)
        union = frozenset[str]().union(*(one for one in seen if one is not None))
        if asked is not None:
            return [_checked(one, union, "asset") for one in asked]
        return [str(one) for one in self._cached.assets(asset_type).index if str(one) in union]

    def _visible_rows(
        self, table: pd.DataFrame, asset_type: str | None, links: dict[str, str], spec: EventType | None
    ) -> pd.DataFrame:
        """Return the rows whose own asset is seen, or without one, of which a linked asset is; other links are empty."""
        own = table["asset"] if asset_type is not None else pd.Series(pd.NA, index=table.index, dtype=object)
        allowed = None if asset_type is None else self._ids_seen(asset_type, own)
        linked = {key: self._ids_seen(kind, table[key]) for key, kind in links.items() if key in table}
        if allowed is not None or any(one is not None for one in linked.values()):
            rows = own.notna() if allowed is None else own.isin(list(allowed))
            others = pd.DataFrame({
                key: table[key].notna() if seen is None else table[key].isin(list(seen)) for key, seen in linked.items()
            }, index=table.index)  # fmt: skip
            given = table[list(linked)].notna().any(axis=1) if linked else pd.Series(data=False, index=table.index)
            rows |= own.isna() & (others.any(axis=1) | ~given)
            table, own = table[rows].reset_index(drop=True), own[rows].reset_index(drop=True)
            for key, seen in linked.items():
                table = masked_columns(table, table[key], {key: seen})
        if spec is None or asset_type is None:
            return table
        classes = {name: field_class(field) for name, field in spec.properties.items()}
        seen_of = {one: self._seen_of(asset_type, own, one) for one in set(classes.values())}
        return masked_columns(table, own, {name: seen_of[one] for name, one in classes.items()})

    # -- functions ----------------------------------------------------------------------------------------------------

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self._functions():
            raise AttributeError(name)
        found = getattr(self._twin, name)
        if name in OF_ASSETS and not self._whole:
            return getattr(OwnNotes(self._twin, self.model, self._sees_asset), name)
        if name in WITH_ASSET:
            return partial(self._asked_of_asset, found)
        if name in WITH_COMMAND:
            return partial(self._propose if name == "propose" else self._plan, found)
        return found

    def _sees_asset(self, asset_type: str, asset: str) -> bool:
        seen = self._ids_seen(asset_type, pd.Series([asset], dtype=object))
        return seen is None or asset in seen

    def _asked_of_asset(
        self, function: Callable[..., Any], what: object, signal: str | None = None, *more: object, **options: object
    ) -> object:
        self._check_asset(what, signal)
        return function(what, signal, *more, **options)

    def _propose(
        self, function: Callable[..., Any], /, target: str, parameter: str, value: object, *, reason: str
    ) -> object:
        """Propose a command that the role may send; any other is neither simulated nor stored."""
        self._check_command(target, str(parameter))
        return function(target, parameter, value, reason=reason)

    def _plan(self, function: Callable[..., Any], /, plan_id: str) -> object:
        """Return a plan, which anybody may have proposed, of a command that the role may send."""
        plan = function(plan_id)
        self._check_command(plan.proposal.target, plan.proposal.parameter)
        return plan

    def _check_command(self, target: str, parameter: str) -> None:
        kind, _, asset = target.partition("/")
        table = self._cached.assets(kind) if kind in self._data.model.asset_types else pd.DataFrame()
        properties = dict(table.loc[asset]) if asset in table.index else {}
        decision = self._rights.sends(kind, asset, parameter, properties)
        if not decision:
            raise ControlError(decision.reason)

    def _check_asset(self, what: object, signal: object) -> None:
        """Refuse what isn't a signal of an asset that are both seen."""
        kind, _, asset = what.partition("/") if isinstance(what, str) else ("", "", "")
        if kind not in self._data.model.asset_types:
            if self._whole:
                # A KPI, an exception or an event of somebody who sees all assets and signals.
                return
            msg = tr("expected an asset as TYPE/ASSET, got {what!r}; your role doesn't see the whole twin", what=what)
            raise SchemaError(msg)
        seen = _known(kind, self.model.asset_types, "asset type")
        looked_at = id_class(seen) if signal is None else field_class(_known(str(signal), seen.signals, "signal"))
        if is_personal(looked_at):
            msg = tr(
                "the rows of {what} are personal data as they arrived; they are seen for a purpose, in its precision, only",
                what=what,
            )
            raise SchemaError(msg)
        allowed = self._assets_seen(kind, looked_at)
        if allowed is not None:
            _checked(asset, allowed, "asset")


def _visible(model: TwinModel, rights: Rights) -> TwinModel:
    """Return the part of a model that is seen; events of assets that nobody of the roles sees aren't."""
    hidden = frozenset(name for name, kind in model.asset_types.items() if not rights.sees_type(name, kind))
    events = {name: event for name, event in model.event_types.items() if event.asset not in hidden}
    return filtered_model(model.model_copy(update={"event_types": events}), rights.sees_field, without=hidden)


def _fields(spec: EventType) -> set[str]:
    return {*spec.links, *spec.properties}


def _known(name: str, known: Any, what: str) -> Any:
    _checked(name, known, what)
    return known[name]


def _checked(name: str, known: Any, what: str) -> str:
    if name not in known:
        msg = f"there is no {what} {name!r} that you may see{nearest(name, known)}"
        raise UnknownTermError(msg)
    return name
