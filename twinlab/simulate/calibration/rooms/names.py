"""Which asset type of a twin is a room with a temperature and a door."""

from __future__ import annotations

from twinlab.model.asset_types import AssetType
from twinlab.model.twinmodel import TwinModel
from twinlab.model.units.conversions import compatible
from twinlab.simulate.timetable.rooms.fits import RoomNames

__all__ = ["room_names"]


def room_names(model: TwinModel) -> RoomNames | None:
    """Return the names of the first asset type with a temperature and a state ``open``; None if the twin has none.

    A state with ``on`` and ``off`` beside them is that of the compressor.

    Examples
    --------
    >>> from twinlab.model.load import parse_model
    >>> model = parse_model(
    ...     "{twin: x, asset_types: {fridge: {signals: {warmth: {unit: degC, resolution: 0.1, cadence: 5min}, "
    ...     "lid: {kind: state, states: {1: open, 2: shut}, cadence: 5min}}}}}"
    ... )
    >>> names = room_names(model)
    >>> names.room, names.temperature, names.door, names.door_codes
    ('fridge', 'warmth', 'lid', (2, 1))
    """
    for kind, spec in model.asset_types.items():
        warm = [name for name, one in spec.signals.items() if one.kind == "gauge" and compatible(str(one.unit), "degC")]
        door = _state(spec, "open")
        if not warm or door is None:
            continue
        # The room's own temperature, if there are others, is the one that is called so.
        temperature = "temperature" if "temperature" in warm else warm[0]
        motor = _state(spec, "on", beside="off")
        codes, meanings = ((0, 1), ("off", "on")) if motor is None else motor[1:]
        return RoomNames(
            kind,
            temperature,
            str(spec.signals[temperature].unit),
            *door,
            None if motor is None else motor[0],
            codes,
            meanings,
        )
    return None


def _state(
    spec: AssetType, wanted: str, *, beside: str | None = None
) -> tuple[str, tuple[int, int], tuple[str, str]] | None:
    """Return the signal that has a state of this name and one other, with the codes and names of both: the other first."""
    for name, one in spec.signals.items():
        states = {str(text): int(code) for code, text in (one.states or {}).items()}
        others = [text for text in states if text != wanted]
        if wanted in states and len(others) == 1 and beside in {None, others[0]}:
            return name, (states[others[0]], states[wanted]), (others[0], wanted)
    return None
