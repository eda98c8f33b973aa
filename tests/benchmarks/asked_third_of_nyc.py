"""Fifty more questions about the air network of New York, by somebody who hasn't read the parser; answers by pandas alone.

Times are UTC, as the twin says. Unless a question says otherwise, "flights" that were cancelled count in one reading and don't in another,
and a flight is in a window by its planned or by its actual departure; a question that names arrivals may go by the arrival, too.
"""

from __future__ import annotations

from tests.benchmarks.asked_third_flights import (
    APR,
    AUG,
    DEC,
    FEB,
    JAN,
    JUL,
    JUN,
    MAR,
    MAY,
    NOV,
    OCT,
    YEAR,
    air_time,
    busiest_day,
    by_month,
    cancelled,
    cancelled_share,
    delay,
    delay_by,
    destinations_of,
    each,
    either,
    extreme,
    flights,
    flown,
    hours,
    last_seven_days,
    last_week,
    late,
    latest_arrivals,
    most,
    nobody_2012,
    planes,
    punctual_arrivals,
    punctual_by,
    punctual_departures,
    refuse,
    share_of_two,
    top,
    weather,
    worse_airline,
    worst_month,
)
from tests.benchmarks.asked_truth import Asked, Groups, Moment, Name, Names, Number, YesNo, held_back

NYC: list[Asked] = [
    held_back("How many flights took off from LaGuardia in June?", each(flown, JUN, origin="LGA")),
    held_back(
        "number of United flights scheduled out of Newark in the second quarter of 2013",
        each(either, ("2013-04-01", "2013-07-01"), "planned_start", airline="UA", origin="EWR"),
        "scheduled: all, or those that flew",
    ),
    # Typo: cancelations. Flights without departure.
    held_back(
        "which airline had the most cancelations in Janury",
        each(
            lambda t: [Name(frozenset({t[t["start"].isna()]["airline"].value_counts().idxmax()}))], JAN, "planned_start"
        ),
    ),
    held_back(
        "top 5 destinations from JFK by number of flights",
        each(lambda t: top(t, "destination", 5), YEAR, "planned_start", origin="JFK"),
    ),
    held_back(
        "mean arrival delay of Delta flights in July",
        each(lambda t: delay(t, "arrival_delay"), JUL, "planned_start start end", airline="DL"),
        "early arrivals negative, or zero",
    ),
    held_back(
        "What share of JetBlue flights arrived on time in August?",
        each(punctual_arrivals, AUG, "planned_start start end", airline="B6"),
        "of those with a delay, arrived, left or planned",
    ),
    held_back("On-time departures per airport in November", each(lambda t: punctual_by(t, "origin"), NOV)),
    held_back(
        "What was the cancellation rate at each of the three New York airports in February?",
        each(lambda t: cancelled_share(t, "origin"), FEB, "planned_start"),
    ),
    held_back(
        "How long was the average flight to Los Angeles in the air in October?",
        each(air_time, OCT, "planned_start start end", destination="LAX"),
        "mean, or median as in the twin's KPI",
    ),
    # A start and no end: diverted.
    held_back(
        "How many flights departed but have no arrival time?",
        lambda f: [Number(int((f.events("flight")["start"].notna() & f.events("flight")["end"].isna()).sum()))],
    ),
    held_back(
        "How hot did it get at JFK in July?", weather(lambda c: [Number(c["JFK"].max(), "degC")], "temperature", JUL)
    ),
    held_back("When was the coldest hour of the year in Newark?", weather(extreme("min", "EWR"), "temperature")),
    # 0.6 miles are 0.9656 km; no value is near it (0.5 miles would be a value of its own).
    held_back(
        "How many hours was visibility below 0.6 miles at LGA in December?",
        weather(lambda c: hours((c["LGA"] < 0.9656064).sum()), "visibility", DEC),
    ),
    held_back(
        "total precipitation at Newark in June in inches",
        weather(lambda c: [Number(c["EWR"].sum(), "mm")], "precipitation", JUN),
    ),
    held_back(
        "average wind speed by airport, March 2013",
        weather(lambda c: [Groups(c.mean().to_dict(), "m/s")], "wind_speed", MAR),
    ),
    held_back(
        "Was it ever below -11 °C at LaGuardia in January?",
        weather(lambda c: [YesNo(bool((c["LGA"] < -11).any()))], "temperature", JAN),
    ),
    held_back(
        "On which day was the strongest gust at JFK?",
        weather(
            lambda c: [
                Moment(frozenset({c["JFK"].idxmax().normalize()}), day=True),
                Moment(frozenset({c["JFK"].idxmax()})),
            ],
            "wind_gust",
        ),
    ),
    # 60 mph are 26.8224 m/s.
    held_back(
        "Which airports saw gusts above 60 mph?",
        weather(lambda c: [Names(frozenset(c.columns[(c > 26.8224).any()]))], "wind_gust"),
    ),
    held_back(
        "How many flights left Newark in the last 7 days?",
        last_seven_days,
        "seven days before each thing that may be called the end of the data",
    ),
    held_back("Which month had the worst on-time departures?", worst_month),
    held_back("How many different destinations did Southwest fly to?", destinations_of("WN")),
    held_back(
        "Compare the average departure delay of EWR, JFK and LGA in July",
        each(lambda t: delay_by(t, "origin", "departure_delay"), JUL),
        "early departures negative, or zero",
    ),
    held_back("Who is late more often, JetBlue or Delta?", worse_airline, "each usual limit names the same"),
    held_back(
        "How many flights arrived more than 3 hours late in July?",
        each(lambda t: late(t, "arrival_delay", 180), JUL, "planned_start start end planned_end"),
    ),
    # Typo: honululu.
    held_back("flights to honululu per month", lambda f: by_month(flights(f, destination="HNL"))),
    held_back(
        "How many kilometres did N328AA fly in April?",
        each(
            lambda t: [
                Number(t[t["start"].notna()]["distance"].sum(), "km"),
                Number(t["distance"].sum(), "km"),
                Number(t[t["end"].notna()]["distance"].sum(), "km"),
            ],
            APR,
            asset="N328AA",
        ),
        "with and without flights that never left",
    ),
    held_back(
        "which plane worked hardest in May, i.e. made the most flights?",
        each(lambda t: most(t, "asset"), MAY),
        "the question says how it is meant",
    ),
    # Hours of July without a value.
    held_back(
        "How many hours of pressure readings are missing at JFK in July?",
        weather(lambda c: hours(c["JFK"].isna().sum()), "pressure", JUL),
    ),
    held_back(
        "How many passengers flew to Boston in March?",
        refuse,
        "there are no passengers; seats of an aircraft aren't people",
    ),
    held_back("What did a ticket to Miami cost on average in the first week of May?", refuse),
    # German
    held_back("Wie viele Flüge starteten 2012 von JFK?", nobody_2012, "the data begin in 2013"),
    held_back(
        "Welche Airline fliegt am häufigsten ab LaGuardia?",
        each(lambda t: most(t, "airline"), YEAR, "planned_start", origin="LGA"),
    ),
    held_back(
        "Wie viele Flüge sind am 9. Februar 2013 ausgefallen?",
        each(cancelled, ("2013-02-09", "2013-02-10"), "planned_start"),
    ),
    held_back(
        "Durchschnittstemperatur in Newark im Juli",
        weather(lambda c: [Number(c["EWR"].mean(), "degC")], "temperature", JUL),
    ),
    held_back(
        "Wann war es in LaGuardia am wärmsten?",
        weather(extreme("max", "LGA"), "temperature"),
        "three hours are equally warm",
    ),
    held_back(
        "Wieviel Prozent der Abflüge ab Newark waren im Dezember pünktlich?",
        each(punctual_departures, DEC, origin="EWR"),
    ),
    held_back(
        "Wie lange lag die Sicht in JFK im Januar unter 1 km?",
        weather(lambda c: hours((c["JFK"] < 1).sum()), "visibility", JAN),
    ),
    held_back(
        "Welche Flugzeuge haben vier Triebwerke?", planes(lambda a: [Names(frozenset(a.index[a["engines"] == 4]))])
    ),
    held_back("Zeig mir die drei Flüge mit der größten Ankunftsverspätung", latest_arrivals),
    held_back(
        "Gab es im Mai irgendwo Böen über 25 m/s?",
        weather(lambda c: [YesNo(bool((c > 25).any().any()))], "wind_gust", MAY),
    ),
    held_back(
        "Wie hoch liegt der Flughafen Denver?", lambda f: [Number(f.assets("airport").loc["DEN", "altitude"], "m")]
    ),
    held_back(
        "Niederschlag in JFK pro Monat",
        weather(
            lambda c: [
                Groups({k.to_period("M").to_timestamp(): v for k, v in c["JFK"].resample("MS").sum().items()}, "mm")
            ],
            "precipitation",
        ),
        "a sum",
    ),
    held_back(
        "An wie vielen Tagen war es in Newark heißer als 33 Grad?",
        weather(
            lambda c: [
                Number(int((c["EWR"].resample("D").max() > 33).sum())),
                Number(int((c["EWR"].resample("D").max() > 33).sum()), "d"),
            ],
            "temperature",
        ),
        "days of UTC",
    ),
    held_back("Vergleiche die Ausfallquote von American und United im Juni", each(share_of_two, JUN, "planned_start")),
    # Typos: mitlere, Luftfeuchtigkiet.
    held_back(
        "Wie hoch war die mitlere Luftfeuchtigkiet in LGA im August?",
        weather(lambda c: [Number(c["LGA"].mean(), "%")], "relative_humidity", AUG),
    ),
    # Typos: Wieviele, Abflugverspätug.
    held_back(
        "Wieviele Flüge hatten im Juli mehr als 2 h Abflugverspätug?",
        each(lambda t: late(t, "departure_delay", 120), JUL),
    ),
    held_back(
        "Wie viele Flüge sind in der letzten Woche ausgefallen?",
        last_week,
        "the calendar week or seven days, before each end of the data",
    ),
    held_back("An welchem Tag starteten die meisten Flüge?", busiest_day, "planned or actual departures"),
    held_back(
        "Wie warm war es am 4. Juli am Flughafen Chicago O'Hare?",
        refuse,
        "only the three airports of New York have weather",
    ),
    held_back("Wie viel Kerosin hat United im Mai verbraucht?", refuse),
]
