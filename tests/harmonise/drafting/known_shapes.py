"""Small files in the shapes of well-known public data sets: set -> name of a file -> its text. All values are made up."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

Files = dict[str, str]
SHAPES: dict[str, Callable[[], Files]] = {}


def shape(make: Callable[[], Files]) -> Callable[[], Files]:
    """Add a set to `SHAPES`, under the name of its function."""
    SHAPES[make.__name__] = make
    return make


def lines(header: str, rows: Iterable[Iterable[object]], sep: str = ",") -> str:
    """A table as text."""
    return "\n".join([header, *(sep.join(map(str, row)) for row in rows)]) + "\n"


def hours(start: str, count: int, step: timedelta = timedelta(hours=1)) -> list[datetime]:
    """Instants in equal steps."""
    return [datetime.fromisoformat(start) + i * step for i in range(count)]


def wave(i: float, low: float, high: float, digits: int = 1) -> float:
    """A daily curve between two values."""
    return round(low + (high - low) * (0.5 + 0.45 * math.sin(i / 3.8) + 0.04 * math.sin(i * 1.7)), digits)


@shape
def air_quality() -> Files:
    """Italian air monitor: semicolons, decimal commas, clock with dots, -200 for no value, empty columns at the end."""

    def comma(value: float) -> str:
        return str(value).replace(".", ",")

    rows = [
        (t.strftime("%d/%m/%Y"), t.strftime("%H.%M.%S"), -200 if i % 17 == 3 else comma(wave(i, 0.5, 6)), int(wave(i, 800, 1700)),
         -200 if i % 9 else int(wave(i, 40, 300)), comma(wave(i, 2, 30)), int(wave(i, 60, 500)), comma(wave(i, 5, 35)), comma(wave(i, 20, 80)),
         comma(wave(i, 0.4, 1.8, 4)), "", "")
        for i, t in enumerate(hours("2004-03-10T18:00", 300))
    ]  # fmt: skip
    return {"AirQuality.csv": lines("Date;Time;CO(GT);PT08.S1(CO);NMHC(GT);C6H6(GT);NOx(GT);T;RH;AH;;", rows, ";")}


@shape
def household_power() -> Files:
    """A house's mains: date and clock, semicolons, ? for no value."""
    rows = [
        (f"{t.day}/{t.month}/{t.year}", t.strftime("%H:%M:%S"), *(["?"] * 6 + [""] if i % 40 == 7 else [wave(i, 0.2, 6, 3), wave(i, 0, 0.5, 3),
         wave(i, 233, 243, 2), wave(i, 1, 25, 1), f"{i % 2}.000", f"{wave(i, 0, 18, 0):.3f}", f"{wave(i, 0, 18, 0):.3f}"]))
        for i, t in enumerate(hours("2006-12-16T17:24", 400, timedelta(minutes=1)))
    ]  # fmt: skip
    head = "Date;Time;Global_active_power;Global_reactive_power;Voltage;Global_intensity;Sub_metering_1;Sub_metering_2;Sub_metering_3"
    return {"household_power_consumption.txt": lines(head, rows, ";")}


@shape
def smart_meters() -> Files:
    """London's smart meters: a row a household and half hour, Null among the numbers, tariff."""
    rows = [
        (f"MAC{meter:06d}", "Std" if meter % 2 else "ToU", t.strftime("%Y-%m-%d %H:%M:%S.0000000"), "Null" if i == 30 else f" {wave(i + meter, 0.05, 1.5, 3)} ")
        for meter in (2, 3, 7, 11)
        for i, t in enumerate(hours("2012-10-12T00:30", 96, timedelta(minutes=30)))
    ]  # fmt: skip
    return {"LCL-June2015v2_0.csv": lines("LCLid,stdorToU,DateTime,KWH/hh (per half hour) ", rows)}


@shape
def on_time_flights() -> Files:
    """On-time performance of airlines: a row a flight, planned and actual clocks as hhmm, delays, causes."""
    rng = random.Random(1)
    rows = []
    for i in range(240):
        day = datetime(2019, 1, 1) + timedelta(days=i // 30)
        dep = 6 * 60 + (i * 37) % 900
        late = rng.choice([-4, -2, 0, 3, 12, 45])
        length = 60 + (i * 13) % 150
        gone = i % 61 == 5
        clock = lambda minutes: f"{minutes // 60 % 24:02d}{minutes % 60:02d}"  # noqa: E731
        actual = (
            ["", "", "", ""] if gone else [clock(dep + late), f"{late}.00", clock(dep + length + late), f"{late}.00"]
        )
        rows.append(
            (day.year, 1, day.month, day.day, day.isoweekday(), day.strftime("%Y-%m-%d"), ["AA", "DL", "UA"][i % 3], f"N{100 + i % 40}AA", 100 + i % 30,
             ["JFK", "LAX", "ORD", "ATL"][i % 4], ["SFO", "BOS", "DEN"][i % 3], clock(dep), *actual[:2], clock(dep + length), *actual[2:],
             f"{int(gone)}.00", "B" if gone else "", "0.00", f"{length}.00", 300 + (7 * i) % 900)
        )  # fmt: skip
    head = (
        "Year,Quarter,Month,DayofMonth,DayOfWeek,FlightDate,Reporting_Airline,Tail_Number,Flight_Number_Reporting_Airline,Origin,Dest,"
        "CRSDepTime,DepTime,DepDelay,CRSArrTime,ArrTime,ArrDelay,Cancelled,CancellationCode,Diverted,CRSElapsedTime,Distance"
    )
    return {"On_Time_Reporting_2019_1.csv": lines(head, rows)}


@shape
def usgs_rdb() -> Files:
    """USGS: comments, names, formats, codes of qualifiers, Ice among numbers, a column of zones."""
    rows = [
        ("USGS", "01646500", t.strftime("%Y-%m-%d %H:%M"), "EST", "Ice" if i % 50 == 9 else int(wave(i, 3000, 9000)), "P:e" if i % 50 == 9 else "P", wave(i, 2, 7, 2), "P")
        for i, t in enumerate(hours("2024-01-05T00:00", 200, timedelta(minutes=15)))
    ]  # fmt: skip
    names = "agency_cd\tsite_no\tdatetime\ttz_cd\t69928_00060\t69928_00060_cd\t69929_00065\t69929_00065_cd"
    head = f"# Data provided for site 01646500\n#\n{names}\n5s\t15s\t20d\t6s\t14n\t10s\t14n\t10s"
    return {"potomac.rdb": lines(head, rows, "\t")}


@shape
def global_hourly() -> Files:
    """NOAA's hourly weather: packed values such as "+0056,1" with 9s for no value."""
    rows = [
        ("72503014732", t.strftime("%Y-%m-%dT%H:%M:%S"), 7, "40.7792", "-73.88", "3.4", '"LA GUARDIA AIRPORT, NY US"', "FM-15",
         f'"{(i * 10) % 360:03d},1,N,{(i * 3) % 120:04d},1"', f'"{"+9999,9" if i % 40 == 5 else f"{int(wave(i, -50, 150)):+05d},1"}"', f'"{int(wave(i, -80, 60)):+05d},1"', f'"{int(wave(i, 10050, 10300)):05d},1"')
        for i, t in enumerate(hours("2023-01-01T00:51", 200))
    ]  # fmt: skip
    return {
        "72503014732.csv": lines(
            "STATION,DATE,SOURCE,LATITUDE,LONGITUDE,ELEVATION,NAME,REPORT_TYPE,WND,TMP,DEW,SLP", rows
        )
    }


@shape
def deliveries() -> Files:
    """Parcels of a delivery service: planned window, scan and hand-over, with positions."""
    rng = random.Random(2)
    rows = []
    for i in range(200):
        made = datetime(2023, 5, 1, 7) + timedelta(minutes=37 * i)
        due = made + timedelta(hours=26)
        done = due + timedelta(minutes=rng.choice([-50, -10, 15, 90]))
        rows.append(
            (f"PKG{100000 + i}", f"C{i % 12:03d}", "City-" + "ABC"[i % 3], round(31 + i % 50 / 100, 5), round(121 + i % 40 / 100, 5), made.strftime("%m/%d/%Y %H:%M"),
             due.strftime("%m/%d/%Y %H:%M"), "" if i % 37 == 4 else done.strftime("%m/%d/%Y %H:%M"), "In Transit" if i % 37 == 4 else "Delivered", round(0.3 + i % 70 / 10, 1))
        )  # fmt: skip
    return {
        "delivery_orders.csv": lines(
            "order_id,courier_id,city,lat,lng,accept_time,promised_delivery_time,delivery_time,status,weight_kg", rows
        )
    }


@shape
def supply_chain() -> Files:
    """Orders of a web shop, 34 columns: prices, two dates, customers, labels of late delivery."""
    head = (
        "Type,Days for shipping (real),Days for shipment (scheduled),Benefit per order,Sales per customer,Delivery Status,Late_delivery_risk,Category Id,"
        "Category Name,Customer City,Customer Country,Customer Id,Customer Segment,Customer Zipcode,Department Id,Department Name,Latitude,Longitude,Market,"
        "Order City,Order Country,Order Customer Id,order date (DateOrders),Order Id,Order Item Discount,Order Item Id,Order Item Product Price,"
        "Order Item Quantity,Sales,Order Item Total,Order Status,Product Name,shipping date (DateOrders),Shipping Mode"
    )
    rows = []
    for i in range(240):
        order = datetime(2017, 10, 14, 8) + timedelta(minutes=47 * (i // 2))
        real, planned = 2 + i // 2 % 5, 2 + i // 2 % 3
        sent = order + timedelta(days=real)
        price = 20 + 7 * (i % 30) + 0.99
        stamp = lambda t: f"{t.month}/{t.day}/{t.year} {t.hour}:{t.minute:02d}"  # noqa: E731
        rows.append(
            (["DEBIT", "CASH", "TRANSFER"][i // 2 % 3], real, planned, round(price / 7 - 9, 2), round(price * 2, 2),
             "Late delivery" if real > planned else "Shipping on time", int(real > planned), 70 + i % 5, "Sporting Goods", "Caguas", "Puerto Rico", 2000 + i // 2 % 60,
             "Consumer", 725 + i % 9, 2, "Fitness", round(18.2 + i % 40 / 100, 6), round(-66 - i % 40 / 100, 6), "Pacific Asia", "Bekasi", "Indonesia", 2000 + i // 2 % 60,
             stamp(order), 77000 + i // 2, round(price / 10, 2), 180000 + i, price, 2, round(price * 2, 2), round(price * 1.9, 2), ["COMPLETE", "PENDING", "CLOSED"][i // 2 % 3],
             f"Smart watch {i % 4}", stamp(sent), "Standard Class" if i % 3 else "First Class")
        )  # fmt: skip
    return {"SupplyChainOrders.csv": lines(head, rows)}


@shape
def pi_export() -> Files:
    """A historian's export: a row a tag and time, digital states among the numbers."""
    rows = [
        (tag, t.strftime("%d-%b-%Y %H:%M:%S"), "Bad Input" if (i + k) % 31 == 5 else "I/O Timeout" if (i + k) % 47 == 8 else wave(i + k, *span), unit)
        for k, (tag, span, unit) in enumerate([("FIC101.PV", (20, 90), "m3/h"), ("TI102.PV", (60, 95), "degC"), ("PI103.PV", (2, 9), "bar")])
        for i, t in enumerate(hours("2021-07-01T00:00", 120, timedelta(minutes=5)))
    ]  # fmt: skip
    return {"pi_archive.csv": lines("Tag,Timestamp,Value,Units", rows)}


@shape
def metar() -> Files:
    """Iowa State's METAR download: M for missing, T for trace, one row a station and time."""
    rows = [
        (station, t.strftime("%Y-%m-%d %H:%M"), "M" if i % 23 == 4 else wave(i, 30, 70), wave(i, 20, 50), wave(i, 40, 95, 2), f"{(i * 10) % 360}.00",
         f"{i % 20}.00", "T" if i % 19 == 2 else "0.00", wave(i, 29.7, 30.3, 2), "10.00", "M" if i % 5 else wave(i, 20, 35, 2), "CLR" if i % 2 else "OVC", f"{station} {i:02d}51Z AUTO")
        for station in ("DSM", "AMW")
        for i, t in enumerate(hours("2023-04-01T00:53", 120))
    ]  # fmt: skip
    return {"asos.csv": lines("station,valid,tmpf,dwpf,relh,drct,sknt,p01i,alti,vsby,gust,skyc1,metar", rows)}


@shape
def telematics() -> Files:
    """A fleet as JSON lines: position nested, odometer, ignition."""
    import json

    rows = [
        {"vehicle": {"id": f"00{truck}"}, "ts": f"{t.isoformat()}Z", "gps": {"lat": round(52 + i / 500, 5), "lon": round(13 + truck / 10 + i / 400, 5), "speed_kmh": i % 90},
         "odometer_km": 120000 + truck * 1000 + i, "ignition": "on" if i % 7 else "off", "fuel_pct": round(90 - i / 5, 1)}
        for i, t in enumerate(hours("2024-02-01T06:00", 100, timedelta(minutes=2)))
        for truck in (3, 4, 9)
    ]  # fmt: skip
    return {"fleet.jsonl": "\n".join(map(json.dumps, rows)) + "\n"}


@shape
def predictive_maintenance() -> Files:
    """Machines in five files: telemetry, errors, maintenance, failures and the list of machines."""
    times = hours("2015-01-01T06:00", 72)
    day = [t for t in times if t.hour == 6]
    telemetry = [
        (t, m, wave(i + m, 150, 190, 6), wave(i, 400, 500, 6), wave(i, 90, 110, 6), wave(i, 35, 45, 6))
        for m in range(1, 7)
        for i, t in enumerate(times)
    ]
    return {
        "PdM_telemetry.csv": lines("datetime,machineID,volt,rotate,pressure,vibration", telemetry),
        "PdM_errors.csv": lines(
            "datetime,machineID,errorID",
            [(times[(7 * k + m) % 72], m, f"error{1 + (k + m) % 5}") for m in range(1, 7) for k in range(6)],
        ),
        "PdM_maint.csv": lines(
            "datetime,machineID,comp",
            [(day[k % 3], m, f"comp{1 + (k + m) % 4}") for m in range(1, 7) for k in range(2)],
        ),
        "PdM_failures.csv": lines(
            "datetime,machineID,failure", [(day[m % 3], m, f"comp{1 + m % 4}") for m in range(1, 7)]
        ),
        "PdM_machines.csv": lines("machineID,model,age", [(m, f"model{1 + m % 4}", 18 - m) for m in range(1, 7)]),
    }


@shape
def city_pm25() -> Files:
    """Five cities' fine dust: row number, year, month, day and hour, NA, wind direction in words."""
    rows = [
        (i + 1, t.year, t.month, t.day, t.hour, "NA" if i < 24 else int(wave(i, 10, 300)), -21 + i % 6, wave(i, -12, 3, 0), wave(i, 1015, 1030, 0), ["NW", "cv", "NE", "SE"][i // 5 % 4],
         wave(i, 0.5, 40, 2), 0, 0)
        for i, t in enumerate(hours("2010-01-01T00:00", 300))
    ]  # fmt: skip
    return {"BeijingPM.csv": lines("No,year,month,day,hour,pm2.5,DEWP,TEMP,PRES,cbwd,Iws,Is,Ir", rows)}


@shape
def building_meters() -> Files:
    """A meter a building: a wide matrix of readings, and a file that describes the buildings."""
    names = [
        "Panther_office_Karla",
        "Panther_education_Jerome",
        "Robin_lodging_Elmer",
        "Fox_office_Vicky",
        "Fox_parking_Tommie",
    ]
    rows = [
        (t, *("" if i % 29 == k else wave(i + k, 10 + k, 200) for k in range(len(names))))
        for i, t in enumerate(hours("2016-01-01T00:00", 120))
    ]
    about = [
        (
            name,
            name.split("_")[0],
            name.split("_")[1].title(),
            1000.5 + 100 * k,
            "US/Eastern",
            28.5 + k,
            -81.25 - k,
            1990 + k,
        )
        for k, name in enumerate(names)
    ]
    return {
        "electricity.csv": lines(",".join(["timestamp", *names]), rows),
        "metadata.csv": lines("building_id,site_id,primaryspaceusage,sqm,timezone,lat,lng,yearbuilt", about),
    }


@shape
def sites_by_file() -> Files:
    """One file a station, of one layout."""
    return {
        ["Aotizhongxin", "Changping", "Dingling"][k].join(["PRSA_Data_", "_20130301-20170228.csv"]): lines(
            "No,year,month,day,hour,PM2.5,TEMP,wd,station",
            [(i + 1, t.year, t.month, t.day, t.hour, wave(i + k, 3, 90, 0), wave(i, -3, 9), ["NNW", "N", "E"][i // 4 % 3], ["Aotizhongxin", "Changping", "Dingling"][k])
             for i, t in enumerate(hours("2013-03-01T00:00", 100))],
        )
        for k in range(3)
    }  # fmt: skip


@shape
def houses_by_file() -> Files:
    """One file a house, nothing in the rows says which."""
    return {
        f"{name}.csv": lines(
            "time,temp_c,humidity_pct",
            [
                (f"{t.isoformat()}Z", wave(i + k, 15, 24), wave(i, 30, 60))
                for i, t in enumerate(hours("2020-01-01T00:00", 80))
            ],
        )
        for k, name in enumerate(["kitchen", "cellar", "attic", "garage"])
    }


@shape
def hobo_events() -> Files:
    """A HOBOware export with the logger's own events."""
    rows = [
        (i + 1, t.strftime("%m/%d/%y %I:%M:%S %p"), "" if i in (50, 79) else wave(i, 60, 80, 3), "" if i in (50, 79) else wave(i, 30, 60, 2), "Logged" if i == 50 else "", "Logged" if i in (78, 79) else "", "Logged" if i == 79 else "")
        for i, t in enumerate(hours("2021-05-01T10:00", 80, timedelta(minutes=10)))
    ]  # fmt: skip
    head = (
        '"Plot Title: creek_7"\n"#","Date Time, GMT-05:00","Temp, °F (LGR S/N: 2011, SEN S/N: 2012)","RH, % (LGR S/N: 2011, SEN S/N: 2012)",'
        '"Coupler Attached (LGR S/N: 2011)","Host Connected (LGR S/N: 2011)","End Of File (LGR S/N: 2011)"'
    )
    return {"creek_7.csv": lines(head, rows)}


@shape
def labelled_bench() -> Files:
    """A pump test bench: a semicolon file with anomaly and changepoint beside the measurements."""
    rows = [
        (t.strftime("%Y-%m-%d %H:%M:%S"), wave(i, 0.02, 0.03, 6), wave(i, 0.9, 1.3, 5), round(0.05 + i / 1e4, 6), wave(i, 70, 72, 4), wave(i, 25, 26, 4), f"{float(200 < i < 300)}", f"{float(i in (201, 299))}")
        for i, t in enumerate(hours("2020-03-09T10:14:33", 400, timedelta(seconds=1)))
    ]  # fmt: skip
    return {
        "valve1.csv": lines(
            "datetime;Accelerometer1RMS;Current;Pressure;Temperature;Thermocouple;anomaly;changepoint", rows, ";"
        )
    }


@shape
def corrected_levels() -> Files:
    """A stream gauge: raw and corrected values side by side."""
    rows = [
        (
            f"{t.isoformat()}-07:00",
            wave(i, 1, 2, 3),
            round(wave(i, 1, 2, 3) + 0.02, 3),
            wave(i, 4, 9, 2),
            wave(i, 4, 9, 2),
        )
        for i, t in enumerate(hours("2019-06-01T00:00", 200, timedelta(minutes=15)))
    ]
    return {"gauge_12.csv": lines("DateTime,stage_m_raw,stage_m_corrected,temp_c_raw,temp_c_corrected", rows)}


@shape
def influx() -> Files:
    """Line protocol: tags name the asset."""
    rows = [
        f"climate,site=north,sensor=s{k} temp_c={wave(i + k, 10, 20)},humidity={wave(i, 40, 60)} {1700000000000000000 + (i * 60 + 7 * k) * 10**9}"
        for i in range(60)
        for k in range(3)
    ]
    return {"climate.lp": "\n".join(rows) + "\n"}


@shape
def installed_meters() -> Files:
    """Meters with the dates of installation and removal, and their readings."""
    readings = [
        (f"{t.isoformat()}Z", meter, 100 * k + 2 * i)
        for k, meter in enumerate(("M-1", "M-2", "M-3"))
        for i, t in enumerate(hours("2022-01-01T00:00", 60))
    ]
    return {
        "readings.csv": lines("time,meter,energy_kwh", readings),
        "meters.csv": lines(
            "meter,model,installed,removed,location",
            [
                ("M-1", "A", "2021-05-04", "", "Hall"),
                ("M-2", "B", "2021-06-01", "2022-01-02", "Yard"),
                ("M-3", "A", "2022-01-01", "", "Gate"),
            ],
        ),
    }


@shape
def event_rows() -> Files:
    """One table with readings and alarms in turn: a column says which."""
    rows = [
        (f"{t.isoformat()}Z", "press_1", "ALARM", "", f"E{10 + i % 3}") if i % 9 == 4 else (f"{t.isoformat()}Z", "press_1", "READING", wave(i, 4, 7), "")
        for i, t in enumerate(hours("2022-01-01T00:00", 200, timedelta(minutes=5)))
    ]  # fmt: skip
    return {"press.csv": lines("time,machine,record_type,pressure_bar,alarm_code", rows)}
