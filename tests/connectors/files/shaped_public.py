"""Tables in the shapes of further public files, with what is messy in them; what is in them is made up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from shaped import DAY, FIRST, HOUR, MINUTE, Case, N, de, rows, span, v, x, y

HALF = timedelta(minutes=30)
HOURLY, DAILY, MINUTES = span(), span(DAY), span(MINUTE)
DECEMBER = datetime(2022, 12, 16, tzinfo=UTC)
MONTHLY = ("2000-01-01T00:00:00", "2005-12-01T00:00:00")
PSL = " 1950 2009\n" + "".join(f"{1950 + k} " + " ".join(f"{x(12 * k + m):7.2f}" for m in range(12)) + "\n" for k in range(60)) + "  -99.99\n NINA34\n 5N-5S 170W-120W\n HadISST\n"  # fmt: skip
FED = (
    '"Series Description","Federal funds (effective)","Prime rate"\n"Unit:","Percent:_Per_Year","Percent:_Per_Year"\n"Multiplier:","1","1"\n"Currency:","NA","NA"\n'
    '"Unique Identifier: ","H15/H15/RIFSPFF_N.D","H15/H15/RIFSPBLP_N.D"\n"Time Period","RIFSPFF_N.D","RIFSPBLP_N.D"\n'
)  # fmt: skip
BUNDESBANK = (
    '"";BBEX3.D.USD.EUR;BBEX3.D.USD.EUR_FLAGS;BBEX3.D.GBP.EUR;BBEX3.D.GBP.EUR_FLAGS\n"";"Euro-Referenzkurs USD";"";"Euro-Referenzkurs GBP";""\n'
    'Einheit;USD;;GBP;\nDimension;eins;;eins;\nStand vom;04.03.2024 16:00:00;;04.03.2024 16:00:00;\n'
)  # fmt: skip
NSRDB = (
    "Source,Location ID,City,State,Country,Latitude,Longitude,Time Zone,Elevation,Local Time Zone,Dew Point Units\n"
    "NSRDB,151548,-,-,-,40.57,-105.10,0,1612,-7,c\nYear,Month,Day,Hour,Minute,GHI,DHI,Temperature,,,\n"
)  # fmt: skip
PVGIS = (
    "Latitude (decimal degrees):\t45.000\nLongitude (decimal degrees):\t8.000\nElevation (m):\t250\nRadiation database:\tPVGIS-SARAH2\n\n\n"
    "time,G(i),H_sun,T2m,WS10m,Int\n"
)  # fmt: skip
PVGIS_END = "\nG(i): Global irradiance on the inclined plane (W/m2)\nH_sun: Sun height (degree)\n\nPVGIS (c) European Union, 2001-2024\n"
UKAIR = "Data supplied by UK-AIR on 4/3/2024\nAll data GMT hour ending\nStatus: R = Ratified / P = Provisional\n,,London Marylebone Road,,\n"
IMF = (
    "WEO Country Code\tISO\tCountry\tSubject Descriptor\tUnits\tScale\t"
    + "\t".join(map(str, range(1990, 2024)))
    + "\tEstimates Start After\n"
)

PUBLIC_TABLES = {
    "jena climate": Case("jena_climate.csv", rows(lambda i, t: f"{t:%d.%m.%Y %H:%M:%S},{996 + i % 9}.52,{v(i)},{-9999.0 if i in (9, 30) else x(i) / 9:.2f}", 10 * MINUTE, '"Date Time","p (mbar)","T (degC)","wv (m/s)"\n', first=DECEMBER), ("p (mbar)", "T (degC)", "wv (m/s)"), "Date Time", span(10 * MINUTE, first=DECEMBER)),
    "global temperature": Case("monthly.csv", "Source,Year,Mean\n" + "".join(f"{s},{2000 + i // 12}-{i % 12 + 1:02},{x(i + k) / 20:.4f}\n" for k, s in enumerate(("GCAG", "GISTEMP")) for i in range(N)), ("Mean",), "Year", MONTHLY, "Source", 2 * N),
    "exchange rates without names": Case("exchange_rate.txt", rows(lambda i, t: f"{x(i) / 25:.6f},{x(i + 3) / 10:.6f},{y(i) / 800:.6f}"), ("c0", "c1", "c2"), None, None),
    "minimum temperatures": Case("daily-min-temperatures.csv", rows(lambda i, t: f'"{t:%Y-%m-%d}",{"?" if i == 20 else ""}{x(i) / 2:.1f}', DAY, '"Date","Daily minimum temperatures in Melbourne"\n', "\nDaily minimum temperatures in Melbourne, Australia, 1981-1990\n"), ("Daily minimum temperatures in Melbourne",), "Date", DAILY, events=N - 1, dead=2),
    "tetouan power": Case("powerconsumption.csv", rows(lambda i, t: f"{t.month}/{t.day}/{t.year} {t.hour}:{t:%M},{v(i)},{y(i) * 20:.5f}", 10 * MINUTE, "DateTime,Temperature,PowerConsumption_Zone1\n", first=DECEMBER), ("Temperature", "PowerConsumption_Zone1"), "DateTime", span(10 * MINUTE, first=DECEMBER)),
    "seoul bikes": Case("SeoulBikeData.csv", rows(lambda i, t: f"{t:%d/%m/%Y},{int(y(i))},{t.hour},{v(i)},{40 + i % 30},0.{i % 9},Winter,No Holiday,Yes", head="Date,Rented Bike Count,Hour,Temperature(°C),Humidity(%),Wind speed (m/s),Seasons,Holiday,Functioning Day\n", first=DECEMBER).encode("cp1252"), ("Rented Bike Count", "Temperature(°C)", "Humidity(%)", "Wind speed (m/s)"), "Date + Hour", span(first=DECEMBER)),
    "steel industry": Case("Steel_industry_data.csv", rows(lambda i, t: f"{t:%d/%m/%Y %H:%M},{v(i)},{i % 9}.1,{(t.hour * 60 + t.minute) * 60},Weekday,{t:%A},Light_Load", timedelta(minutes=15), "date,Usage_kWh,CO2(tCO2),NSM,WeekStatus,Day_of_week,Load_Type\n", first=DECEMBER), ("Usage_kWh", "CO2(tCO2)"), "date", span(timedelta(minutes=15), first=DECEMBER), maybe=("NSM",)),
    "parking birmingham": Case("dataset.csv", "SystemCodeNumber,Capacity,Occupancy,LastUpdated\n" + "".join(f"{s},{c},{int(x(i + c)) * 9},{FIRST + i * HALF:%Y-%m-%d %H:%M:%S}\n" for s, c in (("BHMBCCMKT01", 577), ("BHMEURBRD01", 470)) for i in range(N)), ("Occupancy",), "LastUpdated", span(HALF), "SystemCodeNumber", 2 * N, maybe=("Capacity",)),
    "room occupancy": Case("Occupancy_Estimation.csv", rows(lambda i, t: f"{t:%Y/%m/%d},{t:%H:%M:%S},{v(i)},{100 + i % 30},{i % 3 / 10}", 30 * timedelta(seconds=1), "Date,Time,S1_Temp,S1_Light,S1_Sound\n"), ("S1_Temp", "S1_Light", "S1_Sound"), "Date + Time", span(30 * timedelta(seconds=1))),
    "psl index": Case("nino34.long.anom.data", PSL, ("value",), "time", ("1950-01-01T00:00:00", "2009-12-01T00:00:00"), events=720, dead=-1, value=x(0)),
    "sea ice": Case("N_seaice_extent_daily_v3.0.csv", rows(lambda i, t: f"{t.year},    {t.month:02},  {t.day:02},     {x(i) / 2:.3f},      0.000,  ['ftp://sidads/{t:%Y%m%d}.bin']", DAY, "Year, Month, Day,     Extent,    Missing, Source Data\nYYYY,    MM,  DD, 10^6 sq km, 10^6 sq km, Source data product web sites: http://nsidc.org/data\n"), ("Extent",), "Year + Month + Day", DAILY, maybe=("Missing",), value=x(0) / 2),
    "sea level": Case("CSIRO_Recons.csv", '"Time","GMSL (mm)","GMSL uncertainty (mm)"\n' + "".join(f'"{2000 + (i + 0.5) / 12:.4f}",{x(i) - 20:.1f},{x(i) / 4:.1f}\n' for i in range(N)), ("GMSL (mm)", "GMSL uncertainty (mm)"), "Time", ("2000-01-16T06:17:34", "2005-12-16T18:42:29"), value=0.0, dead=0),
    "earthquakes": Case("query.csv", "time,latitude,longitude,depth,mag,magType,nst,gap,id,place,type\n" + "".join(f'{FIRST + i * HOUR:%Y-%m-%dT%H:%M:%S}.123Z,38.{i:03},-122.{i:03},{x(i):.2f},{x(i) / 10:.2f},md,{i * 7 % 40},{i * 5 % 300},nc{i},"{i} km NW of The Geysers, CA",earthquake\n' for i in reversed(range(N))), ("depth", "mag", "nst", "gap"), "time", (f"{FIRST:%Y-%m-%dT%H:%M:%S}.123Z", f"{FIRST + (N - 1) * HOUR:%Y-%m-%dT%H:%M:%S}.123Z")),
    "investing.com": Case("Gold Futures Historical Data.csv", '\ufeff"Date","Price","Open","Vol.","Change %"\n' + "".join(f'"{FIRST + i * DAY:%b %d, %Y}","{y(i):,.2f}","{y(i + 1):,.2f}","{f"{x(i) * 9:.2f}K" if i % 9 else f"{x(i) / 9:.2f}M"}","{x(i) / 10 - 2:.2f}%"\n' for i in reversed(range(N))), ("Price", "Open", "Vol.", "Change %"), "Date", DAILY, value=y(0)),
    "ecb reference rates": Case("eurofxref-hist.csv", "Date,USD,JPY,CYP,TRY,\n" + "".join(f"{FIRST + i * DAY:%Y-%m-%d},{x(i) / 18:.4f},{x(i) * 8:.2f},N/A,{x(i) * 1.6:.4f},\n" for i in reversed(range(N))), ("USD", "JPY", "TRY"), "Date", DAILY),
    "bundesbank": Case("BBEX3.csv", BUNDESBANK + "".join(f"{FIRST + i * DAY:%Y-%m-%d};{'.' if i % 7 == 5 else de(x(i) / 18, 4)};{'Kein Wert vorhanden' if i % 7 == 5 else ''};{'.' if i % 7 == 5 else de(x(i) / 24, 4)};{'Kein Wert vorhanden' if i % 7 == 5 else ''}\n" for i in range(N)), ("USD eins", "GBP eins"), "Einheit Dimension", DAILY, dead=-1),
    "federal reserve": Case("FRB_H15.csv", FED + rows(lambda i, t: f"{t:%Y-%m-%d},{'ND' if i % 7 == 5 else v(i)},{'ND' if i % 7 == 5 else v(i + 9)}", DAY), ("RIFSPFF_N.D", "RIFSPBLP_N.D"), "Time Period", DAILY),
    "henry hub": Case("Henry_Hub_Natural_Gas_Spot_Price.csv", "Henry Hub Natural Gas Spot Price\nhttp://www.eia.gov/dnav/ng/hist/rngwhhdD.htm\n07:21:59 GMT-0500 (Eastern Standard Time)\nSource: Thomson Reuters\n\nDay,Henry Hub Natural Gas Spot Price Dollars per Million Btu\n" + "".join(f"{DECEMBER + i * DAY:%m/%d/%Y},{x(i) / 8:.2f}\n" for i in reversed(range(N))), ("Henry Hub Natural Gas Spot Price Dollars per Million Btu",), "Day", span(DAY, first=DECEMBER)),
    "bls series": Case("ce.data.txt", "series_id                     \tyear\tperiod\t       value\tfootnote_codes\n" + "".join(f"CES{k}000000001\t{2000 + i // 12}\tM{i % 12 + 1:02}\t{y(i + k):12.1f}\t\n" for k in (0, 5) for i in range(N)), ("value",), "year + period", MONTHLY, "series_id", 2 * N),
    "grid demand": Case("demanddata_2024.csv", rows(lambda i, t: f"{t:%d-%b-%Y},{(t.hour * 60 + t.minute) // 30 + 1},{int(y(i) * 20)},{int(x(i) * 99)}", HALF, "SETTLEMENT_DATE,SETTLEMENT_PERIOD,ND,EMBEDDED_WIND_GENERATION\n"), ("ND", "EMBEDDED_WIND_GENERATION"), "SETTLEMENT_DATE + SETTLEMENT_PERIOD", span(HALF)),
    "building meters": Case("train.csv", rows(lambda i, t: "\n".join(f"{b},{m},{t:%Y-%m-%d %H:%M:%S},{x(i + 3 * b + m)}" for b in (0, 1, 2) for m in (0, 1)), head="building_id,meter,timestamp,meter_reading\n"), ("meter_reading",), "timestamp", HOURLY, "building_id + meter", 6 * N),
    "avocado": Case("avocado.csv", ",Date,AveragePrice,Total Volume,type,year,region\n" + "".join(f"{i},{FIRST + i * 7 * DAY:%Y-%m-%d},{x(i + k) / 15:.2f},{y(i) * 50:.2f},{kind},{(FIRST + i * 7 * DAY).year},{r}\n" for k, kind in enumerate(("conventional", "organic")) for r in ("Albany", "Boise") for i in reversed(range(N))), ("AveragePrice", "Total Volume"), "Date", None, "type + region", 4 * N),
    "turbine scada": Case("T1.csv", rows(lambda i, t: f"{t:%d %m %Y %H:%M},{y(i):.4f},{x(i) / 3:.4f},{i * 7 % 360}", 10 * MINUTE, "Date/Time,LV ActivePower (kW),Wind Speed (m/s),Wind Direction (°)\n", first=DECEMBER), ("LV ActivePower (kW)", "Wind Speed (m/s)", "Wind Direction (°)"), "Date/Time", span(10 * MINUTE, first=DECEMBER)),
    "kelmarsh": Case("Turbine_Data_Kelmarsh_1.csv", "# This file was exported by Greenbyte at 2022-02-01 11:21:25.\n#\n# Turbine: Kelmarsh 1\n# Timestamps are in UTC.\n#\n# Date and time,Wind speed (m/s),Power (kW),Lost Production (kWh)\n" + rows(lambda i, t: f"{t:%Y-%m-%d %H:%M:%S},{x(i) / 3:.6f},{y(i):.6f},{'NaN' if i % 3 else 0.0}", 10 * MINUTE), ("Wind speed (m/s)", "Power (kW)", "Lost Production (kWh)"), "Date and time", span(10 * MINUTE)),
    "batadal": Case("BATADAL_dataset04.csv", rows(lambda i, t: f"{t:%d/%m/%y %H},{x(i) / 9:.3f},{i % 2},{-999 if i < 40 else 1}", head="DATETIME, L_T1, S_PU1, ATT_FLAG\n", first=DECEMBER), ("L_T1", "S_PU1"), "DATETIME", span(first=DECEMBER), maybe=("ATT_FLAG",)),
    "nsrdb": Case("151548_40.57_-105.10_2024.csv", NSRDB + rows(lambda i, t: f"{t.year},{t.month},{t.day},{t.hour},{t.minute},{i * 9 % 900},{i * 7 % 300},{v(i)},,,", HALF), ("GHI", "DHI", "Temperature"), "Year + Month + Day + Hour + Minute", span(HALF)),
    "pvgis": Case("Timeseries_45.000_8.000.csv", PVGIS + rows(lambda i, t: f"{t:%Y%m%d:%H}10,{i * 9 % 900}.0,{x(i):.2f},{x(i) / 3:.2f},2.{i % 9},0.0") + PVGIS_END, ("G(i)", "H_sun", "T2m", "WS10m", "Int"), "time", span(first=FIRST + 10 * MINUTE), dead=-1),
    "uk air": Case("MY1_2024.csv", UKAIR + rows(lambda i, t: f"{t:%d-%m-%Y},{t.hour + 1:02}:00,{'No data' if i % 20 == 7 else v(i)},{'' if i % 20 == 7 else 'P ugm-3'},{v(i + 4)},P ugm-3", head="Date,Time,Ozone,status,Nitric oxide,status\n", first=DECEMBER), ("Ozone", "Nitric oxide"), "Date + Time", span(first=DECEMBER + HOUR)),
    "renewables ninja": Case("ninja_pv.csv", '# Renewables.ninja PV (Point API) - 52.5, 13.4 - Version: 1.1\n# Units: time in UTC, local_time in Europe/Berlin, electricity in kW\n# {"units": {"time": "UTC", "electricity": "kW"}}\ntime,local_time,electricity\n' + rows(lambda i, t: f"{t:%Y-%m-%d %H:%M},{t + HOUR:%Y-%m-%d %H:%M},{x(i) / 40:.3f}"), ("electricity",), "time", HOURLY),
    "glucose": Case("LibreView.csv", "Glucose Data,Generated on,04-03-2024 10:00 UTC,Generated by,A B\nDevice,Serial Number,Device Timestamp,Record Type,Historic Glucose mmol/L,Notes\n" + rows(lambda i, t: f"FreeStyle LibreLink,7A1B,{t:%d-%m-%Y %H:%M},0,{x(i) / 4:.1f},", timedelta(minutes=15), first=DECEMBER), ("Historic Glucose mmol/L",), "Device Timestamp", span(timedelta(minutes=15), first=DECEMBER), "Device", maybe=("Record Type",)),
    "cdec": Case("cdec.csv", rows(lambda i, t: f"ORO,E,15,STORAGE,{t:%Y%m%d %H%M},{t:%Y%m%d %H%M},{'---' if i == 9 else int(y(i) * 900)}, ,AF", head="STATION_ID,DURATION,SENSOR_NUMBER,SENSOR_TYPE,DATE TIME,OBS DATE,VALUE,DATA_FLAG,UNITS\n"), ("VALUE",), "DATE TIME", HOURLY, "STATION_ID"),
    "imf outlook": Case("WEOOct2023all.xls", IMF.encode("utf-16") + ("".join(f"{k * 7 + 512}\tL{k}\tLand {k}\tGross domestic product\tNational currency\tBillions\t" + "\t".join("n/a" if year < 1995 else f"{y(year + k) * 10:,.3f}" for year in range(1990, 2024)) + "\t2022\n" for k in range(9)) + "\nInternational Monetary Fund, World Economic Outlook Database, October 2023\n").encode("utf-16-le"), ("value",), "time", ("1995-01-01T00:00:00", "2023-01-01T00:00:00"), "series", 9 * 29, value=round(y(1995) * 10, 3)),
    "our world in data": Case("co2.csv", "Entity,Code,Year,Annual CO2 emissions\n" + "".join(f"{e},{c},{year},{y(year + k) * 1e4:.0f}\n" for k, (e, c) in enumerate((("Austria", "AUT"), ("World", "OWID_WRL"))) for year in range(1950, 2022)), ("Annual CO2 emissions",), "Year", ("1950-01-01T00:00:00", "2021-01-01T00:00:00"), "Entity", 2 * 72),
    "pamap": Case("subject101.dat", rows(lambda i, t: f"{5.38 + i / 100:.2f} 0 {'NaN' if i % 9 else 100 + i % 30} {v(i)} {-x(i) / 9:.5f} {x(i) / 7:.5f}"), ("c2", "c3", "c4", "c5"), ("c0", None), None, maybe=("c1",), dead=0),
    "epa aqs": Case("hourly_44201.csv", rows(lambda i, t: f'"01","003","0010","44201",1,30.49,-87.88,"NAD83","Ozone","{t - 6 * HOUR:%Y-%m-%d}","{t - 6 * HOUR:%H:%M}","{t:%Y-%m-%d}","{t:%H:%M}",0.0{i % 40 + 10},"Parts per million",0.005,"","","FEM"', head='"State Code","County Code","Site Num","Parameter Code","POC","Latitude","Longitude","Datum","Parameter Name","Date Local","Time Local","Date GMT","Time GMT","Sample Measurement","Units of Measure","MDL","Uncertainty","Qualifier","Method Type"\n'), ("Sample Measurement",), ("Date Local + Time Local", "Date GMT + Time GMT"), None, None, maybe=("MDL", "POC")),
    "gridwatch": Case("gridwatch.csv", rows(lambda i, t: f"{62000 + i}, {t:%Y-%m-%d %H:%M:%S}, {int(y(i) * 20)}, {49.9 + i % 9 / 50:.3f}, {i * 7 % 900}", timedelta(minutes=5), "id, timestamp, demand, frequency, coal\n"), ("demand", "frequency", "coal"), "timestamp", span(timedelta(minutes=5))),
}  # fmt: skip
"""By what it is."""
