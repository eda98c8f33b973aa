"""A reader for one purpose: its fields, in its precision, people under its pseudonyms, each read of personal data recorded."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np

from twinlab.errors import PurposeError
from twinlab.model.basics import parse_duration
from twinlab.model.privacy.coarse import coarse_positions, coarse_times
from twinlab.model.privacy.coarse_history import in_cells, in_steps
from twinlab.model.privacy.field_reader import FieldReader
from twinlab.model.privacy.fields import ID, DataField
from twinlab.model.privacy.policy import Policy
from twinlab.model.reader import TwinReader

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

__all__ = ["NameOf", "PurposeReader"]

#: Returns the pseudonym of a person: (purpose, epoch, the person's own name) -> text.
NameOf = Callable[[str, int, str], str]


class _Described(Protocol):
    """A table or a dataset."""

    @property
    def attrs(self) -> dict[Any, Any]:
        """What is said about the whole."""


DataT = TypeVar("DataT", bound=_Described)
_TIMES = ("start", "end", "planned_start", "planned_end")


class PurposeReader(FieldReader):
    """A twin as one purpose of ``twin.yaml`` sees it; made by ``twinlab.open(path, purpose=…)``.

    Fields that aren't shown are absent; a table's and a dataset's ``attrs["withheld"]`` says which purposes show them.

    Parameters
    ----------
    twin : TwinReader
        The whole twin.
    policy : Policy
        The purpose.
    name_of : callable
        Pseudonyms: (purpose, epoch, name) -> pseudonym.
    record : callable
        Gets what was read of personal data, before it is returned; if it raises an error, nothing is returned.
    now : callable
        The time, ns UTC.
    """

    def __init__(
        self,
        twin: TwinReader,
        policy: Policy,
        name_of: NameOf,
        record: Callable[[dict[str, object]], None],
        *,
        now: Callable[[], int] = time.time_ns,
    ) -> None:
        self._policy, self._name_of, self._record, self._now = policy, name_of, record, now
        model = twin.model
        people = [name for name in model.asset_types if policy.people(name)]
        unseen = [name for name in people if self._hides_people(name)]
        super().__init__(twin, self._sees, refusal=self._refusal, without=unseen)
        self._people = frozenset(people)

    @property
    def purpose(self) -> str:
        """Name of the purpose."""
        return self._policy.name

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._source.model.twin} for {self.purpose}>"

    def _hides_people(self, asset_type: str) -> bool:
        shown = self._policy.shown("asset_types", asset_type)
        return ID not in shown or self._policy.purpose.identity == "none"

    def _field(self, owner: str, name: str) -> DataField | None:
        policy = self._policy
        for part, signals in (("asset_types", True), ("asset_types", False), ("event_types", False)):
            found = policy.field(part, owner, name, signals=signals)
            if found is not None:
                return found
        return None

    def _sees(self, owner: str, name: str, spec: object) -> bool:
        # An asset type and an event type may have the same name: the entry itself says which of them is meant.
        model = self._source.model
        event = model.event_types.get(owner)
        part = "event_types" if event is not None and event.properties.get(name) is spec else "asset_types"
        kind = model.asset_types.get(owner)
        signals = part == "asset_types" and kind is not None and kind.signals.get(name) is spec
        field = self._policy.field(part, owner, name, signals=signals)
        if field is None or not self._policy.shows(field):
            return False
        return not (self._names_people(field) and self._policy.purpose.identity == "none")

    @staticmethod
    def _names_people(field: DataField) -> bool:
        """Return whether the values of a property are people."""
        return field.kind == "property" and field.personal and field.subject is None

    def _refusal(self, owner: str, name: str) -> Exception | None:
        field = self._field(owner, name or ID)
        if field is None:
            return None
        others = self._policy.purposes_of(field)
        which = f"it is shown for {' and '.join(others)}" if others else "no purpose shows it"
        what = f"the {field.kind} {field.name!r} of {owner!r}" if name else f"{owner!r}"
        return PurposeError(
            f"expected a field that the purpose {self.purpose!r} shows, got {what}, which is {field.sensitivity}: {which}; "
            f"open the twin with purpose=, or add the purpose in twin.yaml under {field.path}.purposes"
        )

    # -- histories ---------------------------------------------------------------------------------------------------
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
        """Return the history of the signals that the purpose shows, in its precision.

        Raises
        ------
        PurposeError
            If the purpose doesn't show a signal or the assets; the message names the purposes that do.
        """
        wanted = self._signals(asset_type, signals)
        fields = self._policy.fields("asset_types", asset_type, signals=True)
        personal = [name for name in wanted if fields[name].personal]
        is_person = asset_type in self._people
        if not personal and not is_person:
            found = self._source.history(asset_type, signals=wanted, assets=assets, start=start, stop=stop, step=step)
            return self._with_withheld(found, asset_type)
        start, stop = self._not_older(start), self._rounded(stop, up=True)
        epoch = self._epoch_now()
        names = self._real_names(asset_type, assets, epoch) if is_person and assets is not None else assets
        found = self._source.history(asset_type, signals=wanted, assets=names, start=start, stop=stop, step=step)
        self._note(asset_type, [*personal, *([ID] if is_person else [])], start, stop, int(found.sizes["asset"]))
        least = self._policy.purpose.precision.time
        if personal and least is not None and (step is None or parse_duration(step) < parse_duration(least)):
            held = self._source.history(asset_type, signals=personal, assets=names, start=start, stop=stop, step=least)
            kept = {name: self._source.model.asset_types[asset_type].signals[name] for name in personal}
            found = in_steps(found, held, kept, step_ns=parse_duration(least), rollups=step is not None)
        side, position = self._policy.purpose.precision.location_m, self.model.asset_types[asset_type].position
        if side is not None and position is not None and set(position) <= set(personal):
            found = in_cells(found, position, side)
        if is_person and self._policy.purpose.identity == "pseudonym":
            renamed = [self._name_of(self.purpose, epoch, str(one)) for one in found["asset"].values.tolist()]
            found = found.assign_coords(asset=("asset", np.array(renamed, dtype=object), found["asset"].attrs))
        return self._with_withheld(found, asset_type)

    def _with_withheld(self, found: DataT, owner: str, part: str = "asset_types", *, signals: bool = True) -> DataT:
        withheld = self._policy.withheld(part, owner, signals=signals)
        withheld.pop(ID, None)
        if withheld:
            shown = {name: ", ".join(purposes) or "no purpose" for name, purposes in withheld.items()}
            found.attrs["withheld"] = "; ".join(f"{name}: shown for {which}" for name, which in shown.items())
        return found

    # -- tables ------------------------------------------------------------------------------------------------------
    def events(
        self, event_type: str, *, start: object = None, stop: object = None, assets: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """Return the events of one type with the columns that the purpose shows, in its precision."""
        if event_type in self.model.events:
            kind = self.model.events[event_type].on
            if kind in self._people:
                raise self._refusal(kind, "") or PurposeError(f"{event_type!r} is about people")
            return super().events(event_type, start=start, stop=stop, assets=assets)
        event = self._owner(event_type, self.model.event_types, "event type")
        fields = self._policy.fields("event_types", event_type)
        shown = [name for name in event.properties if fields[name].personal]
        links = {name: target for name, target in event.links.items() if target in self._people}
        if event.asset in self._people:
            links["asset"] = str(event.asset)
        if not shown and not links:
            found = super().events(event_type, start=start, stop=stop, assets=assets)
            if any(field.personal for field in fields.values()):
                found = self._without_ids(found)
            return self._with_withheld(found, event_type, "event_types", signals=False)
        filtered = assets if event.asset not in self._people else None
        start, stop = self._not_older(start), self._rounded(stop, up=True)
        found = super().events(event_type, start=start, stop=stop, assets=filtered).copy()
        self._note(event_type, [*shown, *links], start, stop, len(found), kind="event_type")
        names = [name for name in shown if self._names_people(fields[name])]
        found = self._with_pseudonyms_now(self._with_pseudonyms(found, names), links, self._epoch_now())
        found = self._without_ids(found)
        if assets is not None and filtered is None:
            found = found[found["asset"].isin(list(assets))]
        found = self._coarse_table(found, event_type)
        return self._with_withheld(found, event_type, "event_types", signals=False)

    def _with_pseudonyms(self, table: pd.DataFrame, columns: Iterable[str]) -> pd.DataFrame:
        if self._policy.purpose.identity != "pseudonym":
            return table
        epochs = self._epochs(table)
        for name in columns:
            given = table[name]
            present = given.notna().to_numpy()
            made = [
                self._name_of(self.purpose, epoch, str(one)) if there else None
                for one, epoch, there in zip(given.tolist(), epochs, present.tolist(), strict=True)
            ]
            table[name] = np.array(made, dtype=object)
            table[name] = table[name].astype("str").where(present)
        return table

    def _without_ids(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the events with ids that don't show from which source row they are: keys may have names."""
        if self._policy.purpose.identity == "plain":
            return table
        table = table.copy()
        table["event_id"] = [self._name_of(self.purpose, -1, f"event {one}") for one in table["event_id"].tolist()]
        table["event_id"] = table["event_id"].astype("str")
        return table

    def _epochs(self, table: pd.DataFrame) -> list[int]:
        length = self._policy.purpose.epoch_ns
        if length is None:
            return [0] * len(table)
        times = table["start"].fillna(table["planned_start"]).to_numpy("datetime64[ns]")
        whole = np.where(np.isnat(times), 0, times.astype(np.int64) // length)
        return [int(one) for one in whole]

    def _coarse_table(self, table: pd.DataFrame, event_type: str) -> pd.DataFrame:
        step = self._policy.purpose.precision.time_ns
        if step is None:
            return table
        times = [name for name, spec in self.model.event_types[event_type].properties.items() if spec.dtype == "time"]
        for name in (*_TIMES, *times):
            if name in table.columns:
                table[name] = coarse_times(table[name].to_numpy("datetime64[ns]"), step)
        return table

    def assets(self, asset_type: str) -> pd.DataFrame:
        """Return the assets of one type with the properties that the purpose shows."""
        found = super().assets(asset_type).copy()
        fields = self._policy.fields("asset_types", asset_type)
        personal = [name for name in self.model.asset_types[asset_type].properties if fields[name].personal]
        is_person = asset_type in self._people
        if personal or is_person:
            self._note(asset_type, [*personal, *([ID] if is_person else [])], None, None, len(found))
        # Once: an epoch may end while a table is made.
        epoch = self._epoch_now()
        people = [name for name in personal if self._names_people(fields[name])]
        found = self._with_pseudonyms_now(found, people, epoch)
        side, pair = self._policy.purpose.precision.location_m, self.model.asset_types[asset_type].position
        if side is not None and pair is not None and set(pair) <= set(personal):
            coarse = coarse_positions(found[pair[0]].to_numpy(), found[pair[1]].to_numpy(), side)
            found[pair[0]], found[pair[1]] = coarse
        if is_person and self._policy.purpose.identity == "pseudonym":
            found.index = found.index.map(lambda one: self._name_of(self.purpose, epoch, str(one)))
        return self._with_withheld(found, asset_type, signals=False)

    def _with_pseudonyms_now(self, table: pd.DataFrame, columns: Iterable[str], epoch: int) -> pd.DataFrame:
        if self._policy.purpose.identity == "pseudonym":
            for name in columns:
                table[name] = table[name].map(
                    lambda one: self._name_of(self.purpose, epoch, str(one)), na_action="ignore"
                )
        return table

    def relationships(self, relationship: str) -> pd.DataFrame:
        """Return the links of one type, people under their pseudonyms."""
        found = super().relationships(relationship)
        link = self.model.relationships[relationship]
        people = [name for name, kind in (("source", link.source), ("target", link.target)) if kind in self._people]
        if not people:
            return found
        self._note(link.source, [f"{relationship}.{end}" for end in people], None, None, len(found))
        return self._with_pseudonyms_now(found.copy(), people, self._epoch_now())

    # -- the purpose -------------------------------------------------------------------------------------------------
    def _epoch_now(self) -> int:
        length = self._policy.purpose.epoch_ns
        return 0 if length is None else self._now() // length

    def _not_older(self, start: object) -> object:
        """Return the start of a span in the purpose's precision, without what is older than the purpose shows."""
        longest = self._policy.purpose.retention_ns
        if longest is not None:
            least = self._now() - longest
            start = start if start is not None and _ns(start) >= least else np.datetime64(least, "ns")
        return self._rounded(start)

    def _rounded(self, instant: object, *, up: bool = False) -> object:
        """Return the edge of a span in the purpose's precision: asking for ever shorter spans would show exact times."""
        step = self._policy.purpose.precision.time_ns
        if step is None or instant is None:
            return instant
        ns = _ns(instant)
        return np.datetime64(-(-ns // step) * step if up else ns - ns % step, "ns")

    def _real_names(self, asset_type: str, assets: Sequence[str], epoch: int) -> list[str]:
        if self._policy.purpose.identity != "pseudonym":
            return list(assets)
        known: Mapping[str, str] = {
            self._name_of(self.purpose, epoch, str(one)): str(one) for one in self._source.assets(asset_type).index
        }
        unknown = [one for one in assets if one not in known]
        if unknown:
            msg = f"there is no {asset_type} {unknown[0]!r} for the purpose {self.purpose!r}; its assets() has the pseudonyms"
            raise PurposeError(msg)
        return [known[one] for one in assets]

    def _note(
        self, owner: str, fields: Sequence[str], start: object, stop: object, rows: int, *, kind: str = "asset_type"
    ) -> None:
        span = {"start": None if start is None else str(start), "stop": None if stop is None else str(stop)}
        self._record({kind: owner, "fields": list(fields), "purpose": self.purpose, **span, "rows": rows})


def _ns(instant: object) -> int:
    import pandas as pd  # noqa: PLC0415  (a model is read without it)

    found = pd.Timestamp(instant)  # type: ignore[arg-type]
    whole = found if found.tzinfo is None else found.tz_convert("UTC").tz_localize(None)
    return int(whole.to_datetime64().astype("datetime64[ns]").astype(np.int64))
