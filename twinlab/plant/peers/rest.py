"""Telematics of one maker's trucks and of the forklifts: HTTPS with pages, a rate limit, and bad moods with errors 5xx.

``GET /v1/vehicles`` lists the vehicles. ``GET /v1/reports?after=N&limit=L`` returns at most ``L`` reports (up to 500) after the
``N``-th: ``{"items": […], "next": N, "more": true}``; ``next`` is what the next request states as ``after``. Old reports are no longer
available: then ``oldest`` is more than ``after`` + 1. Each request needs the header ``Authorization: Bearer TOKEN``.
"""

from __future__ import annotations

import hmac
import random
import secrets
import ssl
import time
from collections import deque
from collections.abc import Awaitable, Callable

from aiohttp import web

from twinlab.plant.network.clocks import offset_text
from twinlab.plant.network.forklifts import CHARGING, DRIVING, IDLE
from twinlab.plant.network.names import asset_name, first_maker_trucks
from twinlab.plant.peers.certificates import Authority
from twinlab.plant.peers.peer import Moment

__all__ = ["Telematics"]

_MILE, _GALLON = 1.609344, 3.785411784
_MODES = {IDLE: "idle", DRIVING: "drive", CHARGING: "charge"}
_LARGEST_PAGE = 500
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Telematics:
    """The telematics service.

    Parameters
    ----------
    authority : Authority
        Issues the server's certificate; the token is written beside it.
    rate : float
        Requests a second that are answered; a burst of twice as many is.
    kept : int
        Reports that stay available.
    moods : float
        Share of minutes in which every second request fails.
    """

    name = "rest"

    def __init__(self, authority: Authority, *, rate: float = 10.0, kept: int = 200_000, moods: float = 0.05) -> None:
        self._authority = authority
        self._rate = rate
        self._moods = moods
        self._mood_now: bool | None = None
        self._reports: deque[dict[str, object]] = deque(maxlen=kept)
        self._count = 0
        self._allowed, self._since = 2 * rate, time.monotonic()
        self._token = secrets.token_urlsafe(24)
        self._runner: web.AppRunner | None = None
        self._port = 0
        self._vehicles: list[dict[str, str]] = []
        self._wear = False
        self._random = random.Random()  # noqa: S311  (moods, no secrets)

    def set_mood(self, *, bad: bool | None) -> None:
        """Make every second request fail, or none; None: as the share of bad minutes says."""
        self._mood_now = bad

    async def start(self, moment: Moment) -> None:
        """Listen on a free port."""
        size, self._wear = moment.plant.size, moment.wear is not None
        self._random.seed(f"{size.seed} telematics")
        trucks = range(first_maker_trucks(size.trucks), size.trucks)
        self._vehicles = [{"vehicle": asset_name("truck", truck), "kind": "truck"} for truck in trucks]
        self._vehicles += [
            {"vehicle": asset_name("forklift", one), "kind": "forklift"} for one in range(size.forklifts)
        ]
        pair = self._authority.issue("rest-server", server=True)
        path = self._authority.folder / "rest.token"
        path.touch(mode=0o600)
        path.write_text(self._token, encoding="ascii")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.certificate, pair.key)

        @web.middleware
        async def guard(request: web.Request, handler: _Handler) -> web.StreamResponse:
            return await self._guard(request, handler)

        application = web.Application(middlewares=[guard])
        application.add_routes([web.get("/v1/vehicles", self._list_vehicles), web.get("/v1/reports", self._page)])
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=context).start()
        self._port = self._runner.addresses[0][1]

    async def publish(self, moment: Moment) -> None:
        """Add the reports of a step."""
        self._trucks(moment)
        self._forklifts(moment)

    async def stop(self) -> None:
        """Close all connections."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @property
    def address(self) -> dict[str, object]:
        """Where the service is, its authority's certificate, and the path of the token."""
        folder = self._authority.folder
        return {
            "endpoint": f"https://localhost:{self._port}/v1", "ca": str(self._authority.certificate),
            "token_file": str(folder / "rest.token"), "requests_a_second": self._rate, "wear": self._wear,
        }  # fmt: skip

    def _add(self, report: dict[str, object]) -> None:
        self._count += 1
        self._reports.append({"number": self._count, **report})

    def _trucks(self, moment: Moment) -> None:
        tracks, silent = moment.reports.tracks, moment.reports.silent
        first = first_maker_trucks(moment.plant.size.trucks)
        for place, when in enumerate(offset_text(tracks.time)):
            if tracks.truck[place] >= first and not silent[place]:
                self._add({
                    "vehicle": asset_name("truck", int(tracks.truck[place])), "time": when,
                    "position": {
                        "latitude": round(float(tracks.latitude[place]), 5),
                        "longitude": round(float(tracks.longitude[place]), 5),
                    },
                    "speed_mph": round(float(tracks.speed[place]) / _MILE, 1),
                    "odometer_mi": round(float(tracks.odometer[place]) / _MILE, 2),
                    "fuel_gal": round(float(tracks.fuel[place]) / _GALLON, 2),
                    **_temperatures(moment, place),
                })  # fmt: skip

    def _forklifts(self, moment: Moment) -> None:
        samples, offset = moment.forklifts, moment.plant.plan.forklifts.offset
        for place in range(len(samples.time)):
            times = offset_text(samples.time[place] + offset)
            for number, when in enumerate(times):
                if not moment.step.forklift_silent[place, number]:
                    self._add({
                        "vehicle": asset_name("forklift", number), "time": when,
                        "battery_pct": round(float(samples.battery[place, number]), 1),
                        "load_kg": round(float(samples.load[place, number])),
                        "mode": _MODES[int(samples.mode[place, number])],
                        **({} if moment.wear is None else {"volt": round(float(moment.wear.voltage[place, number]), 2)}),
                    })  # fmt: skip

    async def _guard(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """Refuse requests without the token, those beyond the rate, and some in a bad mood."""
        answer: web.StreamResponse
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {self._token}".encode()):
            answer = web.json_response({"error": "expected the header Authorization: Bearer TOKEN"}, status=401)
        elif (wait := self._wait()) > 0:
            headers = {"Retry-After": str(max(1, round(wait)))}
            answer = web.json_response({"error": "too many requests"}, status=429, headers=headers)
        elif self._bad_mood() and self._random.random() < 0.5:
            answer = web.json_response({"error": "try again later"}, status=self._random.choice((500, 502, 503, 504)))
        else:
            try:
                answer = await handler(request)
            except web.HTTPException as error:
                answer = web.json_response({"error": error.reason}, status=error.status)
        return answer

    def _wait(self) -> float:
        """Take a request from what is allowed; return the seconds to wait if nothing is left."""
        now = time.monotonic()
        self._allowed = min(2 * self._rate, self._allowed + (now - self._since) * self._rate)
        self._since = now
        if self._allowed < 1:
            return (1 - self._allowed) / self._rate
        self._allowed -= 1
        return 0.0

    def _bad_mood(self) -> bool:
        if self._mood_now is not None:
            return self._mood_now
        minute = int(time.monotonic() // 60)
        return random.Random(f"{self._port} {minute}").random() < self._moods  # noqa: S311

    async def _list_vehicles(self, _request: web.Request) -> web.Response:
        return web.json_response({"items": self._vehicles})

    async def _page(self, request: web.Request) -> web.Response:
        try:
            after, limit = int(request.query.get("after", "0")), int(request.query.get("limit", "100"))
        except ValueError:
            return web.json_response({"error": "expected whole numbers for after and limit"}, status=400)
        if after < 0 or not 1 <= limit <= _LARGEST_PAGE:
            text = f"expected after of at least 0, and limit from 1 to {_LARGEST_PAGE}"
            return web.json_response({"error": text}, status=400)
        oldest = self._count - len(self._reports) + 1
        first = max(0, after - oldest + 1)
        items = [self._reports[place] for place in range(first, min(first + limit, len(self._reports)))]
        last = items[-1]["number"] if items else max(after, oldest - 1)
        return web.json_response({"items": items, "next": last, "more": last != self._count, "oldest": oldest})


def _temperatures(moment: Moment, place: int) -> dict[str, object]:
    """Return the temperatures of a truck's report, in °F; none in a plant without failures."""
    if moment.wear is None:
        return {}
    brake, coolant = moment.wear.temperatures.brake[place], moment.wear.temperatures.coolant[place]
    return {"brake_f": round(float(brake) * 1.8 + 32), "coolant_f": round(float(coolant) * 1.8 + 32, 1)}
