"""Stored runs in one folder, such as a twin's ``scenarios``."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pandas as pd

from twinlab._files import file_name, sync_folder
from twinlab._html import html
from twinlab._locks import Lock
from twinlab.errors import CorruptionError, SchemaError, UnknownTermError
from twinlab.model.terms import nearest
from twinlab.simulate.catalogue.rerun import Rerun, compared_runs
from twinlab.simulate.experiments.comparing import compare
from twinlab.simulate.experiments.comparison import Comparison
from twinlab.simulate.protocol import Model
from twinlab.simulate.runs.results import Results
from twinlab.simulate.runs.run import open_results, rerun, run

__all__ = ["Catalogue"]


_COLUMNS = {
    "name": "str",
    "created": "datetime64[ns]",
    "scenarios": "object",
    "replications": "int64",
    "asked": "int64",
    "start": "datetime64[ns]",
    "until": "datetime64[ns]",
    "seed": "int64",
    "code": "str",
    "cpu_hours": "float64",
    "bytes": "int64",
    "stopped": "str",
    "attrs": "object",
}


def _name(folder: Path) -> str:
    return unquote(folder.name)


class Catalogue:
    """Runs that are stored with models, states, seed, code version and results, each in a folder of its own.

    Parameters
    ----------
    path : path
        Folder; it is made with the first run. Nothing outside of it is ever changed.

    Examples
    --------
    >>> import tempfile
    >>> Catalogue(tempfile.mkdtemp()).table().empty
    True
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def run(self, models: Any, *, name: str | None = None, **options: Any) -> Results:  # noqa: ANN401  (those of `run`)
        """Run models and store the run.

        Parameters
        ----------
        models, **options
            As in `twinlab.simulate.run`, except ``store``.
        name : str, optional
            Name of the stored run; by default the present time. A run of this name that isn't finished goes on, if it is the
            same one.

        Raises
        ------
        SchemaError
            If another run has the name; and what `twinlab.simulate.run` raises.
        """
        if "store" in options:
            msg = "expected no store=: runs of a catalogue are stored in its folder; use name="
            raise SchemaError(msg)
        self._remove_deleted()
        return run(models, store=self._folder(name or self._free_name()), **options)

    def _free_name(self) -> str:
        now = datetime.now(UTC).strftime("%Y-%m-%d %H%M%S")
        number, name = 1, now
        while self._folder(name).exists():
            number += 1
            name = f"{now} {number}"
        return name

    def _folder(self, name: str) -> Path:
        if not name.strip():
            msg = f"expected a name for the run, got {name!r}"
            raise SchemaError(msg)
        # Escapes what would lead out of the folder, such as slashes and leading dots.
        return self.path / file_name(name, safe=" ")

    @property
    def names(self) -> list[str]:
        """Names of the stored runs, the oldest first."""
        return self.table()["name"].tolist()

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self._folders())

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and bool(name.strip()) and (self._folder(name) / "run.json").is_file()

    def _folders(self) -> list[Path]:
        if not self.path.is_dir():
            return []
        return sorted(file.parent for file in self.path.glob("*/run.json") if not file.parent.name.startswith("."))

    def table(self) -> pd.DataFrame:
        """Return the stored runs, the oldest first.

        Columns ``name, created, scenarios`` (names), ``replications`` (finished, of all scenarios), ``asked, start, until, seed,
        code, cpu_hours, bytes, stopped`` (why it isn't finished) and ``attrs``. A run that can't be read has the reason in
        ``stopped``.
        """
        rows = [self._row(folder) for folder in self._folders()]
        table = pd.DataFrame(rows, columns=list(_COLUMNS)).astype(_COLUMNS)
        return table.sort_values(["created", "name"], ignore_index=True)

    def _row(self, folder: Path) -> dict[str, Any]:
        row = {
            "name": _name(folder),
            "replications": 0,
            "asked": 0,
            "seed": 0,
            "code": "",
            "cpu_hours": 0.0,
            "bytes": 0,
        }
        row |= {"scenarios": (), "attrs": {}, "created": pd.NaT, "start": pd.NaT, "until": pd.NaT, "stopped": ""}
        try:
            found = open_results(folder)
        except (CorruptionError, SchemaError) as error:
            return row | {"stopped": str(error)}
        about, meter = found.about, found.meter
        done, asked = sum(found.replications.values()), about["replications"] * len(found.scenarios)
        stopped = found.stopped or ("interrupted" if done < asked else "")
        return row | {
            "created": pd.Timestamp(about["created"]).tz_convert("UTC").tz_localize(None),
            "scenarios": tuple(found.scenarios),
            "replications": done,
            "asked": asked,
            **{key: about[key] for key in ("start", "until", "seed", "code", "attrs")},
            "cpu_hours": meter.cpu_hours.value if meter else 0.0,
            "bytes": int(meter.bytes.value) if meter else 0,
            "stopped": stopped if done < asked else "",
        }

    def open(self, name: str) -> Results:
        """Open a stored run; runs of networks and timetables can be extended, others with `run` and their models.

        Raises
        ------
        UnknownTermError
            If there is no run of this name; shows the nearest.
        CorruptionError
            If it can't be read.
        """
        return open_results(self._existing(name))

    def __getitem__(self, name: str) -> Results:
        return self.open(name)

    def _existing(self, name: str) -> Path:
        if name not in self:
            known = [_name(folder) for folder in self._folders()]
            msg = f"expected the name of a stored run in {self.path}, got {name!r}{nearest(name, known)}"
            raise UnknownTermError(msg)
        return self._folder(name)

    def compare(
        self,
        a: str | tuple[str, str],
        b: str | tuple[str, str],
        *,
        kpi: str | None = None,
        **options: Any,  # noqa: ANN401
    ) -> Comparison:
        """Say whether ``b`` is better or worse than ``a`` in a KPI, or that the replications don't show it.

        Parameters
        ----------
        a, b : str or (str, str)
            A stored run with one scenario, or a run and one of its scenarios.
        kpi : str, optional
            Name of a KPI; not needed if there is only one.
        **options
            Those of `twinlab.simulate.compare`. Runs with the same seed are compared pair by pair.

        Raises
        ------
        UnknownTermError
            If there is no such run, scenario or KPI.
        SchemaError
            If a run has several scenarios and none is named.
        """
        first, second = self._kpis(a), self._kpis(b)
        return compare(first, second, kpi=kpi, **options)

    def _kpis(self, which: str | tuple[str, str]) -> Any:  # noqa: ANN401  (a Dataset)
        name, scenario = (which, None) if isinstance(which, str) else which
        results = self.open(name)
        if scenario is None and len(results.scenarios) == 1:
            scenario = results.scenarios[0]
        if scenario is None:
            msg = f"expected (run, scenario), since {name!r} has several scenarios: {', '.join(results.scenarios)}"
            raise SchemaError(msg)
        if scenario not in results.scenarios:
            msg = f"expected a scenario of {name!r}, got {scenario!r}{nearest(scenario, results.scenarios)}"
            raise UnknownTermError(msg)
        # Scenarios of different runs may have the same name.
        label = name if len(results.scenarios) == 1 else f"{name}, {scenario}"
        return results.kpis.sel(scenario=scenario).assign_coords(scenario=label)

    def rerun(self, name: str, models: Mapping[str, Model] | Model | None = None, **options: Any) -> Rerun:  # noqa: ANN401
        """Compute a stored run again and compare each replication with what was computed then.

        Parameters
        ----------
        name : str
        models : Model or mapping of str to Model, optional
            Models by scenario; not needed for networks and timetables, which are stored.
        **options
            ``workers``, ``client``, ``progress``, ``cancel`` and ``rates`` of `twinlab.simulate.run`.

        Returns
        -------
        Rerun
            Whether all are identical, and which replications differ.

        Raises
        ------
        SchemaError
            If a model is needed or is another one than then.
        """
        stored = self.open(name)
        return compared_runs(name, stored, rerun(stored, models, **options))

    def delete(self, name: str) -> None:
        """Remove a stored run, and nothing else.

        Raises
        ------
        UnknownTermError
            If there is no run of this name.
        HistoryConflictError
            If it is being computed.
        """
        folder = self._existing(name)
        # A run whose list of chunks can't be read can be removed, too.
        with Lock(folder / "lock", what=f"the run {name!r}"):
            # In one step, so that a kill leaves the whole run or none.
            folder.rename(folder.with_name(f".deleted-{folder.name}"))
            sync_folder(self.path)
        self._remove_deleted()

    def _remove_deleted(self) -> None:
        for folder in self.path.glob(".deleted-*") if self.path.is_dir() else ():
            shutil.rmtree(folder, ignore_errors=True)

    def __repr__(self) -> str:
        table = self._summary()
        if table.empty:
            return f"Catalogue {self.path}: no runs"
        return f"Catalogue {self.path}: {len(table)} runs\n{table.to_string(index=False)}"

    def _summary(self) -> pd.DataFrame:
        table = self.table()
        shown = table.assign(scenarios=[", ".join(names) for names in table["scenarios"]])
        return shown[["name", "scenarios", "replications", "start", "until", "stopped"]]

    def _repr_html_(self) -> str:
        table = self._summary().astype("str")
        template = (
            "<table><caption>{{ title }}</caption><tr>{% for name in names %}<th>{{ name }}</th>{% endfor %}</tr>"
            "{% for row in rows %}<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>{% endfor %}</table>"
        )
        title = f"{len(table)} stored runs in {self.path}"
        return str(html(template, title=title, names=list(table), rows=table.to_numpy().tolist()))
