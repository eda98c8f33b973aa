"""The model of a whole twin, as ``twin.yaml`` states it; its parts refer to each other by name."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Self

import numpy as np
from pydantic import BeforeValidator, Field, field_validator, model_validator

from twinlab.model.alerts.alert import Alert
from twinlab.model.alerts.channel import Channel
from twinlab.model.asset_types import AssetType, EventType, PropertySpec, RelationshipType
from twinlab.model.basics import Model, QuestionRule, Term, Unit, parse_duration, yaml_text
from twinlab.model.commands.checks import command_faults
from twinlab.model.commands.spec import CommandSpec
from twinlab.model.finders.finder import Finder
from twinlab.model.intrusion.section import SecurityRule
from twinlab.model.kpis.definition import Kpi
from twinlab.model.predictions.costs import MaintenanceCosts
from twinlab.model.predictions.rule import PredictionRule
from twinlab.model.privacy.faults import privacy_faults
from twinlab.model.privacy.purpose import Purpose
from twinlab.model.privacy.section import PrivacyRule
from twinlab.model.rules import Rule
from twinlab.model.signal import Signal
from twinlab.model.storage.price import StorageRule
from twinlab.model.storage.retention import RetentionRule
from twinlab.model.synthetic.section import SyntheticData, synthetic_faults
from twinlab.model.terms import nearest

__all__ = [
    "AssetType",
    "EventType",
    "Model",
    "PropertySpec",
    "RelationshipType",
    "Rule",
    "Signal",
    "Term",
    "TwinModel",
    "Unit",
    "parse_duration",
]


class TwinModel(Model):
    """A whole ``twin.yaml``."""

    twin: Term
    """Name of the twin: lower-case letters, digits and underscores."""
    title: str | None = None
    """Name for people."""
    origin: Annotated[str, BeforeValidator(yaml_text)] = "2000-01-01"
    """First instant of history (UTC); rows before it are kept and counted, not built."""
    asset_types: dict[Term, AssetType] = Field(default_factory=dict)
    """Kinds of assets: name -> signals and properties."""
    relationships: dict[Term, RelationshipType] = Field(default_factory=dict)
    """Links between assets: name -> types of both ends."""
    event_types: dict[Term, EventType] = Field(default_factory=dict)
    """Kinds of events: name -> links and properties."""
    rules: dict[Term, Rule] = Field(default_factory=dict)
    """Exceptions that people want reported."""
    storage: StorageRule | None = None
    """What storage costs."""
    retention: RetentionRule | None = None
    """What is kept of older data; without it, everything."""
    kpis: dict[Term, Kpi] = Field(default_factory=dict)
    """Numbers that people steer by: name -> definition and formula."""
    synonyms: dict[str, list[str]] = Field(default_factory=dict)
    """Other words for what the model names, for questions: name of an asset type, signal, state, event type, rule or KPI, or an
    asset as ``airport/BOS`` -> words."""
    events: dict[Term, Finder] = Field(default_factory=dict)
    """Finders: conditions whose events are kept up to date with the history."""
    predictions: dict[Term, PredictionRule] = Field(default_factory=dict)
    """Predictions that are made again and again while ``twinlab run`` runs: name -> what and how often."""
    maintenance: dict[Term, MaintenanceCosts] = Field(default_factory=dict)
    """What maintenance and failures cost: asset type -> costs; for ``twin.maintenance_list``."""
    channels: dict[Term, Channel] = Field(default_factory=dict)
    """How people are notified of alerts: name -> kind with its options."""
    alerts: dict[Term, Alert] = Field(default_factory=dict)
    """What people are notified of: name -> rule, finder or KPI, channels, escalation."""
    commands: dict[Term, dict[Term, CommandSpec]] = Field(default_factory=dict)
    """What may be set: asset type -> parameter -> limits, roles, what is simulated first. Without it nothing can be sent."""
    purposes: dict[Term, Purpose] = Field(default_factory=dict)
    """For what data are read: name -> description, legal basis, precision."""
    privacy: PrivacyRule | None = None
    """Personal columns, keys, retention and limits of releases."""
    security: SecurityRule = Field(default_factory=SecurityRule)
    """How intrusions are looked for."""
    synthetic: SyntheticData | None = None
    """That the data were made from those of another twin, by `Twin.generate`; without it, they were observed."""
    usage: bool = True
    """Whether it is counted how often served pages are opened, by page, task and day; ``off`` counts nothing. See `Twin.usage`."""
    questions: list[QuestionRule] = Field(default_factory=list)
    """What a draft leaves to a person; see `twinlab.model.questions`."""

    @field_validator("origin")
    @classmethod
    def _instant(cls, text: str) -> str:
        msg = f"expected an instant in UTC such as 2013-01-01 or 2013-01-01T00:00Z, got {text!r}"
        try:
            instant = datetime.fromisoformat(text)
        except ValueError as error:
            raise ValueError(msg) from error
        # int64 nanoseconds end in 2262.
        if instant.utcoffset() not in (None, timedelta(0)) or not 1700 < instant.year < 2200:
            raise ValueError(msg)
        return text

    @model_validator(mode="after")
    def _refers_to_what_exists(self) -> Self:
        faults: list[str] = []

        def check(where: str, name: str | None) -> None:
            if name is not None and name not in self.asset_types:
                faults.append(f"{where}: there is no asset type {name!r}{nearest(name, self.asset_types)}")

        for name, link in self.relationships.items():
            check(f"relationships.{name}.from", link.source)
            check(f"relationships.{name}.to", link.target)
        for name, event in self.event_types.items():
            check(f"event_types.{name}.asset", event.asset)
            for key, target in event.links.items():
                check(f"event_types.{name}.links.{key}", target)
        for name, kind in self.asset_types.items():
            where = f"asset_types.{name}"
            if kind.label is not None and kind.label not in kind.properties:
                known = nearest(kind.label, kind.properties)
                faults.append(f"{where}.label: there is no property {kind.label!r} in {where}.properties{known}")
            for place in kind.position or ():
                if place not in kind.properties and place not in kind.signals:
                    known = nearest(place, [*kind.properties, *kind.signals])
                    faults.append(f"{where}.position: there is no property and no signal {place!r} in {where}{known}")
        faults += self._faults_of_parts()
        if faults:
            # One fault per line, each beginning with its path: `twinlab.model.load` adds file and line.
            raise ValueError("\n".join(faults))
        return self

    def _faults_of_parts(self) -> list[str]:
        """Return what parts that check themselves find, a line each."""
        faults: list[str] = []
        for name, rule in self.rules.items():
            faults += [f"rules.{name}: {fault}" for fault in rule.faults(self)]
        for part in (self.storage, self.retention):
            faults += [] if part is None else part.faults()
        for name, kpi in self.kpis.items():
            faults += [f"kpis.{name}.{key}: {fault}" for key, fault in kpi.faults(self)]
        for name, finder in self.events.items():
            faults += [f"events.{name}{'.' if key else ''}{key}: {fault}" for key, fault in finder.faults(name, self)]
        for name, prediction in self.predictions.items():
            faults += [f"predictions.{name}.{key}: {fault}" for key, fault in prediction.faults(self)]
        for name, costs in self.maintenance.items():
            faults += [
                f"maintenance.{name}{'.' if key else ''}{key}: {fault}" for key, fault in costs.faults(name, self)
            ]
        for name, alert in self.alerts.items():
            faults += [f"alerts.{name}: {fault}" for fault in alert.faults(self)]
        return faults + command_faults(self.commands, self) + privacy_faults(self) + synthetic_faults(self)

    @property
    def origin_ns(self) -> int:
        """The origin in nanoseconds since 1970, UTC."""
        instant = datetime.fromisoformat(self.origin).replace(tzinfo=None)
        return int(np.datetime64(instant, "ns").astype("int64"))
