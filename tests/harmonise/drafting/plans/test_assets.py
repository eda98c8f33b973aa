"""Lists of assets with lifetimes, and tables with a column an asset."""

import pandas as pd

import twinlab as tl
from twinlab.harmonise import draft
from twinlab.model.load import parse_mapping, parse_model


def test_dates_of_installation_and_removal_are_the_lifetime_of_the_assets(tmp_path):
    (tmp_path / "meters.csv").write_text(
        "meter,maker,installed,removed\nM-1,A,2021-05-04,\nM-2,B,2021-06-01,2022-01-02\nM-3,A,2022-01-01,\n"
    )
    rows = [
        f"2022-01-{1 + i // 24:02d}T{i % 24:02d}:00Z,{meter},{100 * k + i}"
        for i in range(72)
        for k, meter in enumerate(("M-1", "M-2", "M-3"))
    ]
    (tmp_path / "readings.csv").write_text("\n".join(["time,meter,energy_kwh", *rows]))
    twin = tl.create(tmp_path / "twin", files=[tmp_path / "meters.csv", tmp_path / "readings.csv"])
    twin.ingest(tmp_path / "meters.csv", tmp_path / "readings.csv")
    (kind,) = twin.model.asset_types.values()
    assert (kind.lifetime.start, kind.lifetime.until) == ("installed", "removed")
    assets = twin.assets("meter")
    assert pd.Timestamp(assets.loc["M-2", "removed"]) == pd.Timestamp("2022-01-02")
    asked = twin.questions().set_index("path").evidence
    assert (
        asked["asset_types.meter.lifetime.from"]
        == "the column is called 'installed'; 3 of 3 assets have a date, 2021-05-04 to 2022-01-01"
    )
    assert (
        asked["asset_types.meter.lifetime.until"]
        == "the column is called 'removed'; 1 of 3 assets have a date, 2022-01-02 to 2022-01-02"
    )


def test_dates_with_other_meanings_stay_events(tmp_path):
    rows = [f"T{i},2022-01-{1 + i % 27:02d} 08:00,2022-01-{1 + i % 27:02d} 09:30" for i in range(30)]
    (tmp_path / "trips.csv").write_text("\n".join(["trip_id,start,end", *rows]))
    model = parse_model(draft([tmp_path], name="x").model_yaml)
    assert list(model.event_types) == ["trip"]


def test_columns_named_as_assets_are_one_signal_of_each(tmp_path):
    names = ["Panther_office", "Robin_lodging", "Fox_parking", "Fox_office"]
    (tmp_path / "metadata.csv").write_text(
        "\n".join(["building_id,floor_area,opened_in", *(f"{name},{k}00.5,19{k}0" for k, name in enumerate(names))])
    )
    rows = [",".join([f"2022-01-01T{i:02d}:00Z", *(f"{100 * k + i}.5" for k in range(4))]) for i in range(24)]
    (tmp_path / "electricity.csv").write_text("\n".join([",".join(["timestamp", *names]), *rows]))
    made = draft([tmp_path], name="x")
    model = parse_model(made.model_yaml)
    assert {kind: list(one.signals) for kind, one in model.asset_types.items()} == {"building": ["electricity"]}
    assert [rule.at for rule in model.questions] == ["asset_types.building.signals.electricity.unit"]
    (rules,) = parse_mapping(made.mappings["electricity"], "electricity").tables[0].columns.values()
    assert rules[0].asset == "building/{id}"
    twin = tl.create(tmp_path / "twin", files=[tmp_path / "metadata.csv", tmp_path / "electricity.csv"])
    twin.ingest(tmp_path / "metadata.csv", tmp_path / "electricity.csv")
    found = twin.history("building")["electricity"]
    assert [float(found.sel(asset=name)[3]) for name in names] == [3.5, 103.5, 203.5, 303.5]


def test_a_tag_of_line_protocol_names_the_asset_even_if_no_instant_repeats(tmp_path):
    rows = [
        f"climate,site=north,sensor=s{k} temp_c={i}.5 {1_700_000_000 + 60 * i + 7 * k}000000000"
        for i in range(30)
        for k in range(3)
    ]
    (tmp_path / "climate.lp").write_text("\n".join(rows) + "\n")
    twin = tl.create(tmp_path / "twin", files=[tmp_path / "climate.lp"])
    twin.ingest(tmp_path / "climate.lp")
    assert {kind: list(one.signals) for kind, one in twin.model.asset_types.items()} == {"sensor": ["temperature"]}
    assert twin.history("sensor")["asset"].values.tolist() == ["s0", "s1", "s2"]


def test_a_column_of_0_and_1_among_columns_that_differ_by_a_number_is_measured_as_they_are(tmp_path):
    rows = [f"2025-06-01T{i:02d}:00Z,{i % 2},{i},{i % 2}" for i in range(24)]
    (tmp_path / "log.csv").write_text("\n".join(["time,sub_1,sub_2,door", *rows]))
    model = parse_model(draft([tmp_path], name="x").model_yaml)
    (kind,) = model.asset_types.values()
    assert [signal.kind for signal in kind.signals.values()] == ["gauge", "gauge", "state"]


def test_a_lifetime_names_the_property_of_its_column_though_another_has_a_similar_name(tmp_path):
    rows = "".join(f"P{n},{'yes' if n % 2 else 'no'},2024-01-{n + 10},2025-03-{n + 10}\n" for n in range(1, 9))
    (tmp_path / "pumps.csv").write_text(f"pump_id,Installed on,installed_on,removed_on\n{rows}")
    (kind,) = parse_model(draft([tmp_path / "pumps.csv"], name="x").model_yaml).asset_types.values()
    assert kind.lifetime.start != "installed_on"
    assert kind.properties[kind.lifetime.start].dtype == "time"


def test_a_second_list_without_dates_keeps_the_lifetimes_of_the_first(tmp_path):
    (tmp_path / "pumps.csv").write_text(
        "pump_id,installed,removed\n" + "".join(f"P{n},2024-01-{n + 10},2025-03-{n + 10}\n" for n in range(1, 9))
    )
    (tmp_path / "places.csv").write_text("pump_id,floor\n" + "".join(f"P{n},{n % 3}\n" for n in range(1, 9)))
    model = parse_model(draft([tmp_path / "pumps.csv", tmp_path / "places.csv"], name="x").model_yaml)
    (kind,) = (one for one in model.asset_types.values() if one.lifetime is not None)
    assert (kind.lifetime.start, kind.lifetime.until) == ("installed", "removed")


def test_a_column_of_files_names_the_asset_with_a_question_though_no_instant_is_there_twice(tmp_path):
    def drafted(texts, name):
        rows = [f"2022-01-{1 + i // 24:02d}T{i % 24:02d}:00Z,{text},{i / 7:.2f}" for i, text in enumerate(texts)]
        (tmp_path / "water.csv").write_text("\n".join([f"time,{name},level (m)", *rows]))
        made = draft([tmp_path / "water.csv"], name="x")
        mapping = parse_mapping(made.mappings["water"])
        return mapping.tables[0].asset, [one for one in mapping.questions if one.at == "tables[0].asset.column"]

    for texts in (["river_2021"] * 60 + ["lake_2022"] * 60 + ["river_2022"] * 40, ["river_2021"] * 160):
        asset, (question,) = drafted(texts, "file")
        assert asset.column == "file"
        assert (question.drafted, question.choices) == ("file", ["file"])
        assert "in 160 rows, those of each together; no two rows share an instant" in question.evidence
    # Texts that come and go, or a column that isn't named so, are a state.
    assert drafted([f"f{i // 4 % 3}" for i in range(160)], "file")[0].column is None
    assert drafted(["a"] * 80 + ["b"] * 80, "mode")[0].column is None


def test_all_positions_of_an_event_are_in_degrees_and_a_latitude_alone_is_not(tmp_path):
    rows = [
        f"t{i},2022-01-{1 + i % 27:02d} 08:00,2022-01-{1 + i % 27:02d} 09:30,30.{i:02},120.{i:02},31.{i:02},121.{i:02}"
        for i in range(30)
    ]
    (tmp_path / "trips.csv").write_text(
        "\n".join(["trip_id,start,end,pickup.lat,pickup.lng,dropoff_lat,dropoff_lng", *rows])
    )
    (kind,) = parse_model(draft([tmp_path], name="x").model_yaml).event_types.values()
    assert [one.unit for one in kind.properties.values()] == ["degree"] * 4
    text = (tmp_path / "trips.csv").read_text().replace("pickup.lng", "fare").replace("dropoff_lng", "tip")
    (tmp_path / "trips.csv").write_text(text)
    (kind,) = parse_model(draft([tmp_path], name="x").model_yaml).event_types.values()
    assert [one.unit for one in kind.properties.values()] == [None] * 4


def test_limits_in_a_list_of_assets_are_the_expected_span_of_their_signal_with_a_question(tmp_path):
    def drafted(head, header="time,room,temp (degC),humidity (%)"):
        (tmp_path / "rooms.csv").write_text(
            "\n".join([f"room,{head}", *(f"R{k},{k}.5,{k + 6}.5,{k}" for k in range(1, 9))])
        )
        rows = [
            f"2022-01-{1 + i % 20:02d}T08:00Z,R{k},{2 + k / 10 + i / 10:.1f},{40 + i}"
            for i in range(20)
            for k in range(1, 9)
        ]
        (tmp_path / "log.csv").write_text("\n".join([header, *rows]))
        model = parse_model(draft([tmp_path], name="x").model_yaml)
        (kind,) = model.asset_types.values()
        return kind, [one for one in model.questions if "expected_span" in one.at]

    for head in (
        "min_temperature_C,max_temperature_C,floor",
        "temp_min,temp_max,floor",
        "Lower temp limit,Upper temp limit,floor",
    ):
        kind, (question,) = drafted(head)
        span = kind.signals["temperature"].expected_span
        assert kind.limits("temperature", ["R1"], {"R1": dict(zip(span.source, (1.5, 7.5), strict=True))})[
            2:
        ].tolist() == [[1.5], [7.5]]
        assert question.at == "asset_types.room.signals.temperature.expected_span.from"
        assert "is 1.5 to 8.5" in question.evidence
    assert "no unit: taken as degC" in drafted("temp_min,temp_max,floor")[1][0].evidence
    # Limits of something else, of one of two signals that isn't named, or of a signal without a unit are properties.
    assert drafted("min_load,max_load,floor")[1] == []
    assert drafted("low_limit,high_limit,floor")[1] == []
    assert drafted("temp_min,temp_max,floor", "time,room,temp,humidity (%)")[1] == []
