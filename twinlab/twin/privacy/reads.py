"""Rows of the audit for reads of personal data by whoever has the whole twin, for no stated purpose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from twinlab.model.privacy.classes import PERSONAL
from twinlab.model.privacy.fields import fields_of
from twinlab.twin.privacy.encrypting import states_privacy
from twinlab.twin.privacy.protocol import WholeTwin
from twinlab.twin.privacy.recording import PrivacyAudit, is_recorded

if TYPE_CHECKING:
    from twinlab.model.privacy.fields import Part
    from twinlab.model.twinmodel import TwinModel

__all__ = ["note_links", "note_read"]


def note_read(
    twin: WholeTwin,
    *owners: str,
    part: Part = "asset_types",
    fields: Sequence[str] | None = None,
    signals: bool = True,
) -> None:
    """Record a read of personal data, a row for each owner; twins that state no purposes record nothing.

    Parameters
    ----------
    twin : Twin
    owners : str
        Asset types, or event types and finders, as ``part`` says.
    part : str
        ``"asset_types"`` or ``"event_types"``.
    fields : sequence of str, optional
        Fields that are read; all by default. Ids of people are read with any.
    signals : bool
        Whether signals are read.
    """
    model = twin.model
    if not states_privacy(model) or is_recorded():
        return
    names: dict[str, list[str]] = {owner: [] for owner in owners}
    for one in fields_of(model):
        shown = (signals or one.kind != "signal") and (fields is None or one.name in fields or one.kind == "id")
        if one.part == part and one.owner in names and one.personal and shown:
            names[one.owner].append(one.name)
    if part == "event_types":
        for owner in owners:
            names[owner] += _people_of_events(model, owner)
    kind = "event_type" if part == "event_types" else "asset_type"
    for owner, found in names.items():
        if found:
            _append(twin, kind, owner, found)


def note_links(twin: WholeTwin, relationship: str) -> None:
    """Record a read of the links of one type, if one of its ends is people."""
    link = twin.model.relationships.get(relationship)
    if link is None or not states_privacy(twin.model) or is_recorded():
        return
    ends = (("source", link.source), ("target", link.target))
    names = [f"{relationship}.{end}" for end, kind in ends if _are_people(twin.model, kind)]
    if names:
        _append(twin, "asset_type", link.source, names)


def _append(twin: WholeTwin, kind: str, owner: str, names: Sequence[str]) -> None:
    what = {kind: owner, "fields": names, "purpose": None}
    PrivacyAudit(twin.folder).append({"kind": "read", "who": ["local"], "what": what})


def _are_people(model: TwinModel, asset_type: str | None) -> bool:
    return asset_type in model.asset_types and model.asset_types[asset_type].sensitivity in PERSONAL


def _people_of_events(model: TwinModel, event_type: str) -> list[str]:
    """Return the columns of an event type, or of a finder's events, that have the ids of people."""
    if event_type in model.events:
        return ["asset"] if _are_people(model, model.events[event_type].on) else []
    event = model.event_types.get(event_type)
    if event is None:
        return []
    links = [name for name, target in event.links.items() if _are_people(model, target)]
    return [*links, "asset"] if _are_people(model, event.asset) else links
