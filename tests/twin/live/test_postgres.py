"""A twin that follows tables of PostgreSQL by logical decoding: kills lose and repeat no change, deleted rows are gone."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import twinlab as tl
from tests.sources.live.postgres.test_source import Erp

SCRIPT = Path(__file__).with_name("killed_before_acknowledge.py")
MODEL = """
twin: site
origin: 2026-01-01
asset_types:
  depot: {}
event_types:
  shipment:
    properties:
      kg: {dtype: number, unit: kg}
"""
MAPPING = """
source: erp
tables:
  - table: TABLE
    events:
      - type: shipment
        key: [id]
        start: {column: at, zone: UTC}
        properties: {kg: {column: kg}}
    ignore: [note]
live: {kind: postgres, url: "URL", slot: SLOT, publication: PUBLICATION, every: 20ms, rows: 50, copy_tables: false}
"""


@pytest.fixture
def erp(postgres: str) -> Iterator[Erp]:
    made = Erp(postgres.replace("+psycopg", ""))
    yield made
    made.close()


@pytest.fixture
def twin(erp: Erp, tmp_path: Path) -> tl.Twin:
    (tmp_path / "twin.yaml").write_text(MODEL)
    text = MAPPING.replace("URL", erp.reader).replace("SLOT", erp.slot).replace("TABLE", erp.table)
    (tmp_path / "erp.yaml").write_text(text.replace("PUBLICATION", erp.publication))
    return tl.create(tmp_path / "site", model=tmp_path / "twin.yaml", mappings=tmp_path / "erp.yaml")


def ledger_rows(twin: tl.Twin) -> list[tuple[int, float | None, bool]]:
    found = []
    for frame in twin.ledger.reader("erp").frames():
        gone = frame.retracts()
        for place, row in enumerate(frame.batch().to_pylist()):
            found.append((row["id"], row["kg"], gone is not None and bool(gone[place])))
    return found


def test_a_kill_between_the_ledger_s_sync_and_the_acknowledgement_loses_and_repeats_nothing(
    erp: Erp, twin: tl.Twin
) -> None:
    expected: list[tuple[int, float | None, bool]] = []
    for kill in (1, 2):
        low = len(expected) * 10 + 1
        erp.insert(low, 120, kg=2.0)
        erp.run(f"UPDATE {erp.table} SET kg = 3 WHERE id BETWEEN %s AND %s", low, low + 4)
        erp.run(f"DELETE FROM {erp.table} WHERE id = %s", low + 9)
        expected += [(number, 2.0, False) for number in range(low, low + 120)]
        expected += [row for number in range(low, low + 5) for row in ((number, 2.0, True), (number, 3.0, False))]
        expected.append((low + 9, 2.0, True))
        before = erp.confirmed()
        run = subprocess.run([sys.executable, str(SCRIPT), str(twin.folder), str(kill)], check=False, timeout=120)
        assert run.returncode == -signal.SIGKILL
        if kill == 1:
            assert erp.confirmed() == before
    twin.run(once=True)
    assert ledger_rows(twin) == expected
    shown = {int(row.event_id): row.kg for row in twin.events("shipment").itertuples()}
    assert shown == {number: float(kg) for number, kg in erp.run(f"SELECT id, kg FROM {erp.table}")}
    assert twin.gaps().empty
    # A stop leaves nothing to be read again.
    assert twin.run(once=True).sources["erp"]["rows"] == 0


def test_a_deleted_row_is_gone_from_the_published_events(erp: Erp, twin: tl.Twin) -> None:
    erp.insert(1, 3)
    status = twin.run(once=True)
    assert len(twin.events("shipment")) == 3
    assert status.sources["erp"]["load"]["slot_kept_bytes"] > 0
    erp.run(f"DELETE FROM {erp.table} WHERE id = 2")
    erp.run(f"UPDATE {erp.table} SET kg = 7, at = '2026-02-01' WHERE id = 3")
    twin.run(once=True)
    table = tl.open(twin.folder).events("shipment")
    assert table[["event_id", "kg"]].to_numpy().tolist() == [["3", 7.0], ["1", 1.5]]
