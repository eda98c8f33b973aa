"""How many of 30 intrusions in a week are found, and how many false alarms a day, on seeds that nothing was chosen on.

Rules and limits were chosen on seeds 1 to 6. TWINLAB_BENCH_SEEDS (101 to 106) are those that are measured. The peer is what an
operator without these rules has: what the broker itself refuses.
"""

from __future__ import annotations

import os
import sys

import pytest

from tests.security_week import search_week

SEEDS = [int(one) for one in os.environ.get("TWINLAB_BENCH_SEEDS", "101 102 103 104 105 106").split()]


@pytest.mark.benchmark
def test_thirty_intrusions_in_a_week() -> None:
    hits, alarms, notes, days, broker = [], [], [], 0, []
    for seed in SEEDS:
        found = search_week(seed)
        assert len(found.planted) == 30
        hits.append(sum(found.found))
        alarms.append(sum(one.severity != "low" for one in found.false_alarms))
        notes.append(sum(one.severity == "low" for one in found.false_alarms))
        days += found.days
        broker.append(sum({"certificate_failure", "access_refused"} >= set(one.rules) for one in found.planted))
        missed = [one.what for one, hit in zip(found.planted, found.found, strict=True) if not hit]
        kinds = [one.rule for one in found.false_alarms if one.severity != "low"]
        sys.stdout.write(
            f"\nseed {seed}: {hits[-1]} of 30, missed {missed}, false alarms {kinds}, {found.lines:,} lines\n"
        )
    sys.stdout.write(
        f"{sum(hits)} of {30 * len(SEEDS)} found, at least {min(hits)} of 30 in each week; {sum(alarms) / days:.2f} false alarms a day, at most "
        f"{max(alarms)} in a week; {sum(notes) / days:.2f} notes of low severity a day; by the broker's refusals alone {sum(broker)}\n"
    )
