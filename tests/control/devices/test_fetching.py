"""What devices have recorded comes into the audit once: whoever is killed, away, replaced or hostile."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from twinlab.commands.messages.records import RecordedEntry, RecordsPage
from twinlab.control.audit import AuditEntry, AuditLog, AuditRow
from twinlab.control.audit.search import find_rows
from twinlab.control.carriers.settings import ControlSettings
from twinlab.control.devices import FetchReport, fetch_records
from twinlab.edge.commanding import Records
from twinlab.edge.commanding.records import short_entry
from twinlab.errors import NoAnswerError

TARGETS = ("forklift/F01", "forklift/F02", "cold_room/R01", "cold_room/R02", "truck/T01")


class Site:
    """Two forklifts and a gateway of two rooms with real record files, whose pages are given without a network."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = ControlSettings.model_validate({
            "keys": "keys.yaml",
            "endpoints": {
                "halls": {"carrier": "mqtt", "assets": ["forklift/*"]},
                "old": {"carrier": "modbus", "assets": ["cold_room/*"], "device": "refrigeration"},
            },
        })  # fmt: skip
        self.devices = {name: Records(folder / f"{name.replace('/', '-')}.jsonl") for name in ("forklift/F01", "forklift/F02", "refrigeration")}  # fmt: skip
        self.away: set[str] = set()
        self.asked: list[tuple[str, int]] = []
        self.most_bytes = 400
        self.log = AuditLog(folder / "audit")

    def refuse(self, device: str, reason: str, **fields: Any) -> None:
        entry = {"kind": "command refused", "time": "2026-03-01T12:00:00.000Z", "who": ["ann"], "wire_sha256": "a" * 64, "device": device,
                 "what": {"outcome": "refused", "reason": reason, **fields}}  # fmt: skip
        self.devices[device].append(entry)

    def records(self, target: str, *, first: int, timeout: float) -> RecordsPage:
        assert timeout > 0
        device = self.settings.endpoints[self.settings.endpoint_of(target)].device_of(target)
        self.asked.append((device, first))
        if device in self.away:
            raise NoAnswerError(f"{device}: none in 2 s")
        lines, before, total = self.devices[device].page(first, most_bytes=self.most_bytes)
        return RecordsPage(
            device=device, first=first, total=total, before=None if before is None else hashlib.sha256(before).hexdigest(), nonce="0" * 32,
            entries=[RecordedEntry(sha256=hashlib.sha256(one).hexdigest(), entry=short_entry(one, most_bytes=9_000)) for one in lines],
        )  # fmt: skip

    def fetch(self, append: Any = None) -> FetchReport:
        return fetch_records(
            self,
            TARGETS,
            state=self.folder / "state.json",
            audit=self.folder / "audit",
            append=append or self.log.append,
        )

    def rows(self) -> list[AuditRow]:
        return [row for row in find_rows(self.folder / "audit") if row.kind == "device record"]

    def reasons(self, device: str) -> list[str]:
        return [row.what["reason"] for row in self.rows() if row.what["device"] == device]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    found = Site(tmp_path)
    yield found
    found.log.close()


def test_each_entry_comes_once_and_in_its_order_over_many_pages(site: Site) -> None:
    for number in range(7):
        site.refuse("forklift/F01", f"first {number}", check="replay", target="forklift/F01")
    site.refuse("refrigeration", "a room")
    assert site.fetch() == FetchReport(8, {})
    assert site.reasons("forklift/F01") == [f"first {number}" for number in range(7)]
    # One device is asked once, whatever number of assets it has.
    assert [device for device, _ in site.asked].count("refrigeration") == 1
    assert site.fetch().added == 0
    site.refuse("forklift/F01", "later")
    assert site.fetch().added == 1
    row = site.rows()[-1]
    assert (row.who, row.what["number"], row.what["recorded"]) == (("ann",), 7, "command refused")
    assert (row.what["time"], row.what["wire_sha256"]) == ("2026-03-01T12:00:00.000Z", "a" * 64)


def test_a_process_that_is_killed_in_between_writes_no_entry_twice_and_loses_none(site: Site) -> None:
    for number in range(5):
        site.refuse("forklift/F01", f"first {number}")
        site.refuse("forklift/F02", f"second {number}")

    class Killed(BaseException):
        pass

    left = [3]

    def append(entry: AuditEntry) -> AuditRow:
        row = site.log.append(entry)
        left[0] -= 1
        if not left[0]:
            raise Killed
        return row

    with pytest.raises(Killed):
        site.fetch(append)
    assert len(site.rows()) == 3
    assert site.fetch().added == 7
    (site.folder / "state.json").unlink()
    assert site.fetch().added == 0
    for name, device in (("first", "forklift/F01"), ("second", "forklift/F02")):
        assert site.reasons(device) == [f"{name} {number}" for number in range(5)]


def test_a_device_that_is_away_is_asked_again_and_delays_no_other(site: Site) -> None:
    site.refuse("forklift/F01", "one")
    site.refuse("forklift/F02", "two")
    site.away.add("forklift/F01")
    report = site.fetch()
    assert (report.added, dict(report.unreachable)) == (1, {"forklift/F01": "forklift/F01: none in 2 s"})
    site.away.clear()
    assert site.fetch().added == 1


@pytest.mark.parametrize("entries", [1, 2, 3, 4])
def test_a_record_that_was_replaced_is_said_to_be_another_one_and_read_from_its_begin(site: Site, entries: int) -> None:
    for number in range(3):
        site.refuse("forklift/F01", f"old {number}")
    site.fetch()
    site.devices["forklift/F01"].path.unlink()
    site.devices["forklift/F01"] = Records(site.devices["forklift/F01"].path)
    for number in range(entries):
        site.refuse("forklift/F01", f"new {number}")
    assert site.fetch().added == 1 + entries
    found = site.reasons("forklift/F01")
    assert "its memory was replaced or changed" in found[3]
    assert found[4:] == [f"new {number}" for number in range(entries)]
    assert site.fetch().added == 0


def test_what_a_hostile_device_says_stops_no_other_and_names_nobody_else(site: Site) -> None:
    site.devices["forklift/F01"].append(
        {"kind": "command refused", "what": {"reason": ["x"] * 10_000, "birthday": "1990"}}
    )
    site.devices["forklift/F01"].append({"kind": ["list"], "who": {"a": 1}, "what": "text", "time": 5})
    with site.devices["forklift/F01"].path.open("ab") as file:
        file.write(b"no JSON\n")
    site.refuse("forklift/F01", "true")
    site.refuse("forklift/F02", "true")
    site.most_bytes = 200_000
    assert site.fetch().added == 5
    assert [row.what["recorded"] for row in site.rows()[:3]] == ["damaged entry", "['list']", "damaged entry"]
    assert all("birthday" not in row.what for row in site.rows())
    assert site.fetch().added == 0
