"""Whether a twin is well, its figures, and who gets them."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as older

import twinlab as tl
from twinlab.cli import main
from twinlab.errors import SchemaError, SourceError
from twinlab.twin.health.checks import Check, live_checks, twin_health
from twinlab.twin.health.endpoint import TOKEN_VARIABLE, HealthEndpoint, ask, parse_place
from twinlab.twin.health.exposition import OPENMETRICS, PROMETHEUS, Family, exposition
from twinlab.twin.health.families import folder_families, live_families, process_families
from twinlab.twin.live.status import write_status

TOKEN = "0123456789abcdef-a-token"
SOURCE = {
    "state": "connected", "stale": False, "rows": 120, "stored": 118, "rate": 2.0, "queued": 2, "waiting": 18, "age": 0.4, "received_p50": 0.01,
    "received_p99": 0.02, "event_p99": None, "errors": 1, "error": "", "connections": 2, "restarts": 0, "gaps": [], "gaps_lost": 0, "refused": 0,
    "unreadable": 0, "clock_offset": None, "load": {"lag": 7.0},
}  # fmt: skip


def status(**source: object) -> dict[str, object]:
    """Return a status as a historian writes it."""
    return {
        "running": True, "updated_ns": time.time_ns(), "started_ns": 1, "pid": 7, "host": "plant-1",
        "sources": {"boxes": {**SOURCE, **source}},
        "publications": {"count": 3, "last_ns": 5 * 10**9, "seconds": 0.1, "error": "", "waiting": 18},
    }  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a twin with one row."""
    (tmp_path / "gauge.csv").write_text("time,level (m)\n2026-03-01T00:00Z,2.1\n")
    tl.create(tmp_path / "pilot", files=[tmp_path / "gauge.csv"])
    return tmp_path / "pilot"


# -- figures as text ---------------------------------------------------------------------------------------------------
LABELS = st.dictionaries(
    st.sampled_from(["source", "of"]),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.just("\n")),
    max_size=2,
)


@given(
    st.lists(st.tuples(LABELS, st.floats(0, 1e9)), max_size=3, unique_by=lambda one: str(one[0])),
    st.sampled_from(["counter", "gauge"]),
)
def test_what_is_written_is_what_a_parser_reads(samples: list[tuple[dict[str, str], float]], kind: str) -> None:
    family = Family("rows", kind, 'Rows of "all"\nkinds \\ states.', samples)
    name = "rows_total" if kind == "counter" else "rows"
    for form, parse in ((OPENMETRICS, openmetrics), (PROMETHEUS, older)):
        (found,) = parse(exposition([family], kind=form))
        assert found.documentation == family.help
        assert found.type == kind
        assert [(one.name, one.labels, one.value) for one in found.samples] == [(name, *one) for one in samples]


def test_the_figures_of_a_historian_and_a_process_are_openmetrics(folder: Path) -> None:
    (folder / "backup.json").write_text('{"s3://backups/pilot": {"number": 3, "at": "2026-03-01T00:00:00+00:00"}}')
    families = [*live_families(status()), *process_families({"0": 1}), *folder_families(folder)]
    found = {one.name: one for one in openmetrics(exposition(families))}
    assert len(found) == len(families)
    values = {name: one.samples[0].value for name, one in found.items() if one.samples}
    assert values["twinlab_live_rows_stored"] == 118
    assert values["twinlab_live_last_publication_time_seconds"] == 5
    assert values["twinlab_live_peer_load"] == 7
    assert values["process_resident_memory_bytes"] > 1e6
    assert values["twinlab_backup_age_seconds"] > 0
    assert found["twinlab_live_lease_holder"].samples[0].labels == {"host": "plant-1", "pid": "7"}
    assert "event_to_durable_p99_seconds" not in values


# -- checks ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("source", "state", "said"),
    [
        ({}, "ok", "connected, last row 0 s ago, 2 rows/s"),
        ({"state": "connecting", "error": "refused"}, "failed", "connecting, last row 0 s ago: refused"),
        ({"stale": True, "age": 4000.0}, "warning", "stale, last row 4000 s ago"),
        ({"refused": 2}, "warning", "2 batches refused"),
        ({"state": "ended", "age": None}, "ok", "ended, no row yet"),
    ],
)
def test_a_source_is_well_or_not(source: dict[str, object], state: str, said: str) -> None:
    found = next(live_checks(status(**source)))
    assert (found.name, found.state) == ("source boxes", state)
    assert said in found.text


def test_a_twin_is_well_by_its_exit_code(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["health", str(folder)]) == 0
    assert "ok       historian: none has run" in capsys.readouterr().out
    assert main(["health", str(folder), "--historian"]) == 1
    assert main(["health", str(folder), "--backup-within", "26h"]) == 1
    assert "failed   backup: none was made; make one with `twinlab backup`" in capsys.readouterr().out
    write_status(folder, status())
    assert main(["health", str(folder), "--historian", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ok"]
    write_status(folder, {**status(), "updated_ns": time.time_ns() - 60 * 10**9})
    assert main(["health", str(folder)]) == 0
    assert (
        "warning  historian: process 7 on plant-1 doesn't run; its last sign of life was at" in capsys.readouterr().out
    )
    assert main(["health", str(folder), "--strict"]) == 1
    assert main(["health", str(folder), "--historian"]) == 1
    publications = {"count": 3, "last_ns": 0, "seconds": 0.1, "error": "the disk is full", "waiting": 900}
    write_status(folder, {**status(), "publications": publications})
    assert main(["health", str(folder)]) == 1
    assert "its publication failed: the disk is full; 900 rows wait" in capsys.readouterr().out
    assert main(["health", str(folder / "nothing")]) == 1
    (folder / "twin.yaml").write_text("twin: [")
    assert main(["health", str(folder)]) == 1
    (folder / ".restoring.json").write_text("{}")
    assert main(["health", str(folder)]) == 1
    assert "it is being restored, or that was interrupted" in capsys.readouterr().out
    assert main(["health"]) == 2


def test_the_age_of_the_newest_backup_counts(folder: Path) -> None:
    note = {
        "/mnt/a": {"number": 3, "at": "2026-03-01T00:00:00+00:00"},
        "s3://b/c": {"number": 9, "at": "2026-03-02T00:00:00+00:00"},
    }
    (folder / "backup.json").write_text(json.dumps(note))
    at = 1772409600.0
    assert twin_health(folder, backup_within=3600, now=at + 3000).ok()
    late = twin_health(folder, backup_within=3600, now=at + 4000)
    assert not late.ok()
    assert "backup 9 of 2026-03-02 00:00 UTC in s3://b/c" in str(late)


# -- who gets what -----------------------------------------------------------------------------------------------------
async def get(port: int, path: str, *lines: str) -> tuple[int, str]:
    """Return the status and the body of an answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write("\r\n".join([f"GET {path} HTTP/1.1", *lines, "", ""]).encode())
    answer = (await reader.read()).decode()
    writer.close()
    return int(answer.split(" ")[1]), answer.partition("\r\n\r\n")[2]


@pytest.fixture
def checks() -> list[Check]:
    """Return what an endpoint looks at; a test may change it."""
    return [Check("pages", "ok", "2 of 2 processes answer")]


@pytest.fixture
def endpoint(checks: list[Check]) -> Iterator[HealthEndpoint]:
    return HealthEndpoint(lambda: checks, lambda: [Family.one("rows", "counter", "Rows.", 3)])


def test_everybody_may_ask_whether_it_is_ready_and_this_machine_for_figures(
    endpoint: HealthEndpoint, checks: list[Check]
) -> None:
    async def visit() -> None:
        port = await endpoint.start(0)
        assert await get(port, "/health/live") == (200, "live\n")
        assert await get(port, "/health/ready", "Host: elsewhere") == (200, "ready\n")
        assert (await get(port, "/metrics", f"Host: localhost:{port}"))[0] == 200
        assert "# EOF" not in (await get(port, "/metrics", "Host: 127.0.0.1"))[1]
        assert (await get(port, "/metrics", "Host: [::1]:80", "Accept: application/openmetrics-text"))[1].endswith(
            "# EOF\n"
        )
        # A browser here that a page of another site sends to this port under a name of its own.
        for path in ("/metrics", "/health"):
            assert (await get(port, path, f"Host: evil.example:{port}"))[0] == 401
        assert await asyncio.to_thread(ask, port) == (True, "ready")
        checks[:] = [Check("pages", "failed", "0 of 2 processes answer")]
        assert await get(port, "/health/ready") == (503, "not ready\n")
        code, body = await get(port, "/health")
        assert (code, json.loads(body)["checks"][0]["text"]) == (503, "0 of 2 processes answer")
        assert (await get(port, "/status"))[0] == 404
        assert (await get(port, "/health/live/../../etc"))[0] == 404
        assert await asyncio.to_thread(main, ["health", "--port", str(port)]) == 1
        await endpoint.close()
        assert not (await asyncio.to_thread(ask, port))[0]

    asyncio.run(visit())


def test_others_need_the_token(monkeypatch: pytest.MonkeyPatch, checks: list[Check]) -> None:
    async def visit() -> None:
        with pytest.raises(SourceError, match=f"expected a token in {TOKEN_VARIABLE}"):
            await HealthEndpoint(lambda: checks, list).start(0, host="0.0.0.0")
        monkeypatch.setenv(TOKEN_VARIABLE, "short")
        with pytest.raises(SourceError, match="expected at least 16 characters, got 5"):
            await HealthEndpoint(lambda: checks, list).start(0)
        monkeypatch.setenv(TOKEN_VARIABLE, TOKEN)
        endpoint = HealthEndpoint(lambda: checks, list)
        port = await endpoint.start(0, host="0.0.0.0")
        assert (await get(port, "/metrics", "Host: localhost"))[0] == 401
        assert (await get(port, "/metrics", "Host: plant-1", f"Authorization: Bearer {TOKEN}x"))[0] == 401
        assert (await get(port, "/metrics", "Host: plant-1", f"Authorization: Bearer {TOKEN}"))[0] == 200
        assert (await get(port, "/health/ready"))[0] == 200
        assert await asyncio.to_thread(ask, port, path="/health") == (
            True,
            '{"ok": true, "checks": [{"name": "pages", "state": "ok", "text": "2 of 2 processes answer"}]}',
        )
        await endpoint.close()

    asyncio.run(visit())


@pytest.mark.parametrize("text", ["", "here", "host:", "127.0.0.1:99999", ":x"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(SchemaError, match="expected a port such as 9464"):
        parse_place(text)
