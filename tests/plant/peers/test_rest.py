"""The telematics service: pages, the rate limit, the token, bad moods."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest


@pytest.fixture(scope="module")
def client(running: Any) -> Iterator[httpx.Client]:
    peer = running.peer("rest")
    peer.set_mood(bad=False)
    address = peer.address
    token = Path(address["token_file"]).read_text()
    context = ssl.create_default_context(cafile=address["ca"])
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=address["endpoint"], headers=headers, verify=context) as found:
        yield found


def get(client: httpx.Client, path: str, **query: int) -> httpx.Response:
    """Return an answer, after the pauses that the service asks for."""
    while (answer := client.get(path, params=query)).status_code == 429:
        time.sleep(0.1)
    return answer


def test_pages_have_every_report_once(running: Any, client: httpx.Client) -> None:
    after = get(client, "/reports", limit=1).json()["next"]
    while get(client, "/reports", after=after, limit=500).json()["more"]:
        after = get(client, "/reports", after=after, limit=500).json()["next"]
    after = get(client, "/reports", after=after, limit=500).json()["next"]
    moment = running.advance(6 * 3600)
    items, more = [], True
    while more:
        page = get(client, "/reports", after=after, limit=50).json()
        items += page["items"]
        after, more = page["next"], page["more"]
    assert [one["number"] for one in items] == list(range(items[0]["number"], items[0]["number"] + len(items)))
    lifts = [one for one in items if one["vehicle"].startswith("F")]
    assert len(lifts) == int((~moment.step.forklift_silent).sum())
    reported, at = running.plant.timetable.reported, moment.step.timed.reports
    second_maker = (reported.tracks.truck[at] >= 6) & ~reported.silent[at]
    trucks = [one for one in items if one["vehicle"].startswith("T")]
    assert len(trucks) == int(second_maker.sum()) > 0
    assert [one["speed_mph"] for one in trucks] == pytest.approx(
        (reported.tracks.speed[at][second_maker] / 1.609344).tolist(), abs=0.051
    )
    assert get(client, "/reports", after=after).json() == {
        "items": [], "next": after, "more": False, "oldest": 1
    }  # fmt: skip


def test_requests_without_the_token_or_with_a_wrong_page_are_refused(client: httpx.Client) -> None:
    assert client.get("/reports", headers={"Authorization": "Bearer x"}).status_code == 401
    for wrong in ({"after": -1}, {"limit": 501}, {"limit": 0}):
        assert get(client, "/reports", **wrong).status_code == 400
    assert get(client, "/nothing").status_code == 404


def test_requests_beyond_the_rate_are_refused_with_a_pause(client: httpx.Client) -> None:
    answers = [client.get("/vehicles") for _ in range(40)]
    refused = [one for one in answers if one.status_code == 429]
    assert refused
    assert all(int(one.headers["Retry-After"]) >= 1 for one in refused)
    assert get(client, "/vehicles").status_code == 200


def test_in_a_bad_mood_every_second_request_fails(running: Any, client: httpx.Client) -> None:
    peer = running.peer("rest")
    peer.set_mood(bad=True)
    try:
        answers = [get(client, "/vehicles").status_code for _ in range(25)]
    finally:
        peer.set_mood(bad=False)
    failed = [code for code in answers if code >= 500]
    assert 4 < len(failed) < 21
    assert set(answers) <= {200, 500, 502, 503, 504}
    assert get(client, "/vehicles").status_code == 200


def test_a_client_that_knows_another_authority_does_not_connect(running: Any) -> None:
    with pytest.raises(httpx.ConnectError, match="certificate"):
        httpx.get(f"{running.peer('rest').address['endpoint']}/vehicles", verify=ssl.create_default_context())
