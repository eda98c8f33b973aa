"""What protects after the checks: each safeguard is left out in turn, and then the harm happens that it prevents."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.commands.guard.site import Site, ended, under_way
from twinlab.commands.guard import Fence, Guard, GuardLedger, acting
from twinlab.commands.guard.acting import Result
from twinlab.commands.guard.flood import Flood


def setpoint_after_stop(site: Site) -> bool:
    flying = under_way(site)
    site.guard.submit(site.stop_wire())
    ended(*flying)
    return site.forklift.values["forklift/7"] != 0.0


def moves_without_acknowledgement(site: Site) -> bool:
    site.forklift.acknowledges = False
    site.set()
    return site.forklift.values["forklift/7"] != 0.0


def wrong_value_is_called_done(site: Site) -> bool:
    site.forklift.stuck = True
    return site.set().outcome == "done"


def expired_command_acts(site: Site) -> bool:
    site.select()
    keep = site.record
    site.record = lambda entry: (site.time.wait(40), setattr(site.forklift, "age", -40), keep(entry))
    return site.operate().outcome == "done"


def late_setpoint_stays(site: Site) -> bool:
    moves_without_acknowledgement(site)
    site.forklift.values["forklift/7"] = 6.0
    site.guard.tick()
    return site.forklift.values["forklift/7"] == 6.0


def silent_link_goes_on(site: Site) -> bool:
    site.set()
    site.time.wait(10)
    site.guard.tick()
    return site.forklift.values["forklift/7"] != 0.0


def hanging_action_goes_on(site: Site) -> bool:
    flying = under_way(site)
    site.time.wait(2.9)
    site.guard.link_alive("forklift/7")
    site.time.wait(0.2)
    before = len(site.forklift.safe)
    site.guard.tick()
    unsafe = len(site.forklift.safe) == before
    ended(*flying)
    return unsafe


def older_guard_acts(site: Site) -> bool:
    site.select()
    keep, taken = site.record, []
    site.record = lambda entry: (
        keep(entry), taken or taken.append(site.new_guard(ledger=GuardLedger(site.folder / "other.db", create=True)))
    )  # fmt: skip
    return site.operate().outcome == "done"


def unrecorded_command_acts(site: Site) -> bool:
    site.select()

    def full(_: object) -> None:
        raise OSError("no space left on the device")

    site.record = full
    site.operate()
    return site.forklift.changes != []


def killed_command_is_forgotten(site: Site) -> bool:
    site.select()
    site.forklift.acknowledges = True

    class Killed(BaseException):
        pass

    def kill() -> None:
        raise Killed

    site.forklift.on_apply = kill
    with pytest.raises(Killed):
        site.operate()
    site.forklift.on_apply = lambda: None
    return site.restart().recovered == ()


def replay_after_a_restart(site: Site) -> bool:
    select, operate = site.wire(), site.wire(operation="operate")
    site.guard.submit(select)
    site.guard.submit(operate)
    site.restart()
    site.forklift.values["forklift/7"] = 8.0
    site.guard.submit(select)
    site.guard.submit(operate)
    return len(site.forklift.changes) == 2


def clock_set_back_over_a_restart(site: Site) -> bool:
    wire, now = site.wire(), site.time.now
    site.time.wait(3600)
    site.guard.tick()
    site.time.now = now
    return site.restart().submit(wire).outcome == "selected"


def flood_fills_the_disk(site: Site) -> bool:
    from twinlab.commands.guard import Rates

    site.rates = Rates(total=5, target=5)
    site.restart()
    for _ in range(200):
        site.guard.submit(b"x")
    return len(site.entries) > 50


@contextmanager
def nothing(*_: object) -> Any:
    yield


def patched(owner: Any, name: str, replacement: Any) -> Callable[[pytest.MonkeyPatch], None]:
    return lambda patch: patch.setattr(owner, name, replacement)


def unsafe(here: Any, key: Any, rule: Any, why: str) -> Result:
    return Result("fail_safe", why)


SAFEGUARDS: dict[str, tuple[Callable[[pytest.MonkeyPatch], None], Callable[[Site], bool]]] = {
    "a stop breaks what is under way": (patched(acting, "_broken", lambda *_: ""), setpoint_after_stop),
    "fail-safe without an acknowledgement": (patched(acting, "make_safe", unsafe), moves_without_acknowledgement),
    "read-back": (patched(acting, "_within", lambda *_: True), wrong_value_is_called_done),
    "waiting costs": (patched(acting, "_waited", lambda *_: ""), expired_command_acts),
    "late setpoints": (patched(Guard, "_end_late_setpoints", lambda _: None), late_setpoint_stays),
    "silent links": (patched(Guard, "_end_silent_links", lambda _: None), silent_link_goes_on),
    "long flights": (patched(Guard, "_end_long_flights", lambda _: None), hanging_action_goes_on),
    "the fence of the asset": (patched(Fence, "acting", nothing), older_guard_acts),
    "record before acting": (patched(Guard, "_note", lambda *_, **__: None), unrecorded_command_acts),
    "read back after a kill": (patched(Guard, "_recover", lambda _: ()), killed_command_is_forgotten),
    "ids and counters on the disk": (patched(GuardLedger, "add", lambda *_, **__: None), replay_after_a_restart),
    "the highest instant on the disk": (patched(GuardLedger, "highest_instant", lambda _: None), clock_set_back_over_a_restart),
    "counted refusals": (patched(Flood, "counted", lambda *_: 0), flood_fills_the_disk),
}  # fmt: skip


@pytest.mark.parametrize("name", SAFEGUARDS)
def test_without_a_safeguard_the_harm_happens(
    name: str, tmp_path: Path, need: Callable[[str], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    need("securesystemslib")
    leave_out, harm = SAFEGUARDS[name]
    for folder in ("with", "without"):
        (tmp_path / folder).mkdir()
    assert not harm(Site(tmp_path / "with"))
    leave_out(monkeypatch)
    assert harm(Site(tmp_path / "without"))
