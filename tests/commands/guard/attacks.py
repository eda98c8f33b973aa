"""Attacks on a guard: each prepares a site and returns the bytes that must be refused, and by which check.

The numbers are those of the table of attacks in issue 16.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tests.commands.guard.site import NOW, Site, payload_of, signed_bytes, under_way, with_payload
from twinlab.commands.guard import Rates
from twinlab.commands.messages import sign_answer
from twinlab.commands.messages.command import instant_text
from twinlab.signing.envelopes import sign_payload


@dataclass(frozen=True)
class Attack:
    """One attack."""

    name: str
    number: int
    """In the table; 0: beside it."""
    check: str
    """Name of the check that refuses."""
    reason: str
    """Regular expression of what the refusal says."""
    wire: Callable[[Site], bytes]


ATTACKS: list[Attack] = []


def attack(number: int, check: str, reason: str) -> Callable[[Callable[[Site], bytes]], Callable[[Site], bytes]]:
    def add(wire: Callable[[Site], bytes]) -> Callable[[Site], bytes]:
        ATTACKS.append(Attack(wire.__name__, number, check, reason, wire))
        return wire

    return add


@attack(1, "signatures", "expected 1 to 8, got 0")
def unsigned(site: Site) -> bytes:
    return json.dumps(json.loads(site.wire()) | {"signatures": []}).encode()


@attack(2, "signatures", "doesn't match it")
def changed_after_signing(site: Site) -> bytes:
    wire = site.wire()
    return with_payload(wire, payload_of(wire).replace(b'"value":6.0', b'"value":4.0'))


@attack(3, "signatures", "known and not revoked")
def unknown_key(site: Site) -> bytes:
    return site.wire(signers=("ann", "eve"))


@attack(3, "signatures", "known and not revoked")
def unknown_key_beside_enough_known_ones(site: Site) -> bytes:
    return site.wire(signers=("ann", "bob", "eve"))


@attack(3, "signatures", "doesn't match it")
def unknown_key_under_a_known_id(site: Site) -> bytes:
    found = json.loads(site.wire(signers=("ann", "eve")))
    found["signatures"][1]["keyid"] = site.signers["bob"].public_key.keyid
    return json.dumps(found).encode()


@attack(3, "signatures", "known and not revoked")
def a_device_signs(site: Site) -> bytes:
    return site.wire(signers=("ann", "device"))


@attack(4, "signatures", "known and not revoked")
def revoked_key(site: Site) -> bytes:
    return site.wire(signers=("ann", "olaf"))


@attack(4, "signatures", "known and not revoked")
def key_revoked_between_select_and_operate(site: Site) -> bytes:
    assert site.select().outcome == "selected"
    site.revoked.add("bob")
    site.write_keys()
    return site.wire(operation="operate")


@attack(5, "expiry", "expected an instant after")
def expired(site: Site) -> bytes:
    wire = site.wire()
    site.time.wait(31)
    return wire


@attack(6, "issued", "at most 5 s ahead of the clock, got 100 s")
def issued_in_the_future(site: Site) -> bytes:
    return site.wire(now=site.time.now + timedelta(seconds=100))


@attack(6, "command", "at most 60 s after issued_at, got 61 s")
def valid_for_more_than_a_minute(site: Site) -> bytes:
    command = site.command(expires_at=instant_text(site.time.now + timedelta(seconds=61)))
    return signed_bytes(command.payload(), site.signers["ann"], site.signers["bob"])


@attack(7, "replay", "whose outcome is selected")
def select_replayed(site: Site) -> bytes:
    wire = site.wire()
    assert site.guard.submit(wire).outcome == "selected"
    return wire


@attack(7, "replay", "expected a new one")
def id_used_again_with_a_higher_counter(site: Site) -> bytes:
    first = site.command()
    assert site.guard.submit(site.wire(command=first)).outcome == "selected"
    return site.wire(id=first.id)


@attack(8, "replay", "whose outcome is selected")
def select_replayed_after_a_restart(site: Site) -> bytes:
    wire = select_replayed(site)
    site.restart()
    return wire


@attack(9, "target", "expected something that gateway/1 sets, got max_speed of forklift/99")
def unknown_target(site: Site) -> bytes:
    return site.wire(target="forklift/99")


@attack(9, "target", "expected something that gateway/1 sets, got min_speed of forklift/7")
def unknown_parameter(site: Site) -> bytes:
    return site.wire(parameter="min_speed")


@attack(9, "twin", "expected parcel, got nyc")
def another_twin(site: Site) -> bytes:
    return site.wire(twin="nyc")


@attack(10, "payload_type", r"expected .*command\+json, got .*telemetry")
def telemetry_as_a_command(site: Site) -> bytes:
    both = site.signers["ann"], site.signers["bob"]
    return signed_bytes(site.command().payload(), *both, payload_type="application/vnd.twinlab.telemetry+json")


@attack(10, "payload_type", r"got .*answer\+json")
def an_answer_as_a_command(site: Site) -> bytes:
    return sign_answer(site.select(), site.signers["device"])


@attack(11, "persons", "of 2 different persons with the role operator, got 1: Ann")
def one_signature(site: Site) -> bytes:
    return site.wire(signers=("ann",))


@attack(12, "persons", "of 2 different persons with the role operator, got 1: Ann")
def two_keys_of_one_person(site: Site) -> bytes:
    return site.wire(signers=("ann", "ann2"))


@attack(13, "persons", r"got 1: Ann \(signed by Ann, Vic\)")
def a_viewer_signs(site: Site) -> bytes:
    return site.wire(signers=("ann", "vic"))


@attack(13, "persons", r"got 0: nobody \(signed by Vic\)")
def a_viewer_stops(site: Site) -> bytes:
    return site.stop_wire(signer="vic")


@attack(14, "selected", "expected a select at most 10 s before operate, got none")
def operate_without_select(site: Site) -> bytes:
    return site.wire(operation="operate")


@attack(14, "selected", "expected a select at most 10 s before operate, got none")
def operate_after_the_select_timed_out(site: Site) -> bytes:
    assert site.select().outcome == "selected"
    site.time.wait(10)
    return site.wire(operation="operate")


@attack(14, "selected", "got none")
def operate_a_second_time(site: Site) -> bytes:
    assert site.set().outcome == "done"
    return site.wire(operation="operate")


@attack(14, "selected", "got none")
def operate_another_target_than_selected(site: Site) -> bytes:
    assert site.select().outcome == "selected"
    return site.wire(operation="operate", target="forklift/8")


@attack(15, "as_selected", "expected what was selected, max_speed 6 km/h, got max_speed 5 km/h")
def operate_differs_from_select(site: Site) -> bytes:
    assert site.select().outcome == "selected"
    return site.wire(operation="operate", value=5.0)


@attack(16, "limits", "expected max_speed from 0 to 12 km/h, got 12.5")
def above_the_limit(site: Site) -> bytes:
    return site.wire(value=12.5)


@attack(16, "limits", "expected max_speed from 0 to 12 km/h, got -0.5")
def below_the_limit(site: Site) -> bytes:
    site.forklift.values["forklift/7"] = 1.0
    return site.wire(value=-0.5)


@attack(16, "unit", "expected km/h for max_speed, got 'mph'")
def another_unit(site: Site) -> bytes:
    return site.wire(unit="mph")


@attack(16, "step", "expected at most 6 km/h from the reported max_speed, 8 km/h, got 1 km/h")
def too_large_a_step(site: Site) -> bytes:
    return site.wire(value=1.0)


def _with_literal(site: Site, literal: bytes) -> bytes:
    raw = site.command().payload().replace(b'"value":6.0', b'"value":' + literal)
    return signed_bytes(raw, site.signers["ann"], site.signers["bob"])


for _literal in (
    b"NaN", b"Infinity", b"-Infinity", b"1e999", b'"6"', b"true", b"null", b"[6]", b'{"a":6}', b"1" + b"0" * 400, b"12345678901234567",
):  # fmt: skip
    ATTACKS.append(
        Attack(
            f"value_{_literal[:12].decode()}", 17, "command", "expected a finite number|command.value",
            lambda site, literal=_literal: _with_literal(site, literal),
        )
    )  # fmt: skip


@attack(18, "same_state", "it changed since it was looked at")
def plant_changed_since_shown(site: Site) -> bytes:
    wire = site.wire()
    site.forklift.load = 800.0
    return wire


@attack(18, "same_state", "it changed since it was looked at")
def plant_changed_between_select_and_operate(site: Site) -> bytes:
    assert site.select().outcome == "selected"
    wire = site.wire(operation="operate")
    site.forklift.values["forklift/7"] = 7.0
    return wire


@attack(18, "fresh_state", "reported at most 5 s ago, got one 6.0 s old")
def stale_state(site: Site) -> bytes:
    site.forklift.age = 6.0
    return site.wire()


@attack(18, "interlocks", "fork_height: expected less than 1 m, got 2.4 m")
def an_interlock_is_broken(site: Site) -> bytes:
    site.forklift.blocked = ("fork_height: expected less than 1 m, got 2.4 m",)
    return site.wire()


@attack(19, "other_select", "expected no select of others, got one of Ann, Bob")
def two_operators_select_one_forklift(site: Site) -> bytes:
    assert site.select().outcome == "selected"
    return site.wire(signers=("bob", "cid"))


@attack(19, "other_select", "expected no select of others, got one of Ann, Bob")
def others_operate_what_was_selected(site: Site) -> bytes:
    assert site.select().outcome == "selected"
    return site.wire(operation="operate", signers=("bob", "cid"))


@attack(20, "counter", "expected more than 2 for forklift/7, got 1: a newer command came before")
def older_after_newer(site: Site) -> bytes:
    older, newer = site.wire(), site.wire()
    assert site.guard.submit(newer).outcome == "selected"
    return older


@attack(21, "size", "expected at most 8192 bytes, got 20")
def twenty_kilobytes(site: Site) -> bytes:
    return site.wire() + b" " * (20_000 - len(site.wire()))


@attack(21, "size", "expected at most 8192 bytes, got 9")
def padded_with_white_space(site: Site) -> bytes:
    return site.wire() + b" " * (9_000 - len(site.wire()))


for _name, _raw in {
    "deep_nesting": b"[" * 8000, "deep_objects": b'{"payload":' * 700, "bad_utf8": b'{"payload":"\xff"}', "nothing": b"",
    "duplicate_keys": b'{"payload":"","payload":"","payloadType":"x","signatures":[]}', "list": b"[]", "extra_field": b'{"a":1}',
}.items():  # fmt: skip
    ATTACKS.append(Attack(f"envelope_{_name}", 21, "envelope", "^envelope", lambda _, raw=_raw: raw))

for _name, _change in {
    "deep_nesting": lambda raw: raw[:-1] + b',"more":' + b"[" * 9 + b"]" * 9 + b"}",
    "duplicate_keys": lambda raw: raw.replace(b'"value":6.0', b'"value":4.0,"value":6.0'),
    "bad_utf8": lambda raw: raw.replace(b"people near", b"people \xff near"),
    "extra_field": lambda raw: raw.replace(b'"value":6.0', b'"value":6.0,"twins":"parcel"'),
    "surrogate": lambda raw: raw.replace(b"people near", b"people \\ud800 near"),
}.items():
    ATTACKS.append(
        Attack(
            f"payload_{_name}", 21, "command", "^command",
            lambda site, change=_change: signed_bytes(change(site.command().payload()), site.signers["ann"], site.signers["bob"]),
        )
    )  # fmt: skip


@attack(24, "clock", "expected 2026-03-01T12:00:00.000Z or later, got one 1000 s earlier")
def clock_set_back(site: Site) -> bytes:
    # The asset and the signer have clocks that are right.
    wire = site.wire()
    site.time.now -= timedelta(seconds=1000)
    site.forklift.age = -1000
    return wire


@attack(24, "clock", "or later, got one 1000 s earlier")
def clock_set_back_while_the_guard_was_off(site: Site) -> bytes:
    wire = site.wire()
    site.guard.tick()
    site.time.now -= timedelta(seconds=1000)
    site.forklift.age = -1000
    site.restart()
    return wire


@attack(24, "expiry|clock", "expected")
def clock_set_back_to_revive_an_expired_command(site: Site) -> bytes:
    wire = site.wire()
    site.time.wait(40)
    site.guard.tick()
    site.time.now = NOW
    site.restart()
    return wire


@attack(24, "rate", "expected at most 3 in a second, got more")
def flood_from_outside(site: Site) -> bytes:
    site.rates = Rates(total=3, target=100)
    site.restart()
    for _ in range(3):
        site.guard.submit(b"x")
    return site.wire()


@attack(24, "target_rate", "commands to forklift/7: expected at most 2 in a second, got more")
def flood_of_signed_commands(site: Site) -> bytes:
    site.rates = Rates(total=100, target=2)
    site.restart()
    assert [site.select().outcome for _ in range(2)] == ["selected"] * 2
    return site.wire()


@attack(0, "idle", "expected no command under way, got one")
def a_second_command_while_one_is_under_way(site: Site) -> bytes:
    go, thread, _ = under_way(site)
    site.cleanup += [go.set, lambda: thread.join(20)]
    return site.wire()


@attack(0, "after_stop", "expected a command that was signed more than 5 s after its emergency stop")
def signed_before_an_emergency_stop(site: Site) -> bytes:
    # The stop doesn't change the reported value.
    site.forklift.values["forklift/7"] = 0.0
    wire = site.wire()
    site.time.wait(1)
    assert site.guard.submit(site.stop_wire()).outcome == "done"
    return wire


@attack(0, "after_stop", "more than 5 s after its emergency stop")
def signed_before_an_emergency_stop_and_a_restart(site: Site) -> bytes:
    wire = signed_before_an_emergency_stop(site)
    site.restart()
    return wire


@attack(0, "repeated_stop", "expected a new stop, got .* carried out and expired")
def an_expired_stop_again(site: Site) -> bytes:
    wire = site.stop_wire()
    assert site.guard.submit(wire).outcome == "done"
    site.time.wait(61)
    return wire


def _standby(site: Site) -> None:
    """Another gateway with a ledger of its own takes over; a driver sets the old value again."""
    from twinlab.commands.guard import GuardLedger

    site.guard = site.new_guard(ledger=GuardLedger(site.folder / "other.db", create=True))
    site.forklift.values["forklift/7"] = 8.0


@attack(8, "after_take_over", "signed more than 5 s after gateway/1 took over")
def select_replayed_to_another_gateway(site: Site) -> bytes:
    select = site.wire()
    assert site.guard.submit(select).outcome == "selected"
    assert site.operate().outcome == "done"
    _standby(site)
    return select


@attack(8, "after_take_over", "signed more than 5 s after gateway/1 took over")
def operate_replayed_to_another_gateway(site: Site) -> bytes:
    select, operate = site.wire(), site.wire(operation="operate")
    assert [site.guard.submit(wire).outcome for wire in (select, operate)] == ["selected", "done"]
    _standby(site)
    site.guard.submit(select)
    return operate


@attack(8, "after_take_over", "another guard may have carried it out")
def replayed_to_a_gateway_that_was_away(site: Site) -> bytes:
    """The first gateway acts, a second one takes over and acts, the first comes back with its old ledger."""
    wire = site.wire(target="forklift/8")
    _standby(site)
    site.time.wait(6)
    assert site.set(7.0).outcome == "done"
    site.guard = site.new_guard()
    return wire


@attack(0, "epoch", "another guard has taken over")
def an_older_guard_acts(site: Site) -> bytes:
    site.newer = site.new_guard()  # type: ignore[attr-defined]
    return site.wire()


def stop_signed_as(site: Site, **fields: Any) -> bytes:
    """Return a stop whose payload was edited before signing."""
    raw = json.loads(payload_of(site.stop_wire())) | fields
    return sign_payload(json.dumps(raw).encode(), "application/vnd.twinlab.command+json", site.signers["ann"])


@attack(0, "command", "expected the value 0 and the unit 1 for a stop, got 12 km/h")
def a_stop_with_a_setpoint(site: Site) -> bytes:
    return stop_signed_as(site, value=12.0, unit="km/h")
