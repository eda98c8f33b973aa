"""`observations`: each row once, and with ``all`` every claim with its standing."""

import numpy as np


def standings(site, **given):
    return site.reader().observations("room/a", "temperature", all=True, **given)["standing"].tolist()


def test_a_batch_that_is_repeated_after_a_crash_is_listed_once_and_counted_as_known(site):
    for sequenced in (True, False):
        rows = [("a.t", 60 * sequenced + m, 20.0 + m, *((m,) if sequenced else ())) for m in range(3)]
        site.append(rows)
        site.historian().catch_up()
        # The writer died after the sync and before its acknowledgement: the caller sends the batch again.
        site.append(rows)
        report = site.historian().catch_up()
        assert report.duplicates == 3
    found = site.reader().observations("room/a", "temperature")
    assert len(found) == 6
    assert "standing" not in found
    assert sorted(standings(site)) == ["repeated"] * 6 + ["valid"] * 6


def test_the_same_batch_twice_before_a_build_is_counted_too(site):
    rows = [("a.t", m, 20.0 + m) for m in range(3)]
    site.append(rows)
    site.append(rows)
    assert site.historian().catch_up().duplicates == 3


def test_a_correction_supersedes_and_a_value_that_comes_back_counts_again(site):
    for value in (20.0, 21.0, 21.0, 20.0):
        site.append([("a.t", 0, value)])
    site.historian().catch_up()
    assert standings(site) == ["superseded", "superseded", "repeated", "valid"]
    listed = site.reader().observations("room/a", "temperature")
    assert listed["value"].tolist() == [20.0, 21.0, 20.0]
    assert site.reader().history("room", signals=["temperature"]).temperature.values.ravel().tolist() == [20.0]


def test_retractions_have_a_standing_and_so_has_what_they_retract(site):
    site.append([("a.t", 0, 20.0), ("a.t", 1, 21.0)])
    site.append([("a.t", 0, np.nan)], op=1)
    site.append([("a.t", 2, 22.0, 7), ("a.t", 3, 23.0, 8)])
    site.append([("a.t", 2, np.nan, 9)], op=1)
    site.historian().catch_up()
    assert standings(site) == ["retracted", "retraction", "valid", "retracted", "retraction", "valid"]
    values = site.reader().history("room", signals=["temperature"]).temperature.values.ravel()
    assert np.isnan(values).tolist() == [True, False, True, False]


def test_a_later_key_supersedes_the_claim_of_the_same_key(site, rows_of):
    for key, minute, value in (("k1", 0, 20.0), ("k2", 1, 21.0), ("k1", 5, 25.0)):
        with site.ledger.writer("rooms") as writer:
            writer.append_observations(rows_of([("a.t", minute, value)], keys=[key]))
    site.historian().catch_up()
    assert standings(site) == ["superseded", "valid", "valid"]


def test_rows_of_a_file_that_was_replaced_are_withdrawn(tmp_path):
    import twinlab as tl

    file = tmp_path / "rooms.csv"
    file.write_text(
        "time,room,temperature (degC)\n2026-01-01 00:00,A,20.5\n2026-01-01 00:10,A,20.6\n2026-01-01 00:20,A,20.7\n"
    )
    twin = tl.create(tmp_path / "twin", files=[file])
    twin.ingest(file)
    file.write_text(file.read_text().replace("20.6", "19.6"))
    twin.ingest(file)
    (kind,) = twin.model.asset_types
    assert twin.observations(f"{kind}/A", "temperature")["value"].tolist() == [20.5, 19.6, 20.7]
    whole = twin.observations(f"{kind}/A", "temperature", all=True)
    assert sorted(whole["standing"]) == ["valid"] * 3 + ["withdrawn"] * 3
    assert 20.6 in whole["value"].tolist()


def test_rows_that_all_differ_have_the_standing_that_the_long_way_gives(site, rows_of, monkeypatch):
    site.append([("a.t", m, 20.0 + m) for m in range(5)])
    site.append([("a.t", m, 20.0 + m, m) for m in range(5, 9)])
    site.historian().catch_up()
    quick = standings(site)
    monkeypatch.setattr("twinlab.history.read.standing._all_differ", lambda *_: False)
    assert standings(site) == quick == ["valid"] * 9
    site.append([("a.t", 2, 22.5)])
    monkeypatch.undo()
    site.historian().catch_up()
    assert standings(site).count("superseded") == 1
