"""Wrong units that are planted on request, and files that stay as they are without them."""

import gzip
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from twinlab.errors import SchemaError
from twinlab.model.units import convert
from twinlab.plant import Network, ParcelSize, simulate_network, write_files
from twinlab.plant.network.unit_faults import CHANNELS, channel_values, declared_unit, plant_unit_faults

SIZE = ParcelSize(
    hubs=3, trucks=5, cold_rooms=3, forklifts=2, parcels_a_week=20, weeks=1, seed=4, start="2025-10-20"
)  # fmt: skip


@pytest.fixture(scope="module")
def plain() -> Network:
    return simulate_network(SIZE)


def test_files_without_planted_units_are_those_of_earlier_versions(plain: Network, tmp_path: Path) -> None:
    digest = hashlib.sha256()
    for path in sorted(write_files(plain, tmp_path).files, key=lambda path: path.name):
        # The bytes of SQLite and of a workbook depend on the library's version.
        if path.suffix in (".csv", ".gz"):
            content = path.read_bytes()
            digest.update(path.name.encode() + (gzip.decompress(content) if path.suffix == ".gz" else content))
    assert digest.hexdigest() == "c58933a7e50f740f3cdc2b9828032e01f2112aa02003acf28131ebdb15212338"


def test_half_of_the_faults_are_switches_and_each_differs_as_recorded(plain: Network) -> None:
    network = plant_unit_faults(plain, 16)
    planted = network.faults[len(plain.faults) :]
    begin, _ = SIZE.span
    assert len({(fault.asset_type, fault.asset, fault.signal) for fault in planted}) == 16
    assert sum(fault.start > begin for fault in planted) == 8
    assert {fault.signal for fault in planted} == {channel.signal for channel in CHANNELS}
    for channel in CHANNELS:
        seconds, right = channel_values(plain, channel)
        _, seen = channel_values(network, channel)
        faults = {fault.asset: fault for fault in planted if fault.signal == channel.signal}
        for asset in range(len(right)):
            fault = faults.get(asset)
            known = np.isfinite(right[asset])
            assert (np.isfinite(seen[asset]) == known).all()
            wrong = known & (seconds >= fault.start) if fault else np.zeros_like(known)
            assert (seen[asset][known & ~wrong] == right[asset][known & ~wrong]).all()
            if fault is None:
                continue
            declared, written = declared_unit(network, channel, asset), str(fault.details["written"])
            assert fault.details["declared"] == declared
            number = convert(seen[asset][wrong], channel.unit, declared) / float(fault.details["factor"])
            again = convert(number, written, channel.unit)
            half = [0.0, 0.51 * 10.0**-channel.decimals]
            steps = [np.diff(convert(half, unit, channel.unit))[0] for unit in (written, declared)]
            assert np.abs(again - right[asset][wrong]).max() <= sum(steps)


def test_the_files_have_the_wrong_numbers(plain: Network, tmp_path: Path) -> None:
    network = plant_unit_faults(plain, 16)
    faults = {
        (fault.asset, fault.signal): fault for fault in network.faults if fault.details.get("written") == "1"
    }  # fmt: skip
    asset = next(asset for asset, signal in faults if signal == "battery")
    start = faults[asset, "battery"].start
    lines = [
        json.loads(line)
        for path in write_files(network, tmp_path).files
        if path.name.startswith("forklifts")
        for line in gzip.decompress(path.read_bytes()).decode().splitlines()
    ]
    mine = [
        line["battery"]["pct"]
        for line in lines
        if line["lift"] == network.forklift(asset)
        and np.datetime64(line["at"][:19], "s").astype(int) >= start + 86_400
    ]  # fmt: skip
    assert mine
    assert max(mine) <= 1.0
    assert (network.rooms.temperature == plain.rooms.temperature).all()
    assert (network.forklifts.battery == plain.forklifts.battery).all()


def test_more_faults_than_channels_are_refused(plain: Network) -> None:
    with pytest.raises(SchemaError, match=r"at most \d+ wrong units"):
        plant_unit_faults(plain, 1000)
