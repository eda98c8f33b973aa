"""Fifty more questions about the parcel network, by somebody who hasn't read the parser; answers by pandas alone.

They are put to the whole demo, ``tl.demo("parcel")`` of thirteen weeks (2026-01-05 to 2026-04-06), which is where "now" is. A week ago,
"last week" and "yesterday" go back from there: 30 March to 5 April, and 5 April; a reader on the evening of Sunday, 5 April may mean
the calendar week before, 23 to 29 March, and 4 April.
"""

from __future__ import annotations

from tests.benchmarks.asked_third_parcels import (
    FEB,
    JAN,
    MAR,
    YESTERDAY,
    any_cancelled,
    cancelled_trips,
    carried,
    compliance,
    delays_by_hub,
    distance,
    emptiest,
    fastest,
    frozen_mean,
    furthest,
    last_value,
    late_hub,
    late_parcels,
    linked,
    missing,
    parcels,
    punctual_legs,
    punctual_legs_by_month,
    refuse,
    room_over,
    rooms_at,
    rooms_too_warm,
    span,
    state_share,
    state_time,
    stays,
    top_hubs,
    trip_counts,
    truck_position,
    trucks,
    warmer,
    where_is,
    worst_room,
)
from tests.benchmarks.asked_truth import Asked, Moment, Names, Number, held_back

PARCEL: list[Asked] = [
    held_back(
        "Which cold rooms got too warm last week?",
        rooms_too_warm,
        "any value above the limit, or 10 minutes as in the rule",
    ),
    held_back("for how long was R23 warmer than 8 degrees in February", room_over("R23", 8, FEB)),
    held_back("What was the average temperature of R05 in December 2025?", refuse, "the data begin on 5 January 2026"),
    held_back(
        "which trucks have a tank of 600 litres and a payload above 12 t?",
        trucks(lambda a: [Names(frozenset(a.index[(a["tank"] == 600) & (a["payload"] > 12000)]))]),
    ),
    held_back(
        "How many parcels were handed in at Hamburg in March?",
        parcels(lambda p: [Number(int(((p["origin"] == "HAM") & span(p["registered"], MAR)).sum()))]),
    ),
    held_back(
        "How many chilled parcels from Köln are still undelivered?",
        parcels(lambda p: [Number(int((p["chilled"] & (p["origin"] == "CGN") & p["delivered"].isna()).sum()))]),
    ),
    held_back("where is parcel 264383 now?", where_is("264383", None)),
    held_back("Where was parcel 100000 on 4 February 2026 at 18:00?", where_is("100000", "2026-02-04 18:00")),
    held_back("Which forklift has the lowest battery right now?", emptiest),
    held_back("What share of March did F12 spend charging?", state_share("forklift", "mode", "F12", (2,), MAR)),
    # Typo: cancelld.
    held_back("how many trips were cancelld in March?", cancelled_trips([MAR])),
    held_back("Which hub had the most trips leaving more than 30 minutes late in February?", late_hub),
    held_back(
        "What was the on-time delivery of legs to Berlin in March?",
        punctual_legs("BER", MAR),
        "of legs that have arrived, or of all",
    ),
    held_back(
        "distance driven by T042 in the week from 2 March to 8 March 2026",
        distance("T042", ("2026-03-02", "2026-03-09")),
    ),
    held_back("Which truck drove furthest in February?", furthest(FEB)),
    held_back("top 3 hubs by number of parcels handed in there", parcels(top_hubs)),
    held_back(
        "How many frozen cold rooms are there?",
        lambda f: [Number(int((f.assets("cold_room")["kind"] == "frozen").sum()))],
    ),
    held_back(
        "How long was the door of R39 open yesterday?",
        state_time("door", "R39", 1, YESTERDAY),
        "5 or 4 April",
    ),
    held_back("which truck was the fastest?", fastest, "with or without suspect values above 100 km/h"),
    held_back("average weight of chilled parcels", parcels(lambda p: [Number(p[p["chilled"]]["weight"].mean(), "kg")])),
    held_back("How many parcels weigh more than 25 kilos?", parcels(lambda p: [Number(int((p["weight"] > 25).sum()))])),
    # Typo: diesle.
    held_back("How much diesle is in the tank of T017 at the moment?", last_value("truck", "fuel", "T017", "L")),
    held_back("compressor running time of R16 in January", state_time("compressor", "R16", 1, [JAN])),
    held_back("Cold-chain compliance of R36 in March?", compliance("R36", MAR)),
    held_back(
        "How many parcels were delivered later than promised in February?",
        parcels(late_parcels),
        "February by each of the three times",
    ),
    held_back("How many parcels did T055 carry on 4 February?", carried("T055", ("2026-02-04", "2026-02-05"))),
    held_back("Was R36 warmer in March than in February on average?", warmer),
    held_back("Which cold rooms have gaps of more than one hour in their temperature?", missing),
    held_back("Who was driving T012 on 3 March?", refuse, "there are no drivers"),
    held_back("How humid was it in cold room R10 last Friday?", refuse),
    # German
    held_back("Wie lange stand die Tür von R22 im März offen?", state_time("door", "R22", 1, [MAR])),
    held_back("Wie viele Lkw sind in München stationiert?", linked("based_at", "MUC", count=True)),
    held_back("Welche Stapler arbeiten derzeit in Köln?", linked("works_at", "CGN")),
    held_back(
        "Wie viele Pakete wurden im Februar ausgeliefert?",
        parcels(lambda p: [Number(int(span(p["delivered"], FEB).sum()))]),
    ),
    # Typo: Durchschnitstemperatur.
    held_back("Durchschnitstemperatur der Tiefkühlräume im Januar", frozen_mean, "of all, or of each"),
    held_back(
        "Was war die tiefste Temperatur in R04?",
        lambda f: [Number(float(f.cells("cold_room", "temperature")["R04"].min()), "degC")],
        "the minimum",
    ),
    held_back(
        "Wann war es in R03 am wärmsten?",
        lambda f: (
            [Moment(frozenset(s.index[s == s.max()])) for s in (f.cells("cold_room", "temperature")["R03"],)]
            + [
                Moment(frozenset(s.index[s == s.max()].normalize()), day=True)
                for s in (f.cells("cold_room", "temperature")["R03"],)
            ]
        ),
    ),
    held_back("Wie viele Fahrten hat T009 im März gemacht?", trip_counts(MAR, asset="T009")),
    held_back(
        "Wie viele Fahrten gab es im Februar von Hamburg nach Berlin?",
        trip_counts(FEB, origin="HAM", destination="BER"),
    ),
    held_back("mittlere Abfahrtsverspätung je Hub im März", delays_by_hub),
    held_back("Wie viele Pakete liegen gerade in Frankfurt?", linked("held_at", "FRA", count=True)),
    held_back("Pünktlichkeit der Teilstrecken nach Monat", punctual_legs_by_month, "the KPI on_time_delivery"),
    held_back(
        "Wieviel Liter hatte T100 am 1. März um 12 Uhr im Tank?",
        last_value("truck", "fuel", "T100", "L", "2026-03-01 12:00"),
    ),
    held_back("Wie lange bleiben Pakete im Februar durchschnittlich in Frankfurt liegen?", stays, "mean or median"),
    held_back("Sind am 3. April Fahrten ausgefallen?", any_cancelled, "how many is as good as yes"),
    held_back(
        "Wo stand T012 am 2. März um 3 Uhr?", truck_position("T012", "2026-03-02 03:00"), "the hub, or coordinates"
    ),
    # Typos: vile, Stuttgard.
    held_back("Wie vile Kühlräume gehören zu Stuttgard?", rooms_at("STR")),
    held_back("Welcher Kühlraum lag im März am längsten über seinem Grenzwert?", worst_room),
    held_back("Welcher Kunde hat das Paket 10003 verschickt?", refuse, "there are no customers"),
    held_back("Wie hoch war der Reifendruck von T020 gestern?", refuse),
]
