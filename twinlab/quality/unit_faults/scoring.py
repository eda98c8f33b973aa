"""Scoring: how probable each hypothesis is for each asset, from its peers, its spans and its own past."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from twinlab.quality.unit_faults.features import Features, median_of
from twinlab.quality.unit_faults.hypotheses import Hypothesis
from twinlab.quality.unit_faults.peers import Peers, cauchy
from twinlab.quality.unit_faults.switches import Period, best_periods

__all__ = ["Judge", "Spans", "Verdict"]

Floats = npt.NDArray[np.float64]

#: Probability that a correct asset's level really changes as much as a wrong unit changes it.
_REAL_CHANGE: Final = 0.02
#: Evidence of values outside the span that a sensor can report, and that operation normally shows.
_OUTSIDE_SENSOR, _OUTSIDE_EXPECTED = 10.0, 6.0


@dataclass(frozen=True)
class Spans:
    """What the sensor can report, and what operation normally shows, in the signal's unit: [low and high, asset]."""

    sensor: Floats | None = None
    expected: Floats | None = None

    def penalty(self, quantiles: Floats, assets: npt.ArrayLike) -> Floats:
        """Return the evidence against the values of some assets, [asset, block, quantile], by their spans, [asset]."""
        found = np.zeros(len(quantiles))
        for span, weight in ((self.sensor, _OUTSIDE_SENSOR), (self.expected, _OUTSIDE_EXPECTED)):
            if span is not None:
                low, high = span[:, np.asarray(assets)]
                known = np.isfinite(quantiles)
                out = known & ((quantiles < low[:, None, None]) | (quantiles > high[:, None, None]))
                share = out.sum(axis=(1, 2)) / np.maximum(known.sum(axis=(1, 2)), 1)
                found = np.maximum(found, weight * np.minimum(1.0, 2.0 * share))
        return found


@dataclass(frozen=True)
class Verdict:
    """A hypothesis about an asset: all of its values are wrong, or those of a period."""

    hypothesis: int
    probability: float
    """Of the hypothesis, whatever the period."""
    period: Period | None
    of_peers: float
    """Evidence of the peers, logarithm of a ratio of densities."""
    of_past: float
    """Evidence of the asset's own past."""


@dataclass(frozen=True)
class Judge:
    """What the hypotheses of one declared unit are compared with."""

    tested: Sequence[Hypothesis]
    features: Features
    quantiles: Floats
    """[asset, block, quantile], in the signal's unit."""
    peers: Peers
    spans: Spans

    def verdicts(self, assets: npt.NDArray[np.int64]) -> list[list[Verdict]]:
        """Return the hypotheses of each asset that are at all probable, most probable first; none without data."""
        quantiles = self.quantiles[assets]
        outside = self.spans.penalty(quantiles, assets)
        of_spans = np.stack([outside - self.spans.penalty(one.apply(quantiles), assets) for one in self.tested])
        seen = median_of(self.features.seen[assets])
        errors = np.nan_to_num(self.features.rounding[assets])
        density = self.peers.log_density(np.nan_to_num(seen), assets, errors)
        right = np.stack(
            [
                self.peers.log_density(np.nan_to_num(median_of(part[assets])), assets, errors)
                + (shift if self.peers.known else 0.0)
                for part, shift in zip(self.features.right, self.features.jacobian, strict=True)
            ]
        )
        known = np.flatnonzero(np.isfinite(seen).all(axis=1)).tolist()
        return [
            self._verdict(asset, right[:, place] - density[place] + of_spans[:, place]) if place in known else []
            for place, asset in enumerate(assets.tolist())
        ]

    def _verdict(self, asset: int, of_peers: Floats) -> list[Verdict]:
        scores: list[tuple[float, Verdict]] = []
        for number, (one, period) in enumerate(zip(self.tested, best_periods(self.features, asset), strict=True)):
            # Wrong throughout and wrong for a period are equally probable.
            prior = float(np.log(one.prior / 2))
            whole = Verdict(number, 0.0, None, float(of_peers[number]), 0.0)
            if period is None:
                scores.append((prior + whole.of_peers, whole))
                continue
            inside = self.quantiles[asset : asset + 1, period.first : period.stop]
            of_spans = self.spans.penalty(inside, [asset]) - self.spans.penalty(one.apply(inside), [asset])
            of_period, of_whole, level = self._of_past(asset, number, period)
            past = of_period + float(of_spans[0])
            scores.append((prior + past, Verdict(number, 0.0, period, level, past)))
            scores.append((prior + min(of_whole + float(of_spans[0]), whole.of_peers), whole))
        logs = np.array([0.0, *[score for score, _ in scores]])
        shares = np.exp(logs - np.logaddexp.reduce(logs))[1:].tolist()
        total: dict[int, float] = {}
        best: dict[int, tuple[float, Verdict]] = {}
        for share, (_, verdict) in zip(shares, scores, strict=True):
            total[verdict.hypothesis] = total.get(verdict.hypothesis, 0.0) + share
            if share >= best.get(verdict.hypothesis, (0.0, verdict))[0]:
                best[verdict.hypothesis] = (share, verdict)
        ranked = sorted(total, key=lambda number: -total[number])
        return [replace(best[number][1], probability=total[number]) for number in ranked if total[number] > 0.01]

    def _of_past(self, asset: int, number: int, period: Period) -> tuple[float, float, float]:
        """Return the evidence for a wrong period, and for wrong values throughout with a real change; the peers' part of it.

        Both against a correct series with noise or a real change.
        """
        features = self.features
        blocks = features.seen.shape[1]
        ends = (period.first > 0) + (period.stop < blocks)
        # The period is the best of many, which counts for a fault as for a real change, but not for noise.
        found = float(np.log(2.0) * (ends - 1) - ends * np.log(blocks))
        scale = features.drift(min(period.stop - period.first, blocks - period.stop + period.first))
        shift = float(features.jacobian[number])
        medians = np.stack([period.outside_seen, period.inside_seen, period.outside_right, period.inside_right])
        errors = np.repeat(np.nan_to_num(features.rounding[asset : asset + 1]), 4, axis=0)
        density = self.peers.log_density(medians, np.full(4, asset), errors).tolist()
        change = _changed(period.inside_seen - period.outside_seen, features.width, scale, found)
        correct = max(density[0], density[1]) + change
        wrong = density[0] + _same(period.inside_right - period.outside_seen, scale) + shift + found
        throughout = max(density[2], density[3]) + 2.0 * shift
        throughout += _changed(period.inside_right - period.outside_right, features.width, scale, found)
        return wrong - correct, throughout - correct, min(0.0, density[0] - density[1])


def _changed(change: Floats, width: Floats, scale: Floats, found: float) -> float:
    """Return the log density of a difference between two periods of a correct series: noise, seldom a real change."""
    wide = cauchy(change, width).sum()
    noise = np.log1p(-_REAL_CHANGE) + _same(change, scale)
    return float(np.logaddexp(noise, np.log(_REAL_CHANGE) + found + wide))


def _same(difference: Floats, scale: Floats) -> float:
    z = difference / scale
    return float((-5.5 * np.log1p(z * z / 10.0) - 0.9438984 - np.log(scale)).sum())
