"""The methods of `twinlab.Twin` that define KPIs and scenarios beside ``twin.yaml``."""

from __future__ import annotations

from functools import cache, cached_property
from typing import TYPE_CHECKING

import yaml
from pydantic import TypeAdapter, ValidationError

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.model.basics import Term
from twinlab.model.extensions.options import fault_text
from twinlab.model.kpis.definition import Kpi
from twinlab.model.load import tidy_yaml
from twinlab.model.terms import nearest
from twinlab.twin.catalogues.definitions import DefinitionKind, DefinitionStore

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from twinlab.ledger import Ledger
    from twinlab.model.twinmodel import TwinModel
    from twinlab.simulate.scenarios.scenario import Scenario

__all__ = ["DefinitionMethods"]


@cache
def _named() -> TypeAdapter[dict[str, Kpi]]:
    return TypeAdapter(dict[Term, Kpi])


class DefinitionMethods:
    """KPIs and scenarios of people, which all servers of the twin share."""

    ledger: Ledger
    # A model, the state of the definitions, and the model with their KPIs.
    _with_defined: tuple[TwinModel, int, TwinModel] | None = None

    if TYPE_CHECKING:

        @property
        def model(self) -> TwinModel:
            """The twin's model."""

    def define_kpi(
        self,
        name: str,
        definition: Kpi | Mapping[str, object] | None,
        *,
        author: str,
        reason: str = "",
        after: int | None = None,
    ) -> int:
        """Define a KPI beside those of ``twin.yaml``; all who read the twin have it. Return the number of this version.

        Parameters
        ----------
        name : str
            Lower-case letters, digits and underscores; not the name of a KPI of ``twin.yaml``.
        definition : Kpi or mapping
            As under ``kpis:`` in ``twin.yaml``; None removes it. Earlier versions stay.
        author, reason : str
            Who, and why.
        after : int, optional
            The version that was changed, 0 for a new KPI; by default whatever is the newest.

        Raises
        ------
        HistoryConflictError
            If somebody has written a newer version than ``after``; nothing is changed then.
        SchemaError
            If the definition doesn't fit the model, or ``twin.yaml`` has the name.
        """
        model = self._plain_model
        if name in model.kpis:
            msg = f"KPI {name!r} is in twin.yaml: change it there, or choose another name"
            raise SchemaError(msg)
        text = ""
        if definition is not None:
            data = _plain(definition)
            faults = _kpi(name, data).faults(model)
            if faults:
                msg = f"KPI {name!r}: " + "; ".join(f"{key}: {said}" for key, said in faults)
                raise SchemaError(msg)
            text = tidy_yaml(data)
        return self._definition_store.define("kpi", name, text, author=author, reason=reason, after=after).version

    def save_scenario(self, scenario: Scenario, *, author: str, reason: str = "", after: int | None = None) -> int:
        """Store a scenario under its name, for `saved_scenario`; return the number of this version.

        Parameters
        ----------
        scenario : Scenario
        author, reason : str
            Who, and why.
        after : int, optional
            The version that was changed, 0 for a new scenario; by default whatever is the newest.

        Raises
        ------
        HistoryConflictError
            If somebody has written a newer version than ``after``; nothing is changed then.
        """
        from twinlab.simulate.scenarios.reading import scenarios_yaml  # noqa: PLC0415  (reading a twin simulates nothing)

        text = scenarios_yaml([scenario])
        return self._definition_store.define(
            "scenario", scenario.name, text, author=author, reason=reason, after=after
        ).version

    def saved_scenario(self, name: str, *, version: int | None = None) -> Scenario:
        """Return a scenario that was saved, as it is now or was in a version, for `simulate`.

        Raises
        ------
        UnknownTermError
            If there is none of this name, or no such version.
        """
        from twinlab.simulate.scenarios.reading import parse_scenarios  # noqa: PLC0415  (reading a twin simulates nothing)

        current = self._definition_store.current("scenario")
        versions = self._definition_store.versions("scenario", name)
        found = (
            current.get(name) if version is None else next((one for one in versions if one.version == version), None)
        )
        if found is None or not found.text:
            which = "" if version is None else f" in version {version}"
            msg = f"the twin has no saved scenario {name!r}{which}{nearest(name, current)}"
            raise UnknownTermError(msg)
        [scenario] = parse_scenarios(found.text, name)
        return scenario

    def definitions(self, kind: DefinitionKind, *, history: bool = False) -> pd.DataFrame:
        """Return KPIs ("kpi") or scenarios ("scenario") that people defined: ``name, version, text, author, reason, time``.

        With ``history``, all versions of each; ``text`` is "" where it was removed.
        """
        import pandas as pd  # noqa: PLC0415

        store = self._definition_store
        current = list(store.current(kind).values())
        rows = [one for name in store.names(kind) for one in store.versions(kind, name)] if history else current
        columns = {"name": "str", "version": "int64", "text": "str", "author": "str", "reason": "str", "time": "int64"}
        table = pd.DataFrame([[getattr(one, key) for key in columns] for one in rows], columns=list(columns))
        return table.astype(columns).astype({"time": "datetime64[ns]"})

    # -- inside ----------------------------------------------------------------------------------------------------
    @cached_property
    def _definition_store(self) -> DefinitionStore:
        return DefinitionStore(self.ledger.journal)

    @property
    def _plain_model(self) -> TwinModel:
        """The model without KPIs of people."""
        defined = self.model
        return self._with_defined[0] if self._with_defined is not None and self._with_defined[2] is defined else defined

    def _with_kpis(self, model: TwinModel) -> TwinModel:
        """Return a model with the KPIs that people defined; the same object as long as nothing has changed."""
        state = self._definition_store.state()
        if not state:
            return model
        found = self._with_defined
        if found is None or found[0] is not model or found[1] != state:
            more = {
                name: _kpi(name, yaml.safe_load(one.text))
                for name, one in self._definition_store.current("kpi").items()
                if name not in model.kpis
            }
            # Of another model: what doesn't fit this one isn't there.
            fitting = {name: one for name, one in more.items() if not one.faults(model)}
            changed = model.model_copy(update={"kpis": {**model.kpis, **fitting}})
            found = self._with_defined = model, state, changed
        return found[2]


def _plain(definition: Kpi | Mapping[str, object]) -> dict[str, object]:
    if isinstance(definition, Kpi):
        return definition.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return dict(definition)


def _kpi(name: str, data: object) -> Kpi:
    try:
        return _named().validate_python({name: data})[name]
    except ValidationError as error:
        msg = f"KPI {name!r}: {'; '.join(fault_text(one) for one in error.errors())}"
        raise SchemaError(msg) from None
