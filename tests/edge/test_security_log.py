"""The security log has what a broker refused, and who it was."""

from __future__ import annotations

import json
from pathlib import Path

from twinlab.edge.security_log import SecurityLog, security_events

LOG = """2026-11-29T21:09:19Z: New connection from 127.0.0.1:37545 on port 39435.
2026-11-29T21:09:19Z: OpenSSL Error[0]: error:0A0000C7:SSL routines::peer did not return a certificate
2026-11-29T21:09:19Z: Client <unknown> disconnected: Protocol error.
2026-11-29T21:09:22Z: New connection from 127.0.0.1:45477 on port 39435.
2026-11-29T21:09:22Z: OpenSSL Error[0]: error:0A00010B:SSL routines::wrong version number
2026-11-29T21:09:25Z: New connection from 127.0.0.1:59577 on port 39435.
2026-11-29T21:09:25Z: OpenSSL Error[0]: error:0A000086:SSL routines::certificate verify failed
2026-11-29T21:09:26Z: Client connection from 127.0.0.2 failed: error:0A000086:SSL routines::certificate verify failed.
2026-11-29T21:09:27Z: Client connection from 127.0.0.1 failed: error:0A000126:SSL routines::unexpected eof while reading.
2026-11-29T21:09:32Z: New client connected from 127.0.0.1:47017 as truck-1 (p5, c1, k60, u'truck-1').
2026-11-29T21:09:32Z: Denied PUBLISH from truck-1 (d0, q1, r0, m1, 'twinlab/truck-2/rows', ... (1 bytes))
2026-11-29T21:09:32Z: Received PUBLISH from truck-1 (d0, q1, r0, m2, 'twinlab/truck-1/rows', ... (1 bytes))
"""


def test_each_refusal_is_an_event_with_its_client() -> None:
    events = list(security_events(LOG.splitlines()))
    assert [(one.kind, one.address, one.user, one.topic) for one in events] == [
        ("no certificate", "127.0.0.1:37545", None, None),
        ("no TLS", "127.0.0.1:45477", None, None),
        ("certificate refused", "127.0.0.1:59577", None, None),
        ("certificate refused", "127.0.0.2", None, None),
        ("publish denied", "127.0.0.1:47017", "truck-1", "twinlab/truck-2/rows"),
    ]


def test_a_topic_or_name_that_imitates_the_log_stays_one_event() -> None:
    lines = [
        "t: New client connected from 1.2.3.4:5 as a (p5, c1, k60, u'x') as b (p5, c1, k60, u'truck-1').",
        "t: Denied PUBLISH from a (p5, c1, k60, u'x') as b (d0, q1, r0, m1, 'a', ... (1 bytes))', ... (3 bytes))",
    ]
    (event,) = security_events(lines)
    assert (event.user, event.topic) == ("truck-1", "a', ... (1 bytes))")


def test_a_growing_log_is_read_on_and_a_cut_line_waits(tmp_path: Path) -> None:
    source, out = tmp_path / "broker.log", tmp_path / "security.jsonl"
    log = SecurityLog(source, out)
    assert log.update() == []
    source.write_text(LOG[:150])
    assert log.update() == []
    source.write_text(LOG)
    assert len(log.update()) == 5
    assert log.update() == []
    assert [json.loads(line)["kind"] for line in out.read_text().splitlines()] == [
        "no certificate", "no TLS", "certificate refused", "certificate refused", "publish denied",
    ]  # fmt: skip
    source.write_text(LOG[:200])
    assert len(log.update()) == 1
