"""A plan that was carried out: its predictions compared with what was observed since."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from twinlab.control.proposals.comparing.comparison import Comparison
from twinlab.control.proposals.comparing.curves import EffectComparison
from twinlab.control.proposals.comparing.observed import Observed
from twinlab.events.present_state.cached_reader import cached_reader

if TYPE_CHECKING:
    from twinlab.control.proposals.proposal import Proposal
    from twinlab.model.commands.spec import CommandSpec
    from twinlab.model.reader import TwinReader

__all__ = ["compare_plan", "instant_of"]

#: What was reported is compared for so long if no effect has a curve.
_SHORTEST = 60.0
#: Rows arrive some time after what they are of.
_LATE = np.timedelta64(10, "m")


def compare_plan(
    twin: TwinReader,
    proposal: Proposal,
    spec: CommandSpec,
    *,
    sent: np.datetime64,
    again: np.datetime64 | None,
    now: np.datetime64,
) -> Comparison:
    """Compare the effects of a proposal with what was observed.

    What was predicted begins when the state was looked at, some seconds before the command was sent.

    Parameters
    ----------
    twin : TwinReader
    proposal : Proposal
    spec : CommandSpec
        What the model states of the parameter.
    sent : datetime64
        When it was carried out, UTC.
    again : datetime64 or None
        When the parameter was set again: later observations have another cause.
    now : datetime64
        The present, UTC.
    """
    twin = cached_reader(twin)
    at = instant_of(proposal.at)
    ahead = max([one.minutes[-1] for one in proposal.effects if one.minutes], default=0.0)
    end = at + np.timedelta64(int(60 * max(ahead, _SHORTEST)), "s")
    end = end if again is None else min(end, again)
    complete = bool(now >= end + _LATE)
    until = min(end, now)
    observed = Observed(twin, proposal, spec, at=at, stop=until, complete=complete)
    effects = [observed.setpoint(sent=sent)]
    same = [one.kind for one in spec.simulate_with] == [one.kind for one in proposal.effects]
    for place, effect in enumerate(proposal.effects):
        if same:
            effects.append(observed.effect(effect, spec.simulate_with[place]))
        else:
            why = "twin.yaml states other effects than when it was proposed"
            effects.append(EffectComparison(effect.kind, effect.title, effect.unit, "can't tell", why, effect=effect))
    return Comparison(proposal.id, _text(now), _text(until), complete, tuple(effects))


def instant_of(text: str) -> np.datetime64:
    """Return an instant that was written with its offset, UTC.

    >>> instant_of("2026-04-02T19:02:00Z")
    np.datetime64('2026-04-02T19:02:00.000000')
    """
    return np.datetime64(pd.Timestamp(datetime.fromisoformat(text)).tz_convert("UTC").tz_localize(None))


def _text(when: np.datetime64) -> str:
    return f"{pd.Timestamp(when):%Y-%m-%dT%H:%M:%S}Z"
