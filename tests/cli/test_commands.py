"""The command line: examples in the help, errors in one line, completion."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import xarray as xr

from twinlab.cli import main

COMMANDS = (
    "demo", "warm", "create", "ingest", "run", "edge", "pseudonym-key", "command-gateway", "serve", "user", "keys", "status", "health", "check", "fidelity", "models", "predict", "alerts", "why", "ask", "scenario", "generate", "pilot", "learn", "mcp", "remap", "revisions", "promote", "discard", "rollback", "verify", "audit", "rebuild", "compact", "plan", "export", "push", "pull", "privacy", "forget", "reidentify", "backup", "backups", "restore", "catalogues", "notebook", "tutorials", "completion", "plant",
)  # fmt: skip


@pytest.fixture
def readings(tmp_path: Path) -> Path:
    times = pd.date_range("2026-01-01", periods=200, freq="1min")
    path = tmp_path / "rooms.csv"
    pd.DataFrame({"time": times.strftime("%Y-%m-%dT%H:%M:%SZ"), "temp [degC]": 4.0, "power (kW)": 1.25}).to_csv(
        path, index=False
    )
    return path


@pytest.fixture
def pilot(tmp_path: Path, readings: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    folder = tmp_path / "pilot"
    assert main(["create", str(folder), "--from", str(readings)]) == 0
    assert main(["ingest", str(folder), str(readings)]) == 0
    assert "200 rows read, 200 kept" in capsys.readouterr().out
    return folder


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    assert f"twinlab {command}" in capsys.readouterr().out.split("example:")[1]


def test_status_verify_and_rebuild_speak_of_the_twin(pilot: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("status", "verify", "rebuild", "compact", "status"):
        assert main([command, str(pilot)]) == 0
    out = capsys.readouterr().out
    assert "<Twin pilot>" in out
    assert "0 rows published, " in out
    assert "0 segments sealed, 0 old states removed" in out


def test_a_check_prints_its_report_and_writes_json(
    pilot: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "report.json"
    assert main(["check", str(pilot), "--since", "2026-01-01", "--until", "2026-01-02", "--json", str(table)]) == 0
    assert (
        "<QualityReport pilot> nothing found in 2 channels, 2026-01-01 00:00 to 2026-01-02 00:00 UTC"
        in capsys.readouterr().out
    )
    assert json.loads(table.read_text()) == []
    assert main(["check", str(pilot), "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out) == []


@pytest.mark.parametrize("ending", ["parquet", "csv", "xlsx", "zarr"])
def test_export_writes_what_others_read(pilot: Path, tmp_path: Path, ending: str) -> None:
    from twinlab.twin import open_twin

    (asset_type,) = open_twin(pilot).model.asset_types
    target = tmp_path / f"out.{ending}"
    assert main(["export", str(pilot), asset_type, str(target)]) == 0
    if ending == "zarr":
        with xr.open_zarr(target) as data:
            assert data.sizes["time"] == 200
    else:
        reader = {"parquet": pd.read_parquet, "csv": pd.read_csv, "xlsx": pd.read_excel}[ending]
        assert len(reader(target)) == 200


def test_a_wrong_folder_is_one_line_and_no_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", str(tmp_path / "nowhere")]) == 1
    error = capsys.readouterr().err
    assert "nowhere" in error and "twinlab create" in error
    assert "Traceback" not in error


def test_a_traceback_is_shown_when_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--traceback", "status", str(tmp_path / "nowhere")]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_an_unknown_demo_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "nic", "--no-browser"]) == 1
    assert "did you mean 'nyc'" in capsys.readouterr().err


def test_a_missing_file_names_its_sibling(pilot: Path, readings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ingest", str(pilot), str(readings.with_name("room.csv"))]) == 1
    assert "did you mean 'rooms.csv'" in capsys.readouterr().err


def test_even_a_fault_of_ours_is_a_sentence(
    pilot: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("twinlab.twin.facade.Twin.verify", broken)
    assert main(["verify", str(pilot)]) == 1
    error = capsys.readouterr().err
    assert "ZeroDivisionError: division by zero" in error and "--traceback" in error
    assert "Traceback" not in error


def test_the_commands_are_listed_in_the_order_of_a_twins_life(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    listed = capsys.readouterr().out.split("Commands:")[1].split("Start with")[0]
    assert [line.split()[0] for line in listed.strip().splitlines()] == list(COMMANDS)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["verfy"], "twinlab: No such command 'verfy'. Did you mean 'verify'? See: twinlab --help"),
        (["status"], "twinlab status: Missing argument 'FOLDER'. See: twinlab status --help"),
        (["serve", "x", "--prot", "1"], "twinlab serve: No such option '--prot'. (Did you mean one of: '--cert', '--port'?) See: twinlab serve --help"),
        (["create", "x"], "twinlab create: expected either --from FILE... or --model FILE. See: twinlab create --help"),
        (["create", "x", "--from", "a.csv", "--model", "m.yaml"], "twinlab create: expected either --from FILE... or --model FILE. See: twinlab create --help"),
        (["create", "x", "--from"], "twinlab create: Option '--from' requires an argument. See: twinlab create --help"),
        (["serve", "x", "--port", "many"], "twinlab serve: Invalid value for '--port': 'many' is not a valid integer. See: twinlab serve --help"),
    ],
)  # fmt: skip
def test_wrong_usage_is_one_line_and_the_exit_code_two(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    out, error = capsys.readouterr()
    assert (out, error) == ("", said + "\n")


def test_without_a_command_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "Start with: twinlab demo" in capsys.readouterr().err


@pytest.mark.parametrize("first", [True, False], ids=["folder first", "folder last"])
def test_an_option_takes_several_values_or_is_repeated(first: bool, tmp_path: Path, readings: Path) -> None:
    other, third = (readings.with_name(name) for name in ("hall.csv", "yard.csv"))
    for path in (other, third):
        path.write_bytes(readings.read_bytes())
    folder = str(tmp_path / "pilot")
    given = ["--from", str(readings), str(other), "--from", str(third)]
    assert main(["create", *([folder, *given] if first else [*given, "--", folder])]) == 0
    # Files of one layout whose names differ are one source, with an asset for each.
    (mapping,) = (tmp_path / "pilot" / "mapping").iterdir()
    text = mapping.read_text(encoding="utf-8")
    assert all(name in text for name in ("rooms.csv", "hall.csv", "yard.csv"))


def test_an_export_takes_several_signals(pilot: Path, tmp_path: Path) -> None:
    from twinlab.twin import open_twin

    (asset_type,) = open_twin(pilot).model.asset_types
    target = tmp_path / "out.csv"
    assert (
        main(["export", str(pilot), asset_type, str(target), "--signals", "temperature", "power", "--step", "1h"]) == 0
    )
    assert {"temperature_mean", "power_mean"} <= set(pd.read_csv(target).columns)


def test_an_interrupt_is_one_word(pilot: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("twinlab.twin.facade.Twin.verify", interrupted)
    assert main(["verify", str(pilot)]) == 130
    assert capsys.readouterr().err.strip() == "stopped"


def complete(shell: str, words: str) -> set[str]:
    """Ask for completions as the shell's script does."""
    done = subprocess.run(
        [sys.executable, "-m", "twinlab.cli"], capture_output=True, text=True, check=False,
        env={**os.environ, "_TWINLAB_COMPLETE": f"{shell}_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))},
    )  # fmt: skip
    return {line.split(",")[-1] for line in done.stdout.splitlines()}


def test_a_shell_completes_commands_options_and_names() -> None:
    assert complete("bash", "twinlab re") == {"rebuild", "reidentify", "remap", "restore", "revisions"}
    assert complete("bash", "twinlab create --") == {"--from", "--model", "--mapping", "--help"}
    assert complete("bash", "twinlab demo ") == {"nyc", "parcel"}
    assert complete("bash", "twinlab user r") == {"remove", "revoke"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_for_a_shell_asks_the_command(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    assert f"_TWINLAB_COMPLETE={shell}_complete" in capsys.readouterr().out


def test_the_help_loads_no_room() -> None:
    code = "import sys; from twinlab.cli import main; main(['--help']); print(sorted(n for n in sys.modules if n.startswith('twinlab.')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(eval(done.stdout.splitlines()[-1])) <= {
        "twinlab._click",
        "twinlab._lazy",
        "twinlab._tasks",
        "twinlab.cli",
        "twinlab.cli.adopting",
        "twinlab.cli.adopting.learn",
        "twinlab.cli.adopting.pilot",
        "twinlab.cli.alerts",
        "twinlab.cli.assistant",
        "twinlab.cli.assistant.ask",
        "twinlab.cli.assistant.mcp",
        "twinlab.cli.operating",
        "twinlab.cli.operating.backup",
        "twinlab.cli.operating.catalogues",
        "twinlab.cli.operating.health",
        "twinlab.cli.command_gateway",
        "twinlab.cli.commands",
        "twinlab.cli.edge",
        "twinlab.cli.fidelity",
        "twinlab.cli.imagined",
        "twinlab.cli.imagined.generate",
        "twinlab.cli.imagined.scenario",
        "twinlab.cli.models",
        "twinlab.cli.objects",
        "twinlab.cli.plant",
        "twinlab.cli.predict",
        "twinlab.cli.revisions",
        "twinlab.cli.run",
        "twinlab.cli.scale",
        "twinlab.cli.scale.plan",
        "twinlab.cli.security",
        "twinlab.cli.security.audit",
        "twinlab.cli.security.keys",
        "twinlab.cli.security.privacy",
        "twinlab.cli.security.reidentify",
        "twinlab.cli.sizes",
        "twinlab.cli.warm",
        "twinlab.cli.why",
        "twinlab.errors",
    }


def test_a_kpi_is_exported_by_group(pilot: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from twinlab.twin import open_twin

    (asset_type,) = open_twin(pilot).model.asset_types
    with (pilot / "twin.yaml").open("a", encoding="utf-8") as stream:
        stream.write(f"kpis:\n  warmest: {{on: {asset_type}, formula: time_max(temperature)}}\n")
    target = tmp_path / "kpi.csv"
    assert main(["export", str(pilot), "kpi/warmest", str(target), "--by", "asset", "--step", "1d"]) == 0
    assert target.read_text(encoding="utf-8").startswith("time,asset,value,low,high,coverage,samples,settled\n")
    assert main(["export", str(pilot), "kpi/wramest", str(tmp_path / "other.csv")]) == 1
    assert "did you mean 'warmest'" in capsys.readouterr().err


def test_simulations_are_compiled_ahead(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["warm"]) == 0
    assert capsys.readouterr().out.startswith("simulations are compiled (")
