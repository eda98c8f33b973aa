"""A package of somebody else, as `notebooks/reference/extending.md` shows it, used from its files to a page."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "notebooks" / "reference" / "extending.md"

#: Line 4 can't be read; p1 jumps by 9 degC, that is by more than 9 degF, at 02:00 and back at 03:00.
PULSES = """\
2026-03-01T00:00Z p1 20.0
2026-03-01T00:00Z p2 30.0
2026-03-01T00:01Z p1 20.5
2026-03-01T00:01Z p2 sensor fault
2026-03-01T00:02Z p1 29.5
2026-03-01T00:02Z p2 30.5
2026-03-01T00:03Z p1 20.0
"""

MAPPING = """\
source: pumps
files: ["*.pulse"]
tables:
  - table: pumps
    time: {column: time, format: iso, zone: offset}
    asset: {type: pump, column: pump}
    columns: {temperature: {signal: temperature, unit: degC}}
"""

#: From the files to flags, exceptions and a page, through the command line where there is a command.
USE = """
import json
from dataclasses import replace
from pathlib import Path

import numpy as np

import twinlab as tl
from twinlab.cli import main
from twinlab.errors import TwinlabError
from twinlab.explore import PAGES, Link
from twinlab.quality import QUALITY_TESTS
from twinlab.testing import check_kpi, check_rule

twin = tl.create("pilot", model="twin.yaml", mappings="pumps.yaml")
assert main(["ingest", "pilot", "pumps.pulse"]) == 0
twin = tl.open("pilot")
report = twin.ingest("pumps.pulse")
flags = twin.history("pump").temperature_qc
start, stop = "2026-03-01T00:00", "2026-03-01T00:04"
found = tl.events.episodes(twin, "leap", start=start, stop=stop)
check_rule({"on": "pump", "jumps": {"signal": "temperature"}}, twin=twin, start=start, stop=stop, expected=2)
check_kpi({"on": "pump", "cool_time": {"below": "25 degC"}}, twin=twin, every="1h")
cool = twin.kpi("cool", by="asset", start=start, stop=stop, every="1min")
shown = twin.explore(page="pumps")
plain = twin.history("pump").temperature.compute().twin.flags(jump={"height": "9 degF"})

drafted = tl.create("drafted", files=["pumps.pulse"])

text = Path("twin.yaml").read_text(encoding="utf-8")
Path("wrong.yaml").write_text(text.replace("height", "heigth"), encoding="utf-8")
try:
    tl.create("wrong", model="wrong.yaml")
except TwinlabError as error:
    wrong = str(error)

# The package's next version judges otherwise: everything passes.
jump = QUALITY_TESTS.get("jump")
QUALITY_TESTS._loaded["jump"] = replace(
    jump, version=2, function=lambda values, *, height: (values * 0 + 1).fillna(9).astype("uint8")
)
Path("more.pulse").write_text("2026-03-01T00:04Z p1 20.0\\n", encoding="utf-8")
again = tl.open("pilot").ingest("more.pulse")
rebuilt = tl.open("pilot").history("pump").temperature_qc

print(json.dumps({
    "rows": [report.rows_read, report.duplicates],
    "problems": [[problem.row, problem.text] for problem in drafted.ingest("pumps.pulse").problems],
    "flags": flags.transpose("asset", "time").values.tolist(),
    "plain": plain.transpose("asset", "time").values.tolist(),
    "found": found[["asset", "severity", "text"]].values.tolist(),
    "since": [str(time)[11:16] for time in found["since"]],
    "until": [str(time)[11:16] for time in found["until"]],
    "cool": cool.value.transpose("asset", "time").fillna(-1).values.tolist(),
    "cool_bounds": [cool.low.sel(asset="p2").values.tolist(), cool.high.sel(asset="p2").values.tolist()],
    "page": [shown.page, shown.notice, [spec.label for spec in shown.pages]],
    "drafted": sorted(drafted.model.asset_types),
    "wrong": wrong,
    "notes": list(again.notes),
    "rebuilt": rebuilt.sel(asset="p1").values.tolist(),
}))
"""


def blocks(text: str) -> dict[str, str]:
    """Return the files that a page shows: code blocks with a file's name, those of one file joined."""
    found: dict[str, str] = {}
    for name, code in re.findall(r"^```\w+ (\S+)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        found[name] = found.get(name, "") + code + "\n"
    return found


def install(folder: Path, project: dict[str, object]) -> None:
    """Write a package's metadata as pip does."""
    metadata = folder / f"{str(project['name']).replace('-', '_')}-{project['version']}.dist-info"
    metadata.mkdir()
    head = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    (metadata / "METADATA").write_text(head, encoding="utf-8")
    groups = project["entry-points"]
    assert isinstance(groups, dict)
    lines = [
        line
        for group, entries in groups.items()
        for line in (f"[{group}]", *(f"{k} = {v}" for k, v in entries.items()))
    ]
    (metadata / "entry_points.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def run(folder: Path, code: str) -> str:
    """Run code in a fresh interpreter in which the folder's package is installed."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (folder, ROOT)))}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, cwd=folder, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package of the page installed, and files of its format."""
    made = tmp_path_factory.mktemp("kit")
    files = blocks(PAGE.read_text(encoding="utf-8"))
    for name, text in (files | {"pumps.pulse": PULSES, "pumps.yaml": MAPPING}).items():
        (made / name).write_text(text, encoding="utf-8")
    install(made, tomllib.loads(files["pyproject.toml"])["project"])
    return made


@pytest.fixture(scope="module")
def used(folder: Path) -> dict[str, object]:
    """What the package does in a twin."""
    answer: dict[str, object] = json.loads(run(folder, USE).splitlines()[-1])
    return answer


def test_the_page_stays_short() -> None:
    assert len(PAGE.read_text(encoding="utf-8").splitlines()) <= 120


def test_the_pages_own_checks_pass(folder: Path) -> None:
    run(folder, (folder / "test_pump_kit.py").read_text(encoding="utf-8"))


def test_files_of_an_added_format_are_ingested_and_drafted(used: dict[str, object]) -> None:
    assert used["rows"] == [6, 6]
    assert used["problems"] == [[4, "2026-03-01T00:01Z p2 sensor fault"]]
    assert used["drafted"] == ["pump"]


def test_an_added_test_gives_history_its_flags(used: dict[str, object]) -> None:
    assert used["flags"] == [[1, 1, 3, 3], [1, 9, 1, 2]]
    assert used["plain"] == [[1, 1, 3, 3], [1, 9, 1, 9]]


def test_an_added_rule_finds_exceptions(used: dict[str, object]) -> None:
    assert used["found"] == [["p1", "high", "jumps"]] * 2
    assert used["since"] == ["00:02", "00:03"]
    assert used["until"] == ["00:03", ""]


def test_an_added_kpi_has_bounds_without_further_code(used: dict[str, object]) -> None:
    # 20.0, 20.5, 29.5 and 20.0 degC; p2 is warm, nothing is known at 00:01, and its last report is of 00:02.
    assert used["cool"] == [[100.0, 100.0, 0.0, 100.0], [0.0] * 4]
    assert used["cool_bounds"] == [[0.0] * 4, [0.0, 100.0, 0.0, 100.0]]


def test_an_added_page_opens(used: dict[str, object]) -> None:
    page, notice, labels = used["page"]  # type: ignore[misc]
    assert (page, notice) == ("pumps", "")
    assert "Pumps" in labels


def test_a_wrong_option_is_told_with_file_line_and_the_nearest_name(used: dict[str, object]) -> None:
    assert re.search(r"twin.yaml:2: .*tests.jump.heigth: .*did you mean 'height'", str(used["wrong"]))


def test_another_version_of_a_test_rebuilds_history(used: dict[str, object]) -> None:
    assert any("rebuilt" in note for note in used["notes"])  # type: ignore[attr-defined]
    assert set(used["rebuilt"]) == {1}  # type: ignore[call-overload]
