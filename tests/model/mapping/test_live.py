"""The key ``live:`` of a mapping."""

from __future__ import annotations

from pathlib import Path

import pytest

from twinlab.errors import SourceError, TwinlabError
from twinlab.history.build.mapping_context import content_hash
from twinlab.model.extensions.secrets import secret_of
from twinlab.model.load import dump_mapping, parse_mapping

LIVE = "source: room\nlive: {kind: replay, file: room.csv, rate: 50, lateness: 2min}\n"


def test_the_key_is_read_written_and_changes_no_hash() -> None:
    mapping, without = parse_mapping(LIVE), parse_mapping("source: room")
    assert mapping.live is not None
    assert (mapping.live.kind, mapping.live.lateness_ns, mapping.live.options.rate) == ("replay", 120 * 10**9, 50.0)  # type: ignore[attr-defined]
    assert parse_mapping(dump_mapping(mapping)) == mapping
    assert content_hash(mapping) == content_hash(without)
    assert "live" not in without.model_dump_json()


@pytest.mark.parametrize(
    ("live", "place", "message"),
    [
        ("{kind: replay}", "live", "expected exactly one of"),
        ("{kind: replay, file: a, rats: 3}", "live.rats", "has no option 'rats'; did you mean 'rate'"),
        ("{kind: replay, file: a, rate: fast}", "live.rate", "expected"),
        ("{kind: reply, file: a}", "live.kind", "unknown kind of live source 'reply'; did you mean 'replay'"),
        ("{file: a}", "live", "expected the key 'kind'"),
        ("{kind: replay, file: a, lateness: soon}", "live.lateness", "expected a duration"),
        ("replay", "live", "expected"),
    ],
)
def test_a_fault_is_named_with_line_and_path(live: str, place: str, message: str) -> None:
    with pytest.raises(TwinlabError, match=rf"room\.yaml:2: {place}.*{message}"):
        parse_mapping(f"source: room\nlive: {live}\n", "room.yaml")


def test_a_secret_comes_from_the_environment_or_a_file_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ERP_PASSWORD", "s3cret")
    assert secret_of("${ERP_PASSWORD}", "erp") == "s3cret"
    (tmp_path / "erp").write_text("from file\n")
    assert secret_of(f"file:{tmp_path / 'erp'}", "erp") == "from file"
    with pytest.raises(SourceError, match=f"erp: expected a secret in the file {tmp_path / 'no'}"):
        secret_of(f"file:{tmp_path / 'no'}", "erp")
    (tmp_path / "erp").write_text("\n")
    with pytest.raises(SourceError, match="is empty"):
        secret_of(f"file:{tmp_path / 'erp'}", "erp")
