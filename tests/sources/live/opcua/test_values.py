"""Data values of OPC UA as observations, and the options of the source."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from asyncua import ua
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from twinlab.sources.live import LIVE_KINDS
from twinlab.sources.live.opcua.values import datetime_of, observed, overflowed

FILES = {"certificate": "a.der", "private_key": "a.pem", "server_certificate": "s.der"}


@given(st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1)))
def test_times_keep_each_microsecond_in_both_directions(stamp: datetime) -> None:
    row = observed("a", ua.DataValue(ua.Variant(1.0), SourceTimestamp=stamp), received_ns=0)
    assert datetime_of(row.time_ns) == stamp.replace(tzinfo=UTC)


def test_without_a_source_timestamp_the_server_s_and_then_the_receipt_is_the_time() -> None:
    server = datetime(2026, 3, 1, tzinfo=UTC)
    assert (
        observed("a", ua.DataValue(ua.Variant(1.0), ServerTimestamp=server), received_ns=7).time_ns
        == 1_772_323_200 * 10**9
    )
    assert observed("a", ua.DataValue(ua.Variant(1.0)), received_ns=7).time_ns == 7


@pytest.mark.parametrize(
    ("value", "expected"),
    [(True, True), (-3, -3), (2.5, 2.5), ("open", "open"), ([1, 2], "[1, 2]"), (None, None)],
)
def test_a_value_stays_what_it_is_and_an_array_becomes_text(value: Any, expected: object) -> None:
    assert observed("a", ua.DataValue(ua.Variant(value)), received_ns=0).value == expected


def test_the_overflow_bit_counts_only_among_the_info_bits_of_a_data_value() -> None:
    def coded(code: int) -> ua.DataValue:
        return ua.DataValue(ua.Variant(1.0), StatusCode=ua.StatusCode(code))

    assert overflowed([coded(0), coded(0x0480)])
    assert overflowed([coded(0x40000480)])
    assert not overflowed([coded(0), coded(0x0080), coded(0x0400)])
    assert observed("a", coded(0x0480), received_ns=0).status == 0x0480


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"url": "http://h"}, "opc"),
        ({"url": "opc.tcp://me:secret@h:4840"}, "without a password"),
        ({"nodes": {"a": "Temperature"}}, "nodes"),
        ({"certificate": None}, "got none for certificate; or state `security: none`"),
        ({"security": "none"}, "'certificate' needs `security: Basic256Sha256`"),
        ({"user": "me"}, "expected user and password, or neither"),
        ({"user": "me", "password": "secret"}, r"environment variable such as \$\{SMTP_PASSWORD\}"),
    ],
)
def test_options_that_can_t_be_or_aren_t_safe_are_refused(options: dict[str, Any], message: str) -> None:
    good: dict[str, Any] = {"url": "opc.tcp://h:4840", "nodes": {"a": "ns=2;s=A"}, **FILES}
    LIVE_KINDS.get("opcua").parse(good)
    with pytest.raises(ValidationError, match=message):
        LIVE_KINDS.get("opcua").parse({**good, **options})
