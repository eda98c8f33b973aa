"""Results of a run: labelled arrays, event tables, what it cost, and a way to go on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from twinlab._html import html
from twinlab.errors import UnknownTermError
from twinlab.history.layout.grid import duration_text
from twinlab.model.terms import nearest
from twinlab.simulate.cost.amounts import Meter, Quote
from twinlab.simulate.experiments.comparing import compare
from twinlab.simulate.experiments.comparison import Comparison
from twinlab.simulate.runs.event_files import joined_events
from twinlab.simulate.runs.folder_store import FolderStore
from twinlab.simulate.runs.progress import Report
from twinlab.simulate.runs.stores import Store

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["Results", "signals"]


def signals(data: xr.Dataset, asset_type: str) -> xr.Dataset:
    """Return the signals of an asset type in the schema of the history, with dims ``scenario`` and ``replication`` before.

    Parameters
    ----------
    data : Dataset
        Results of a model or of a run: variables with an attribute ``asset_type``.
    asset_type : str

    Returns
    -------
    Dataset
        Dims ``(scenario, replication, time, asset)``, as far as ``data`` has them; variables have the names of signals.

    Raises
    ------
    UnknownTermError
        If there is no signal of this type; names the types that there are.

    Examples
    --------
    >>> import numpy as np
    >>> queue = ("time", "hub"), np.zeros((2, 1)), {"asset_type": "hub", "signal": "queue", "units": "1"}
    >>> one = signals(xr.Dataset({"hub_queue": queue}, coords={"hub": ["Oslo"]}), "hub")
    >>> list(one), one.sizes["asset"]
    (['queue'], 1)
    """
    found = {name: one for name, one in data.data_vars.items() if one.attrs.get("asset_type") == asset_type}
    if not found:
        known = sorted({str(one.attrs["asset_type"]) for one in data.data_vars.values() if "asset_type" in one.attrs})
        msg = f"expected an asset type with signals ({', '.join(known) or 'there is none'}), got {asset_type!r}"
        raise UnknownTermError(msg)
    names = {name: str(one.attrs.get("signal", name)) for name, one in found.items()}
    part = data[list(found)].rename_vars(names)
    part = part.rename({asset_type: "asset"}) if asset_type in part.dims else part
    # A coordinate of other asset types isn't of these signals.
    return part.drop_vars([name for name in part.coords if name not in part.dims])


def _dims(parts: Iterable[xr.Dataset]) -> list[str]:
    """Return the dims of several Datasets that have labels, in their order."""
    return list(dict.fromkeys(str(dim) for part in parts for dim in part.dims if dim in part.coords))


def _in_order(labels: Iterable[NDArray[Any]]) -> list[Any]:
    """Return all labels once: those of the first array, then what others have more; numbers ascending."""
    every = list(dict.fromkeys(label for values in labels for label in values))
    return sorted(every) if every and isinstance(every[0], np.generic) and every[0].dtype.kind in "iufM" else every


def _joined(names: list[str], parts: list[xr.Dataset]) -> xr.Dataset:
    """Return the results of scenarios as one Dataset."""
    # Joining sorts labels, which would put truck 10 before truck 2: they are put in their order before.
    labels = {dim: _in_order(part[dim].to_numpy() for part in parts if dim in part.dims) for dim in _dims(parts)}
    return xr.concat(
        [
            part.reindex({dim: values for dim, values in labels.items() if dim in part.dims}).expand_dims(
                scenario=[name]
            )
            for name, part in zip(names, parts, strict=True)
        ],
        "scenario",
        data_vars="all",
        coords="minimal",
        compat="override",
        join="exact",
        combine_attrs="override",
    )


@dataclass(frozen=True, repr=False, eq=False)
class Results:
    """Results of models over several replications.

    Parameters
    ----------
    about : mapping
        Start, end, step, seed, and name, hash and state of each scenario's model.
    store : Store
        Where the results are.
    go_on : callable
        Computes more replications of the same models.
    stopped : str
        Why the run ended before all replications were finished; empty if it didn't.
    quote : Quote or None
        What the last call was expected to cost, with what was spent before.
    """

    about: Mapping[str, Any]
    store: Store
    go_on: Callable[..., Results]
    stopped: str = ""
    quote: Quote | None = None

    @property
    def scenarios(self) -> list[str]:
        """Names of the scenarios, in their order."""
        return list(self.about["scenarios"])

    @property
    def replications(self) -> dict[str, int]:
        """Number of finished replications of each scenario."""
        return {name: len(self.store.finished(name)) for name in self.scenarios}

    @cached_property
    def data(self) -> xr.Dataset:
        """All results, dims ``scenario, replication, …``; lazy where they are on a disk.

        Where scenarios have other assets or other finished replications, the rest is missing (NaN).
        """
        return self._of_scenarios(kpis_only=False)

    def _of_scenarios(self, *, kpis_only: bool) -> xr.Dataset:
        parts = [
            self.store.data(name, kpis_only=kpis_only) for name in self.scenarios if len(self.store.finished(name))
        ]
        names = [name for name in self.scenarios if len(self.store.finished(name))]
        if not parts:
            return xr.Dataset(coords={"scenario": names})
        whole = _joined(names, parts)
        return whole.assign_attrs({**parts[0].attrs, "start": self.about["start"], "seed": self.about["seed"]})

    @cached_property
    def kpis(self) -> xr.Dataset:
        """KPIs of whole replications, in memory, dims ``scenario, replication``."""
        found = self._of_scenarios(kpis_only=True).load()
        return found.drop_vars([name for name in found.coords if name not in found.dims])

    def signals(self, asset_type: str) -> xr.Dataset:
        """Return the signals of an asset type, dims ``scenario, replication, time, asset``, lazy where they are on a disk.

        Raises
        ------
        UnknownTermError
            If there is no signal of this type; names the types that there are.
        """
        return signals(self.data, asset_type)

    def events(self, event_type: str) -> pd.DataFrame:
        """Return the events of a type of the first replications of each scenario (those of ``trace=`` of the run).

        The table has the columns ``scenario`` and ``replication`` in front; it is empty if there are none.
        """
        return joined_events(
            (name, number, table)
            for name in self.scenarios
            for number, table in sorted(self.store.events(name, event_type).items())
        )

    def compare(self, a: str, b: str, *, kpi: str | None = None, **options: Any) -> Comparison:  # noqa: ANN401
        """Say whether scenario ``b`` is better or worse than scenario ``a`` in a KPI, or that the replications don't show it.

        Parameters
        ----------
        a, b : str
            Names of scenarios.
        kpi : str, optional
            Name of a KPI; not needed if there is only one.
        **options
            Those of `twinlab.simulate.compare`.

        Raises
        ------
        UnknownTermError
            If there is no such scenario or KPI.
        """
        for name in (a, b):
            if name not in self.scenarios:
                msg = f"expected the name of a scenario, got {name!r}{nearest(name, self.scenarios)}"
                raise UnknownTermError(msg)
        return compare(self.kpis.sel(scenario=a), self.kpis.sel(scenario=b), kpi=kpi, **options)

    @property
    def meter(self) -> Meter | None:
        """What all calls together have taken; None if nothing was computed."""
        sessions = self.store.sessions()
        return Meter.from_dict(sessions[-1]["meter"]) if sessions else None

    def extend(
        self,
        replications: int,
        *,
        workers: int | None = None,
        client: Client | None = None,
        budget: str | None = None,
        over_budget: str = "refuse",
        progress: Report | bool | None = None,
        cancel: threading.Event | None = None,
    ) -> Results:
        """Compute more replications of the same models; finished ones aren't computed again.

        Parameters
        ----------
        replications : int
            Replications of each scenario in all.
        workers, client, budget, over_budget, progress, cancel
            As in `twinlab.simulate.run`. The budget is that of all calls together.

        Returns
        -------
        Results
            With all replications; this object stays as it is in memory, and shares the folder if there is one.

        Raises
        ------
        SchemaError
            If the results were opened from a folder and the models are code, which isn't stored.
        """
        return self.go_on(
            replications,
            workers=workers,
            client=client,
            budget=budget,
            over_budget=over_budget,
            progress=progress,
            cancel=cancel,
        )

    def verify(self) -> None:
        """Read stored results and compare them with the digests from when they were computed.

        Raises
        ------
        CorruptionError
            If a chunk is missing, fails its checksum or has other values; names it.
        """
        if isinstance(self.store, FolderStore):
            self.store.verify()

    def repair(self, **options: Any) -> Results:  # noqa: ANN401  (those of `extend`)
        """Compute damaged chunks of stored results again; whole ones stay.

        Parameters
        ----------
        **options
            Those of `extend`, except ``replications``.

        Raises
        ------
        SchemaError
            As `extend`.
        """
        if isinstance(self.store, FolderStore):
            with self.store.writing():
                self.store.forget_damaged()
        return self.extend(self.about["replications"], **options)

    def _facts(self) -> list[tuple[str, str]]:
        counts = self.replications
        every = sorted(set(counts.values()))
        number = f"{every[0]:,}" if len(every) == 1 else f"{every[0]:,} to {every[-1]:,}"
        shown = ", ".join(self.scenarios[:5]) + (", …" if len(counts) > 5 else "")
        facts = [
            ("scenarios", f"{len(counts)}: {shown}"),
            ("replications", f"{number} each, seed {self.about['seed']}"),
            (
                "span",
                f"{self.about['start']} to {self.about['until']} UTC, step {duration_text(int(pd.Timedelta(self.about['step']).value))}",
            ),
        ]
        if isinstance(self.store, FolderStore):
            facts.append(("stored", str(self.store.path)))
        meter = self.meter
        if meter is not None:
            facts.append(("took", ", ".join(map(str, meter.amounts.values()))))
            facts.append(("energy from", meter.kwh.source))
        if self.stopped:
            facts.append(("not finished", self.stopped))
        return facts

    def __repr__(self) -> str:
        return "\n".join(["Results", *(f"  {name:14} {text}" for name, text in self._facts())])

    def _repr_html_(self) -> str:
        template = (
            "<table>{% for name, text in rows %}<tr><th>{{ name }}</th><td>{{ text }}</td></tr>{% endfor %}</table>"
        )
        return str(html(template, rows=self._facts()))
