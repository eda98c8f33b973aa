"""``twinlab audit``: verify, show, receipt, check."""

import csv
import hashlib
import json
from pathlib import Path

import pytest
import yaml
from securesystemslib.signer import CryptoSigner

from twinlab.cli import main
from twinlab.control.audit import AuditLog
from twinlab.model.alerts.channel import Channel
from twinlab.signing.envelopes import public_key


@pytest.fixture
def pilot(tmp_path: Path) -> Path:
    """A folder with an audit, its keys, and heads in a second place."""
    made = CryptoSigner.generate_ed25519()
    public = made.public_key.keyval["public"]
    signer = CryptoSigner(made._private_key, public_key(hashlib.sha256(bytes.fromhex(public)).hexdigest(), public))
    folder = tmp_path / "pilot"
    folder.mkdir()
    keys = {"people": {}, "devices": {"audit": {"keys": [{"public": public}]}}}
    (folder / "keys.yaml").write_text(yaml.safe_dump(keys), encoding="utf-8")
    with AuditLog(
        folder / "audit", signer=signer, places=[Channel(file={"path": str(tmp_path / "heads.jsonl")})]
    ) as log:
        log.append({"kind": "login", "who": ["ann"], "what": {"how": "password"}})
        log.append({"kind": "command refused", "who": ["bob"], "what": {"target": "forklift/7", "reason": "=1+1"}})
    return folder


def test_an_intact_audit_is_proved_and_a_changed_one_exits_with_1(
    pilot: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    heads = ["--heads", str(tmp_path / "heads.jsonl")]
    assert main(["audit", "verify", str(pilot), *heads]) == 0
    assert "intact: 3 rows, all proved by signed heads" in capsys.readouterr().out
    path = pilot / "audit" / "rows" / "000000000000.jsonl"
    path.write_bytes(path.read_bytes().replace(b"password", b"passw0rd"))
    assert main(["audit", "verify", str(pilot), *heads]) == 1
    assert "BROKEN at row 1" in capsys.readouterr().out
    (pilot / "keys.yaml").unlink()
    assert main(["audit", "verify", str(pilot)]) == 1


def test_keys_and_second_places_are_those_of_the_twins_control_file(
    pilot: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (pilot / "keys.yaml").rename(tmp_path / "people.yaml")
    heads = tmp_path / "heads.jsonl"
    (pilot / "control.yaml").write_text(
        f"keys: ../people.yaml\naudit: {{heads: [{{file: {{path: {json.dumps(str(heads))}}}}}]}}\n", encoding="utf-8"
    )
    assert main(["audit", "verify", str(pilot)]) == 0
    assert "intact: 3 rows, all proved by signed heads" in capsys.readouterr().out
    assert main(["audit", "receipt", str(pilot), "1"]) == 0
    capsys.readouterr()
    # Whoever cuts the log and removes the heads beside it doesn't reach the second place.
    path = pilot / "audit" / "rows" / "000000000000.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:2]))
    for one in (pilot / "audit" / "heads").iterdir():
        one.unlink()
    assert main(["audit", "verify", str(pilot)]) == 1
    assert "BROKEN" in capsys.readouterr().out


def test_rows_are_shown_by_kind_person_time_and_text(
    pilot: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def shown(*options: str) -> list[dict]:
        assert main(["audit", "show", str(pilot), *options]) == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    assert [row["n"] for row in shown()] == [0, 1, 2]
    assert [row["n"] for row in shown("--newest", "2")] == [2, 1]
    assert [row["n"] for row in shown("--kind", "login", "segment")] == [0, 1]
    assert [row["n"] for row in shown("--who", "bob")] == [2]
    assert [row["n"] for row in shown("--text", "FORKLIFT")] == [2]
    assert shown("--until", "2020-01-01") == []
    assert len(shown("--since", "2020-01-01T00:00")) == 3
    assert main(["audit", "show", str(pilot), "--csv", str(tmp_path / "rows.csv")]) == 0
    with (tmp_path / "rows.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["who"] for row in rows] == ["", "ann", "bob"]
    assert json.loads(rows[2]["what"])["reason"] == "=1+1"
    capsys.readouterr()
    assert main(["audit", "show", str(pilot), "--since", "yesterday"]) == 1
    assert "expected a time such as 2026-03-01T12:00, got 'yesterday'" in capsys.readouterr().err


def test_a_receipt_is_written_and_checked(pilot: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    receipt = tmp_path / "receipt.json"
    keys = ["--keys", str(pilot / "keys.yaml")]
    assert main(["audit", "receipt", str(pilot), "1", "--to", str(receipt)]) == 0
    assert main(["audit", "check", str(receipt), *keys]) == 0
    assert "login, ann: {'how': 'password'}" in capsys.readouterr().out
    receipt.write_text(receipt.read_text(encoding="utf-8").replace("password", "passw0rd"), encoding="utf-8")
    assert main(["audit", "check", str(receipt), *keys]) == 1
    assert "expected a path from row 1 to the root" in capsys.readouterr().err
    assert main(["audit", "receipt", str(pilot), "9"]) == 1
    assert "row 9: expected one that a signed head has, of 3 rows" in capsys.readouterr().err
