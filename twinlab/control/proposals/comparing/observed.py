"""What came after a command, from the twin's history: what the asset reported, temperatures, queues, arrivals."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from twinlab.control.proposals.comparing.curves import EffectComparison, Match, compare_curve
from twinlab.control.proposals.effects.trips import UNSURE
from twinlab.control.proposals.situation.queues import place_of, waiting_at
from twinlab.control.proposals.situation.trips import trip_under_way
from twinlab.model.commands.effects import QueueEffect, RoomEffect, TripEffect
from twinlab.model.flags import Flag
from twinlab.model.units import convert

if TYPE_CHECKING:
    from twinlab.control.proposals.effects.outcome import Effect
    from twinlab.control.proposals.proposal import Proposal
    from twinlab.model.commands.spec import CommandSpec
    from twinlab.model.reader import TwinReader

__all__ = ["Observed"]

_MINUTE = np.timedelta64(60, "s").astype("m8[ns]")
#: A trip that ends by so many minutes otherwise ends as predicted, however short it is.
_PUNCTUAL = 5.0

Series = tuple[list[float], list[float]]


class Observed:
    """What came after a proposal.

    Parameters
    ----------
    twin : TwinReader
    proposal : Proposal
    spec : CommandSpec
        What the model states of the parameter.
    at : datetime64
        When the state was looked at, UTC.
    stop : datetime64
        What came later doesn't count.
    complete : bool
        Whether nothing more can come.
    """

    def __init__(
        self,
        twin: TwinReader,
        proposal: Proposal,
        spec: CommandSpec,
        *,
        at: np.datetime64,
        stop: np.datetime64,
        complete: bool,
    ) -> None:
        self._twin, self._proposal, self._spec = twin, proposal, spec
        self._at, self._stop, self._complete = at.astype("M8[ns]"), stop.astype("M8[ns]"), complete

    def setpoint(self, *, sent: np.datetime64) -> EffectComparison:
        """Compare what the asset reports with the setpoint, within its tolerance, from the first cell after it was sent."""
        spec, proposal = self._spec, self._proposal
        title = f"{proposal.parameter.replace('_', ' ')}, as reported"
        unit = "" if spec.unit == "1" else spec.unit
        signal = self._twin.model.asset_types[proposal.asset_type].signals[spec.signal]
        minutes, values = self._signal(spec.signal)
        first = float((sent - self._at) / _MINUTE)
        kept = [place for place, minute in enumerate(minutes) if minute >= first]
        came = (
            [minutes[place] for place in kept],
            [float(convert(values[place], str(signal.unit), spec.unit)) for place in kept],
        )
        last = max(float((self._stop - self._at) / _MINUTE), first)
        low, high = ([proposal.value + sign * spec.tolerance] * 2 for sign in (-1, 1))
        ends = [first, last]
        return compare_curve(
            "setpoint", title, unit, predicted=(ends, [proposal.value] * 2), band=(low, high), came=came, complete=self._complete
        )  # fmt: skip

    def effect(self, effect: Effect, options: object) -> EffectComparison:
        """Compare one effect."""
        return replace(self._compared(effect, options), effect=effect)

    def _compared(self, effect: Effect, options: object) -> EffectComparison:
        match options:
            case RoomEffect() if effect.minutes:
                return self._curve(effect, self._signal(options.temperature), self._resolution(options.temperature))
            case QueueEffect() if effect.minutes:
                if options.recent is not None:
                    why = f"when something was moved isn't observed: whoever came within {options.recent} counts as waiting"
                    return self._nothing(effect, why)
                return self._curve(effect, self._queue(options), 0.5)
            case TripEffect() if effect.minutes:
                return self._trip(effect, options)
        return self._nothing(effect, "there is no curve of it that could be compared")

    # -- what came --------------------------------------------------------------------------------------------------------
    def _signal(self, name: str) -> Series:
        """Return minutes and values of a signal; a value that failed its tests is left out."""
        proposal = self._proposal
        found = self._twin.history(
            proposal.asset_type, signals=[name], assets=[proposal.asset], start=self._at, stop=self._stop
        )
        values = found[name].to_numpy().ravel().astype(np.float64)
        failed = found[f"{name}_qc"].to_numpy().ravel() == int(Flag.FAIL)
        minutes = (found["time"].to_numpy().astype("M8[ns]") - self._at) / _MINUTE
        used = np.isfinite(values) & ~failed
        return minutes[used].tolist(), values[used].tolist()

    def _resolution(self, name: str) -> float:
        return self._twin.model.asset_types[self._proposal.asset_type].signals[name].resolution or 0.0

    def _queue(self, options: QueueEffect) -> Series:
        """Return how many waited at the end of each minute."""
        at = int(self._at.astype(np.int64))
        place = place_of(self._twin, self._proposal.asset_type, self._proposal.asset, options, at)
        if place is None:
            return [], []
        count = int((self._stop - self._at) // _MINUTE)
        minutes = [float(one) for one in range(1, count + 1)]
        step = int(_MINUTE.astype(np.int64))
        return minutes, [float(waiting_at(self._twin, options, place, at + step * one)) for one in range(1, count + 1)]

    def _curve(self, effect: Effect, came: Series, tolerance: float) -> EffectComparison:
        return compare_curve(
            effect.kind, effect.title, effect.unit, predicted=(effect.minutes, effect.after), band=(effect.low, effect.high), came=came,
            tolerance=tolerance, complete=self._complete,
        )  # fmt: skip

    def _trip(self, effect: Effect, options: TripEffect) -> EffectComparison:
        """Compare when the trip has ended with when it should have."""
        expected = effect.kpis["arrival from now"].after
        allowed = max(UNSURE * expected, _PUNCTUAL)
        trip = trip_under_way(self._twin, self._proposal.asset, options, now=self._at)
        ended = None if trip is None else np.datetime64(trip["end"], "ns")
        said = f"expected in {expected:.0f} min, {allowed:.0f} min more or less"
        if ended is None:
            return self._nothing(effect, "the trip isn't in the table of trips any more")
        if np.isnat(ended) or ended > self._stop:
            passed = float((self._stop - self._at) / _MINUTE)
            if passed <= expected + allowed and not self._complete:
                return EffectComparison("trip", effect.title, "min", "not yet", f"{said}; it is under way")
            if passed <= expected + allowed:
                return self._nothing(effect, f"{said}; the speed was set again before it arrived")
            return EffectComparison(
                "trip", effect.title, "min", "otherwise", f"{said}; not there after {passed:.0f} min"
            )
        took = float((ended - self._at) / _MINUTE)
        match: Match = "as predicted" if abs(took - expected) <= allowed else "otherwise"
        return EffectComparison(
            "trip", effect.title, "min", match, f"{said}; it arrived after {took:.0f} min", (took,), (100.0,)
        )

    def _nothing(self, effect: Effect, why: str) -> EffectComparison:
        return EffectComparison(effect.kind, effect.title, effect.unit, "can't tell", why)
