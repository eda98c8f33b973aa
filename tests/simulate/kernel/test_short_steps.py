"""Steps below a second: sums of their widths are no exact numbers, and there are as many cells as the span has."""

from __future__ import annotations

import pytest

from twinlab import simulate


@pytest.mark.parametrize(("horizon", "step", "cells"), [("20s", "400ms", 50), ("7s", "100ms", 70)])
def test_a_span_has_as_many_cells_as_steps(horizon: str, step: str, cells: int) -> None:
    bank = simulate.Network(
        name="bank", nodes={"counter": {"type": "counter", "service": "150 ms"}}, demand={"people": {"at": "counter", "interval": "200 ms"}}
    )  # fmt: skip
    results = simulate.run(bank, start="2026-03-02", horizon=horizon, step=step, replications=2, progress=False)
    found = results.signals("counter")
    assert found.sizes["time"] == cells
    assert float(found["busy"].mean()) == pytest.approx(0.75, abs=0.03)  # nobody is there at first
