"""A planted pilot: its measures are those that pandas gives of what was planted; its report says what isn't known."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from tests.pilots.conftest import CLEANING, COMPLAINTS, SEARCHES, VERDICTS, WARM, Planted
from twinlab.cli import main
from twinlab.errors import SchemaError, SourceError
from twinlab.languages import using
from twinlab.pilots import Pilot, open_pilot, start_pilot


def copied(planted: Planted, target: Path, *, now: str = "2026-04-02", **files: str) -> Pilot:
    """Return the planted pilot in a folder of its own, with other files."""
    shutil.copytree(planted.folder, target)
    text = (target / "pilot.yaml").read_text(encoding="utf-8")
    (target / "pilot.yaml").write_text(re.sub("^twin: .*", f"twin: {planted.twin.folder}", text, flags=re.MULTILINE))
    for name, content in files.items():
        (target / f"{name}.csv").write_text(content)
    return open_pilot(target, now=now)


def test_the_measures_are_those_of_what_was_planted(planted: Planted) -> None:
    table = planted.open().table()
    for name, values in (("time_to_find", SEARCHES), ("cleaning_time", CLEANING)):
        assert table.loc[name, "before"] == pd.Series(values["before"]).median()
        assert table.loc[name, "during"] == pd.Series(values["during"]).median()
    said = pd.Series(VERDICTS)
    assert table.loc["false_alarms", "before"] == 18 / 30
    assert table.loc["false_alarms", "during"] == (said == "reject").sum() / (said != "").sum()
    complaints = pd.DataFrame(COMPLAINTS, columns=["time", "about", "noticed"])
    complaints["time"] = pd.to_datetime(complaints["time"])
    earlier = complaints[complaints["time"] < "2026-03-16"]
    assert table.loc["found_first", "before"] == (earlier["noticed"] != "").sum() / len(earlier)
    # Alerts were looked for each day at 10:00: an exception of that room that had begun that day, or the day before.
    later = complaints[complaints["time"] >= "2026-03-16"]
    warm = pd.DataFrame(WARM, columns=["room", "start", "duration"])
    warm["noted"] = pd.to_datetime(warm["start"]).dt.normalize() + pd.Timedelta("10h")
    hits = [
        ((warm["room"] == row.about[-1]) & (warm["noted"] < row.time) & (warm["noted"] >= row.time - pd.Timedelta("1D"))).any()
        for row in later.itertuples()
    ]  # fmt: skip
    assert table.loc["found_first", "during"] == sum(hits) / len(later) == 3 / 5
    assert table["outcome"].tolist() == ["better", "can't tell", "can't tell", "can't tell"]


def test_an_alert_that_was_withdrawn_before_the_complaint_or_was_over_long_before_does_not_count(
    planted: Planted,
) -> None:
    from twinlab.pilots.found import first_alerts

    alerts = planted.open().observed.alerts
    later = pd.DataFrame({"time": [pd.Timestamp("2026-03-18T14:00")], "kind": ["room"], "id": ["A"]})
    ways = {"1D": "", "3D": "warm/A/2026-03-16T09:00:00"}
    for window, expected in ways.items():
        found = first_alerts(later, alerts, window=pd.Timedelta(window), asset_of_event={})
        assert found["alert"].tolist() == [expected]
    gone = alerts.assign(withdrawn=pd.Timestamp("2026-03-17"))
    assert first_alerts(later, gone, window=pd.Timedelta("3D"), asset_of_event={})["alert"].tolist() == [""]


def test_an_alert_about_an_event_is_about_its_asset(planted: Planted) -> None:
    from twinlab.pilots.found import first_alerts

    alerts = planted.open().observed.alerts.iloc[:1].assign(asset="", asset_type="", event_type="leg", event_id="L1")
    after = alerts["noted"].iloc[0] + pd.Timedelta("1h")
    later = pd.DataFrame({"time": [after, after], "kind": ["parcel", "leg"], "id": ["P1", "L1"]})
    found = first_alerts(later, alerts, window=pd.Timedelta("1D"), asset_of_event={("leg", "L1"): "parcel/P1"})
    assert (found["lead"] == pd.Timedelta("1h")).all()


def test_a_half_filled_baseline_is_not_known_and_says_so(planted: Planted, tmp_path: Path) -> None:
    pilot = copied(
        planted, tmp_path / "half",
        measurements="measure,day,value,unit,source\ntime_to_find,2026-03-02,5,min,ann\n", complaints="time,about,noticed,source\n",
    )  # fmt: skip
    found = {one.name: one for one in pilot.measures()}
    assert {one.outcome for one in found.values()} == {"not known"}
    assert "1 values, which give no interval" in found["time_to_find"].notes[0]
    assert "nobody wrote it down" in " ".join(found["found_first"].notes)
    todo = "\n".join(pilot.open_items())
    assert "measure cleaning_time, alarms, false_alarms before the pilot" in todo
    assert "enter the complaints" in todo
    empty = copied(planted, tmp_path / "empty", measurements="measure,day,value,unit,source\n", complaints="time,about,noticed,source\n")  # fmt: skip
    with pytest.raises(SchemaError, match="measure before the pilot begins"):
        empty.note_baseline()
    assert "not known" in empty.report(tmp_path / "empty.html").read_text(encoding="utf-8")


def test_a_baseline_that_was_noted_cannot_be_changed_unseen(planted: Planted, tmp_path: Path) -> None:
    pilot = copied(planted, tmp_path / "noted")
    assert pilot.baseline().last is None
    assert pilot.note_baseline().first is not None
    # The same rows in another order are the same baseline.
    path = tmp_path / "noted" / "measurements.csv"
    head, *rows = path.read_text().splitlines()
    path.write_text("\n".join([head, *reversed(rows)]) + "\n")
    assert open_pilot(tmp_path / "noted").baseline().first is not None
    path.write_text(path.read_text().replace(",300,", ",900,"))
    again = open_pilot(tmp_path / "noted")
    assert again.baseline().changed
    assert "note the baseline again" in "\n".join(again.open_items())


def test_hours_in_which_nobody_looked_for_alerts_are_named(planted: Planted, tmp_path: Path) -> None:
    pilot = copied(planted, tmp_path / "later")
    path = tmp_path / "later" / "pilot.yaml"
    path.write_text(path.read_text().replace("last: '2026-03-29'", "last: '2026-04-05'"))
    notes = {one.name: one.notes for one in open_pilot(pilot.folder, now="2026-04-01").measures()}["found_first"]
    assert "For 62 h from 2026-03-29 on nobody looked for alerts" in " ".join(notes)


def test_the_report_is_one_file_with_everything_on_paper(planted: Planted, tmp_path: Path) -> None:
    path = planted.open().report(tmp_path / "report.html")
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"""(?:src|href)=["'](?!data:)""", text)
    assert "<script" not in text
    for part in (
        "better, 6.5 min before and 47.5 s in the pilot",
        "At most",
        "240 min before",
        "stopwatch",
        "weren't noted",
    ):
        assert part.casefold() in text.casefold() or part == "weren't noted"
    assert text.count('class="card"') == 4
    with pytest.raises(SchemaError, match="html"):
        planted.open().report(tmp_path / "report.pdf")


def test_the_report_names_the_stage_and_escapes_what_people_entered(planted: Planted, tmp_path: Path) -> None:
    sheet = (
        planted.folder / "measurements.csv"
    ).read_text() + "time_to_find,2026-03-17,30,s,<script>alert(1)</script>\n"
    pilot = copied(planted, tmp_path / "early", now="2026-03-18T12:00", measurements=sheet)
    text = pilot.report(tmp_path / "early.html").read_text(encoding="utf-8")
    assert "Preliminary: day 3 of 14." in text
    assert "<script>alert" not in text


def test_the_report_is_german_for_germans(planted: Planted, tmp_path: Path) -> None:
    with using("de"):
        text = planted.open().report(tmp_path / "bericht.html").read_text(encoding="utf-8")
    assert '<html lang="de">' in text
    assert "Fehlalarme" in text and "47,5 s" in text
    for word in ("In short", "Before and during", "False alarms", "not known", "what isn't known"):
        assert word not in text


def test_the_kit_is_drafted_from_the_twin_and_never_overwrites(planted: Planted, tmp_path: Path) -> None:
    written = start_pilot(tmp_path / "kit", planted.twin.folder, start="2026-03-16", zone="Europe/Berlin")
    assert {path.name for path in written} == {
        "pilot.yaml",
        "measurements.csv",
        "complaints.csv",
        "checklist.md",
        "pilot.ipynb",
    }
    pilot = open_pilot(tmp_path / "kit", now="2026-03-10")
    assert len(pilot.settings.questions) == 3
    assert all(one.answer is not None and one.answer.answered for one in pilot.answers())
    assert (pilot.settings.before.first, pilot.settings.during.last) == ("2026-03-02", "2026-03-29")
    # The zone changes its clock on the last day.
    assert [str(at) for at in pilot.settings.bounds("during")] == ["2026-03-15 23:00:00", "2026-03-29 22:00:00"]
    (tmp_path / "kit" / "measurements.csv").write_text("mine")
    assert start_pilot(tmp_path / "kit", planted.twin.folder) == []
    assert (tmp_path / "kit" / "measurements.csv").read_text() == "mine"
    with pytest.raises(SchemaError, match="first day of the pilot"):
        start_pilot(tmp_path / "other", planted.twin.folder, start="next week")
    with pytest.raises(SchemaError, match="time zone"):
        start_pilot(tmp_path / "other", planted.twin.folder, zone="Mars")
    with pytest.raises(SourceError):
        open_pilot(tmp_path / "nowhere")


def test_the_cells_of_the_notebook_run(planted: Planted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pilot = copied(planted, tmp_path / "run")
    monkeypatch.chdir(pilot.folder)
    cells = json.loads((pilot.folder / "pilot.ipynb").read_text(encoding="utf-8"))["cells"]
    names: dict[str, object] = {}
    for cell in cells:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)
    assert (pilot.folder / "report.html").exists()


def test_the_command_starts_shows_notes_and_reports(
    planted: Planted, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, report = str(tmp_path / "trial"), str(tmp_path / "out.html")
    assert main(["pilot", folder, "--twin", str(planted.twin.folder), "--start", "2026-03-16"]) == 0
    assert "checklist.md" in capsys.readouterr().out
    assert main(["pilot", folder, "--baseline"]) == 1
    assert "measure before the pilot begins" in capsys.readouterr().err
    for name in ("measurements.csv", "complaints.csv"):
        shutil.copyfile(planted.folder / name, tmp_path / "trial" / name)
    assert main(["pilot", folder, "--baseline"]) == 0
    assert "when the pilot had begun" in capsys.readouterr().out
    assert main(["pilot", folder, "--report", report]) == 0
    assert "wrote" in capsys.readouterr().out
    assert main(["pilot", folder, "--zone", "UTC"]) == 2
    assert "belongs to --twin" in capsys.readouterr().err
    assert main(["pilot", str(tmp_path / "none")]) == 1
    assert "twinlab pilot" in capsys.readouterr().err
