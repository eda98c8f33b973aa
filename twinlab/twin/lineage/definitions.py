"""Versions of the model and of mappings that a state of the history was built with, as steps of a lineage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab.history.build.mapping_context import content_hash
from twinlab.model.yamltext import path_text, write_line
from twinlab.twin.checking.origins import rules_of
from twinlab.twin.definitions import MAPPINGS, MODEL
from twinlab.twin.lineage.steps import Step
from twinlab.twin.lineage.texts import instant_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from twinlab.history import HistoryReader
    from twinlab.model.mapping import Mapping as SourceMapping
    from twinlab.model.twinmodel import TwinModel
    from twinlab.twin.checking.origins import Origin

__all__ = ["DefinitionSteps"]


class DefinitionSteps:
    """Makes the steps of a model and of mappings: the version, since when it applies, and what it says of a value.

    Parameters
    ----------
    reader : HistoryReader
    files : mapping of source to the name of its file in the twin's folder
    """

    def __init__(self, reader: HistoryReader, files: Mapping[str, str]) -> None:
        self._reader, self._files = reader, files
        self._since: dict[str, np.datetime64] | None = None

    def of_model(self, what: str, text: str, explains: int) -> Step:
        """Return the step of a part of the model: ``asset_types.room.signals.temperature`` and what it states."""
        return Step("model", f"{MODEL}, {what}", f"{text}; {self._version(self._reader.model)}", explains)

    def of_signal(self, asset_type: str, signal: str, explains: int) -> Step:
        """Return the step of a signal of the model."""
        spec = self._reader.model.asset_types[asset_type].signals[signal]
        states = spec.states
        meaning = f"states {write_line(states)}" if states else f"unit {spec.unit}, resolution {spec.resolution:g}"
        return self.of_model(
            f"{asset_type}.{signal}", f"{meaning}, one cell in {spec.cadence}, combined by {spec.combine}", explains
        )

    def of_tag(self, source: str, tag: str, series: tuple[str, str, str], explains: int) -> Step:
        """Return the step of the rule that translates a tag of a source into a signal of an asset."""
        mapping = self._reader.mappings.get(source)
        if mapping is None:
            return Step("mapping", source, "the source has no mapping any more", explains)
        rule = _rule_of(mapping, tag, series)
        said = "" if rule is None else f"{path_text(rule.path)}: {_meaning(rule)}{_clock(mapping, rule)}; "
        return Step("mapping", self._file(source), said + self._version(mapping), explains)

    def of_source(self, source: str, explains: int) -> Step:
        """Return the step of a source's mapping as a whole."""
        mapping = self._reader.mappings.get(source)
        text = "the source has no mapping any more" if mapping is None else self._version(mapping)
        return Step("mapping", self._file(source), text, explains)

    def _file(self, source: str) -> str:
        return self._files.get(source, f"{MAPPINGS}/{source}.yaml")

    def _version(self, definition: TwinModel | SourceMapping) -> str:
        found = content_hash(definition)
        since = self._activated().get(found)
        return f"version {found[:8]}" + ("" if since is None else f", since {instant_text(since)}")

    def _activated(self) -> dict[str, np.datetime64]:
        """Return when each definition was activated last, by hash."""
        if self._since is None:
            import numpy as np  # noqa: PLC0415

            self._since = {
                str(entry.payload["hash"]): np.datetime64(entry.ingest_time, "ns")
                for kind in ("model", "mapping")
                for entry in self._reader.ledger.journal.entries(kind)
            }
        return self._since


def _rule_of(mapping: SourceMapping, tag: str, series: tuple[str, str, str]) -> Origin | None:
    """Return the first rule of a mapping that may translate a tag into a signal of an asset."""
    asset_type, asset, signal = series
    name = tag.removesuffix(f"@{asset_type}/{asset}")
    fitting = [
        one
        for one in rules_of({mapping.source: mapping})
        if one.rule.signal == signal and one.covers(name) and one.may_feed(asset_type, asset)
    ]
    # An exact key takes precedence over patterns.
    return next((one for one in fitting if one.key == name), fitting[0] if fitting else None)


def _clock(mapping: SourceMapping, rule: Origin) -> str:
    """Return in which zone the times of the rule's table are read."""
    table = mapping.tables[int(rule.path[1])] if rule.path[0] == "tables" else None
    zone = None if table is None or table.time is None else table.time.zone
    return f", times in {zone}" if zone else ""


def _meaning(rule: Origin) -> str:
    stated = rule.rule.model_dump(mode="json", exclude_defaults=True, exclude={"asset", "assets", "states"})
    return write_line(stated) if stated else rule.rule.signal
