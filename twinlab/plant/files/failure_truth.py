"""Tables of the truth about failures and delays: what failed when and why, and which causes delayed which trip."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from twinlab.plant.files.maintenance import maintenance_log
from twinlab.plant.files.truth import Row, instant, write_table
from twinlab.plant.network.network import Network

__all__ = ["write_failure_truth"]

_FAILURES = (
    "kind", "asset_type", "asset", "component", "cause", "onset", "precursor", "failed", "repaired", "log_order",
    "log_asset", "log_readable", "log_begin", "log_end", "log_entered",
)  # fmt: skip
_HINDRANCES = ("cause", "hub", "start", "end", "amount")
_DELAYS = ("trip", "truck", "cause", "at", "minutes")


def write_failure_truth(network: Network, folder: Path) -> list[Path]:
    """Write the tables as CSV, times in UTC; return their paths. Nothing is written without failures.

    ``failures.csv`` has failures after the end of the files, too, if their precursor is before it: an alarm about them is
    right. Its column ``precursor`` is empty for failures that nothing announces.
    """
    if network.condition is None:
        return []
    disturbances = network.condition.disturbances
    return [
        write_table(folder / "failures.csv", _FAILURES, _failures(network)),
        write_table(
            folder / "hindrances.csv", _HINDRANCES,
            ((one.cause, network.hub(one.hub), instant(one.start), instant(one.stop), one.amount) for one in disturbances.hindrances),
        ),
        write_table(
            folder / "delays.csv", _DELAYS,
            ((f"TR{one.trip + 1:05d}", network.truck(int(network.trips.truck[one.trip])), one.cause, one.at, one.minutes)
             for one in disturbances.delays),
        ),
    ]  # fmt: skip


def _failures(network: Network) -> Iterator[Row]:
    entries = {one.failure: one for one in maintenance_log(network)}
    stop = network.size.span[1]
    assert network.condition is not None
    for one in network.condition.disturbances.failures:
        if one.precursor >= stop:
            continue
        entry, announced = entries[one], one.onset < one.failed
        times = (instant(one.onset) if announced else "", instant(one.precursor) if announced else "")
        yield (
            one.kind, one.asset_type, network.asset(one.asset_type, one.asset), one.component, one.cause, *times,
            instant(one.failed), instant(one.repaired), entry.order, entry.asset, entry.readable, instant(entry.begin),
            instant(entry.end), instant(entry.entered),
        )  # fmt: skip
