"""Open questions: create prints them, a twin and an ingest report list them, and a strict ingest refuses while one is open."""

from pathlib import Path

import pytest

import twinlab as tl
from twinlab.cli import main
from twinlab.errors import SchemaError


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.csv"
    rows = [f"2026-01-{1 + i // 24:02d} {i % 24:02d}:00,{4 + i % 5}.{i % 10}" for i in range(60)]
    path.write_text("\n".join(["time,temp", *rows]) + "\n", encoding="utf-8")
    return path


def test_a_twin_lists_what_nobody_has_stated_with_path_and_evidence(log: Path, tmp_path: Path) -> None:
    twin = tl.create(tmp_path / "pilot", files=[log])
    table = twin.questions()
    assert table[["file", "path"]].values.tolist() == [
        ["twin.yaml", "asset_types.log.signals.temperature.unit"]
        if "log" in twin.model.asset_types
        else ["twin.yaml", "asset_types.asset.signals.temperature.unit"],
        ["mapping/log.yaml", "tables[0].time.zone"],
    ]
    assert "values 4..8.9" in table.evidence[0]
    assert "2 open questions" in repr(twin)
    assert "2 open questions" in twin._repr_html_()


def test_ingest_tells_them_and_refuses_when_it_is_strict(log: Path, tmp_path: Path) -> None:
    twin = tl.create(tmp_path / "pilot", files=[log])
    with pytest.raises(SchemaError, match=r"2 are open; nothing was taken in[\s\S]*tables\[0\].time.zone"):
        twin.ingest(log, strict=True)
    assert twin.ledger.sources() in ([], ["_twin"])
    report = twin.ingest(log)
    assert [one.path.rpartition(".")[2] for one in report.questions] == ["unit", "zone"]
    assert "2 open questions" in report.text()
    assert "open question" in report._repr_html_()


def test_stating_both_answers_them(log: Path, tmp_path: Path) -> None:
    folder = tl.create(tmp_path / "pilot", files=[log]).folder
    for path, unknown, known in (
        (folder / "twin.yaml", "unit: unknown", "unit: degC"),
        (folder / "mapping" / "log.yaml", "zone: unknown", "zone: Europe/Berlin"),
    ):
        text = path.read_text(encoding="utf-8")
        assert unknown in text
        path.write_text(text.replace(unknown, known), encoding="utf-8")
    twin = tl.open(folder)
    assert twin.questions().empty
    assert "question" not in repr(twin)
    assert twin.ingest(log, strict=True).questions == ()


def test_the_command_prints_a_checklist_and_knows_strict(
    log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["create", str(tmp_path / "pilot"), "--from", str(log)]) == 0
    assert "[ ] tables[0].time.zone: In which zone" in capsys.readouterr().out
    assert main(["ingest", str(tmp_path / "pilot"), str(log), "--strict"]) == 1
    assert "expected every question answered" in capsys.readouterr().err
