"""Late cells built beside each other are those that are built one by one."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.history.late_twin import MODEL, late_rows, published_twin
from twinlab.history.build.catchup import Stored
from twinlab.history.build.late.building import late_blocks
from twinlab.history.build.report import Tally


def test_the_blocks_of_many_late_spans_are_those_of_each(tmp_path: Path) -> None:
    twin = published_twin(tmp_path)
    rng = np.random.default_rng(3)
    with twin.writer("feed") as writer:
        for _ in range(4):
            writer.append(late_rows(rng))
            pin = twin.reader.pinned()
            update = pin.update
            plans = [plan for plan in update.plans if plan.late]
            many, each = Tally(), Tally()
            found = late_blocks(plans, update.claims, Stored(pin.view), many)
            assert len({plan.fresh[0][1] - plan.fresh[0][0] for plan in plans}) > 1
            for place, plan in enumerate(plans):
                update.tally = each
                (expected,) = (block for _, block in update.blocks(Stored(pin.view), [plan]))
                assert (found[place].k0, found[place].first_asset) == (expected.k0, expected.first_asset)
                for name in expected.values:
                    np.testing.assert_array_equal(found[place].values[name], expected.values[name])
                    np.testing.assert_array_equal(found[place].flags[name], expected.flags[name])
            assert many == each


def test_claims_of_which_not_the_last_one_counts_are_built_one_by_one(tmp_path: Path) -> None:
    twin = published_twin(tmp_path, model=MODEL.replace("unit: kW", "unit: kW, combine: mean"))
    with twin.writer("feed") as writer:
        writer.append(late_rows(np.random.default_rng(2)))
        pin = twin.reader.pinned()
        plans = [plan for plan in pin.update.plans if plan.late]
        assert late_blocks(plans, pin.update.claims, Stored(pin.view), Tally()) is None
        blocks = pin.update.late_blocks(Stored(pin.view), plans)
        assert [(block.k0, len(found)) for found in blocks for block in found] == [
            (one.write[0][0], 1) for one in plans
        ]
