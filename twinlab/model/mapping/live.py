"""From where the rows of a source come while a twin runs: ``live:`` of a mapping."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ConfigDict, ValidationError, model_validator

from twinlab.model.basics import Duration, Model, parse_duration
from twinlab.model.extensions.options import Options, fault, located
from twinlab.model.registry import Registry, registry_of
from twinlab.model.terms import nearest

if TYPE_CHECKING:
    from pydantic_core import InitErrorDetails

    from twinlab.model.extensions.live_kind import LiveKind

__all__ = ["LiveRule"]


class LiveRule(Model):
    """A live source: its kind with the options of that kind, ``{kind: sql, url: "postgresql://erp/db", tables: {...}}``.

    It changes no value, so that another address or interval rebuilds nothing.
    """

    # The other keys are the options of the kind, which `_known_kind` checks.
    model_config = ConfigDict(extra="allow")

    kind: str
    """A built-in kind such as mqtt, sql, watch or replay, or one that a package adds."""
    lateness: Duration = "1min"
    """How late rows may come, by their event time: a window settles once the source's newest row is later than the window by
    this much. Rows that come later still change it."""
    stale_after: Duration = "5min"
    """The source is shown as stale if nothing came for so long."""

    @model_validator(mode="before")
    @classmethod
    def _known_kind(cls, data: object) -> object:
        if not isinstance(data, dict) or "kind" not in data:
            return data
        known: Registry[LiveKind] = registry_of("twinlab.live")
        kind = data["kind"]
        if kind not in known:
            problem = ValueError(f"unknown kind of live source {kind!r}{nearest(str(kind), known.names())}")
            raise located([fault(("kind",), problem, kind)])
        faults: list[InitErrorDetails] = []
        try:
            known.get(kind).parse(cls._options_of(data))
        except ValidationError as error:
            faults += [fault(found["loc"], found["ctx"]["error"], found["input"]) for found in error.errors()]
        if faults:
            raise located(faults)
        return data

    @classmethod
    def _options_of(cls, data: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in data.items() if key not in cls.model_fields}

    @property
    def options(self) -> Options:
        """The options of its kind."""
        kind: LiveKind = registry_of("twinlab.live").get(self.kind)
        return kind.parse(self.model_extra)

    @property
    def lateness_ns(self) -> int:
        """How late rows may come, nanoseconds."""
        return parse_duration(self.lateness)

    @property
    def stale_after_ns(self) -> int:
        """Without rows for so long, the source is stale, nanoseconds."""
        return parse_duration(self.stale_after)
