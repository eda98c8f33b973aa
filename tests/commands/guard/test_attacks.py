"""Every attack is refused for its reason, changes nothing, and is recorded; without its check it would succeed."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.commands.guard.attacks import ATTACKS, Attack
from tests.commands.guard.site import Site
from twinlab.commands.guard import CHECKS, Guard, GuardLedger
from twinlab.commands.guard.message import Message
from twinlab.commands.guard.situation import Situation
from twinlab.commands.messages import Answer, Command

#: Without these, later checks refuse the same bytes, which nothing can be done with; but they can't say why.
READING = {"envelope", "command", "target"}


def believe(_: Situation, message: Message) -> None:
    """Without the check of signatures, whoever is named as a signer is one."""
    message.verified = True


class ForgetfulLedger(GuardLedger):
    """Without the primary key, which refuses an id a second time by itself."""

    def add(self, command: Command, **given: Any) -> None:
        self._file.execute("delete from commands where id = ?", (command.id,))
        super().add(command, **given)


def carried_out(attack: Attack, site: Site) -> Answer:
    try:
        wire = attack.wire(site)
        before = len(site.forklift.changes)
        answer = site.guard.submit(wire)
        assert len(site.forklift.changes) == before or answer.outcome == "done"
        return answer
    finally:
        for step in (*site.cleanup, site.close):
            step()


def refused_as_it_should(attack: Attack, site: Site) -> bool:
    answer = carried_out(attack, site)
    entry = site.entries[-1] if site.entries else {"kind": "none", "what": {}}
    found = [one for one in site.entries if one["kind"] == "command refused"] or [entry]
    last = found[-1]
    return (
        answer.outcome == "refused"
        and re.search(attack.reason, answer.reason) is not None
        and re.fullmatch(attack.check, last["what"].get("check", "")) is not None
        and last["what"]["reason"] == answer.reason
        and last["wire_sha256"] == answer.wire_sha256
    )


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: f"{attack.number}-{attack.name}")
def test_an_attack_is_refused_for_its_reason_and_recorded(attack: Attack, site: Site) -> None:
    value = dict(site.forklift.values)
    assert refused_as_it_should(attack, site), site.entries[-1:]
    assert site.forklift.values["forklift/8"] == value["forklift/8"]


@pytest.mark.parametrize("name", [check.name for check in CHECKS])
def test_without_its_check_an_attack_succeeds(name: str, tmp_path: Path, need: Callable[[str], object]) -> None:
    need("securesystemslib")

    class Weak(Guard):
        checks = tuple(
            check._replace(refuse=believe) if check.name == name == "signatures" else check
            for check in CHECKS
            if check.name != name or name == "signatures"
        )

    def weak_site(ledger: type[GuardLedger]) -> Site:
        folder = Path(tempfile.mkdtemp(dir=tmp_path))
        return Site(folder, kind=Weak, ledger=ledger, fenced=False)

    succeeded, failed = [], []
    for attack in (one for one in ATTACKS if re.fullmatch(one.check, name)):
        if carried_out(attack, weak_site(ForgetfulLedger)).outcome in {"selected", "done"}:
            succeeded.append(attack.name)
        if not refused_as_it_should(attack, weak_site(GuardLedger)):
            failed.append(attack.name)
    assert failed, f"no test would notice that {name} is missing"
    assert succeeded or name in READING


def test_every_attack_names_checks_that_exist_and_the_table_is_complete() -> None:
    names = {check.name for check in CHECKS}
    assert all(any(re.fullmatch(attack.check, name) for name in names) for attack in ATTACKS)
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS)
    # 22 and 23 aren't about bytes: see test_acting.py and the audit's own tests.
    assert {attack.number for attack in ATTACKS} >= {*range(1, 22), 24}
