"""Tables of events, and events in the rows of a table of signals."""

import pandas as pd
import pytest

import twinlab as tl
from tests.harmonise.drafting.one_file import drafted


def hobo(rows=60):
    head = '"Plot Title: creek"\n"#","Date Time, GMT-05:00","Temp, °C (LGR S/N: 20, SEN S/N: 21)","Host Connected (LGR S/N: 20)","End Of File (LGR S/N: 20)"'
    cells = [
        f"{i + 1},05/20/21 {1 + i // 6:02d}:{i % 6}0:00 AM,{i}.5,{'Logged' if i in (7, 59) else ''},{'Logged' if i == 59 else ''}"
        for i in range(rows)
    ]
    return "\n".join([head, *cells])


def test_a_loggers_own_events_are_events_of_the_logger(tmp_path):
    model, mapping, found = drafted(tmp_path, hobo(), name="creek.csv")
    assert list(model.event_types) == ["host_connected", "end_of_file"]
    events = {part.type: part.table.num_rows for part in found.events}
    assert events == {"host_connected": 2, "end_of_file": 1}
    assert "Host Connected" not in mapping.tables[0].ignore
    assert len(found.claims) == 60


def test_rows_of_another_kind_without_a_measured_value_are_events(tmp_path):
    rows = [
        f"2025-06-0{1 + i // 24}T{i % 24:02d}:00Z,press,{'ALARM' if i % 9 == 4 else 'STOP' if i % 9 == 7 else 'READING'},"
        f"{'' if i % 9 in (4, 7) else f'{i}.5'},{'E10' if i % 9 == 4 else ''}"
        for i in range(72)
    ]  # fmt: skip
    path = tmp_path / "press.csv"
    path.write_text("\n".join(["time,machine,record_type,pressure_bar,alarm_code", *rows]))
    twin = tl.create(tmp_path / "twin", files=[path])
    twin.ingest(path)
    assert {kind: len(twin.events(kind)) for kind in twin.model.event_types} == {"alarm": 8, "stop": 8}
    alarms = twin.events("alarm")
    assert set(alarms["alarm_code"]) == {"E10"}
    assert pd.Timestamp(alarms["start"].min()) == pd.Timestamp("2025-06-01T04:00")
    assert list(twin.model.asset_types["machine"].signals) == ["pressure"]
    assert int(twin.history("machine")["pressure"].notnull().sum()) == 56


def test_kinds_that_all_have_values_stay_a_state(tmp_path):
    rows = [f"2025-06-01T{i:02d}:00Z,{'A' if i % 2 else 'B'},{i}.5" for i in range(24)]
    model, _, _ = drafted(tmp_path, "\n".join(["time,type,pressure_bar", *rows]))
    (kind,) = model.asset_types.values()
    assert [signal.kind for signal in kind.signals.values()] == ["state", "gauge"]
    assert not model.event_types


@pytest.mark.parametrize("column", ["errorID", "failure", "alarm", "maintenance"])
def test_a_time_an_asset_and_what_happened_is_an_event(tmp_path, column):
    rows = [f"2025-06-0{1 + i // 9} 0{i % 9}:00,{1 + i % 4},what{i % 3}" for i in range(45)]
    model, mapping, found = drafted(tmp_path, "\n".join([f"datetime,machineID,{column}", *rows]))
    ((kind, event),) = model.event_types.items()
    assert (kind, event.asset) == ("log_event", "machine") or event.asset == "machine"
    (rule,) = mapping.tables[0].events
    assert set(rule.key) >= {"machineID", "datetime"}
    assert sum(part.table.num_rows for part in found.events) == 45


def test_a_log_of_states_or_with_measured_values_is_no_event(tmp_path):
    rows = [f"2025-06-0{1 + i // 9} 0{i % 9}:00,{1 + i % 4},{'on' if i % 8 < 4 else 'off'}" for i in range(45)]
    model, _, _ = drafted(tmp_path, "\n".join(["datetime,machine_id,mode", *rows]))
    assert not model.event_types
    model, _, _ = drafted(
        tmp_path, "\n".join(["datetime,machine_id,fault,temp_c", *(f"{row},{i}.5" for i, row in enumerate(rows))])
    )
    assert not model.event_types


def test_one_date_and_four_clocks_are_planned_and_actual_times_of_a_flight(tmp_path):
    def clock(minutes):
        return f"{minutes // 60 % 24:02d}{minutes % 60:02d}"

    rows = []
    for i in range(120):
        late, start, length = (i * 7) % 40 - 5, 360 + (i * 37) % 900, 60 + i % 90
        rows.append(
            f"2019-01-{1 + i // 20:02d},N{100 + i % 40},{100 + i % 30},{['JFK', 'LAX', 'ORD'][i % 3]},BOS,{clock(start)},{clock(start + late)},{late}.00,"
            f"{clock(start + length)},{clock(start + length + late)},{300 + (7 * i) % 120}"
        )
    header = "FlightDate,Tail_Number,Flight_Number,Origin,Dest,CRSDepTime,DepTime,DepDelay,CRSArrTime,ArrTime,Distance"
    _, mapping, found = drafted(tmp_path, "\n".join([header, *rows]), name="flights.csv")
    (rule,) = mapping.tables[0].events
    used = {role: getattr(rule, role).clock for role in ("planned_start", "start", "planned_end", "end")}
    assert used == {"planned_start": "CRSDepTime", "start": "DepTime", "planned_end": "CRSArrTime", "end": "ArrTime"}
    assert (rule.planned_start.date_column, rule.start.plus) == ("FlightDate", "DepDelay")
    # A distance that differs in all rows by chance is no key.
    assert "Distance" not in rule.key
    (part,) = found.events
    table = part.table.to_pandas()
    expected = [
        pd.Timestamp(f"2019-01-{1 + i // 20:02d}") + pd.Timedelta(minutes=360 + (i * 37) % 900) for i in range(120)
    ]
    assert sorted(table["planned_start"].astype("datetime64[ns]")) == sorted(expected)
    late = (table["start"].astype("datetime64[ns]") - table["planned_start"].astype("datetime64[ns]")) / pd.Timedelta(
        minutes=1
    )
    assert sorted(late) == sorted((i * 7) % 40 - 5 for i in range(120))


def test_a_number_of_a_unit_and_a_cycle_are_signals_of_that_unit(tmp_path):
    rows = [f"{1 + i // 20},{1 + i % 20},{i}.5,{i % 3}.25" for i in range(100)]
    model, mapping, found = drafted(tmp_path, "\n".join(["unit,cycle,s1,s2", *rows]))
    assert mapping.tables[0].asset.column == "unit"
    # A cycle is drafted as an hour: a cell holds one cycle.
    assert mapping.tables[0].time.step == "1h"
    assert {signal.cadence for signal in model.asset_types["unit"].signals.values()} == {"1h"}
    assert {rule.at for rule in mapping.questions} == {"tables[0].time.step", "tables[0].time.since"}
    assert len(found.claims) == 200
