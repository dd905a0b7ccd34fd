"""Shapes of files from many countries: what they hold tells what their names do not."""

from __future__ import annotations

from datetime import timedelta

from shaped import DAY, FIRST, HOUR, MINUTE, Case, N, de, rows, span, v, x, y

QUARTER = timedelta(minutes=15)
CHINESE = "日期,时间,高程/m,PDOP,卫星数目\n"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
STATIONS = "지역,측정소코드,측정일시,SO2,PM10\n"

ABROAD = {
    "hours of days from one on": Case("cch.csv", rows(lambda i, t: f"ES0031408;{t:%d/%m/%Y};{t.hour + 1};{de(x(i))};R", head="CUPS;Fecha;Tramo;AE_kWh;REAL/ESTIMADO\n"), ("AE_kWh",), "Fecha + Tramo", span(first=FIRST + HOUR), value=x(0)),
    "Russian in one byte a letter": Case("trips.csv", rows(lambda i, t: f"{t:%d.%m.%Y};{t:%H:%M};{de(x(i))};{de(y(i))}", head="Дата;Время;Пробег;Расход, Л/100\n").encode("cp1251"), ("Пробег", "Расход, Л/100"), "Дата + Время", span(), value=x(0)),
    "Turkish in one byte a letter": Case("borsa.csv", rows(lambda i, t: f"{t:%d.%m.%Y};{t:%H:%M};{de(x(i))};{de(y(i))}", head="Tarih;Saat;Aç\u0131l\u0131ş;Düşük\n").encode("cp1254"), ("Aç\u0131l\u0131ş", "Düşük"), "Tarih + Saat", span(), value=x(0)),
    "Czech in one byte a letter": Case("obchody.csv", rows(lambda i, t: f"{t:%d.%m.%Y};{t:%H:%M};{de(x(i))};{de(y(i))}", head="Datum;Čas;Množství;Cena\n").encode("cp1250"), ("Množství", "Cena"), "Datum + Čas", span(), value=x(0)),
    "Chinese in two bytes a sign": Case("gnss.csv", rows(lambda i, t: f"{t:%Y/%m/%d},{t:%H:%M:%S},{v(i)},{i % 7}.5,{8 + i % 3}", MINUTE, CHINESE).encode("gbk"), ("高程/m", "PDOP", "卫星数目"), "日期 + 时间", span(MINUTE), value=x(0)),
    "Korean in two bytes a sign, days and hours in digits": Case("airkorea.csv", (STATIONS + "".join(f"서울,{c},{FIRST + i // 24 * DAY:%Y%m%d}{i % 24 + 1:02},{v(i + k)},{int(y(i + k))}\n" for k, c in enumerate((111121, 111123)) for i in range(N))).encode("cp949"), ("SO2", "PM10"), "측정일시", ("2024-03-04T01:00:00", "2024-03-07T00:00:00"), "측정소코드", 2 * N, value=x(0)),
    "signs between the parts of a moment": Case("tester.csv", rows(lambda i, t: f"{i + 1},索引机种A,{v(i)},{t.year}年{t.month:02}月{t.day:02}日,{t:%H}时{t:%M}分{t:%S}秒", MINUTE, "序号,机种名称,A1-B1,日期,时间\n"), ("A1-B1",), "日期 + 时间", span(MINUTE), value=x(0)),
    "days of the week before names of months": Case("pyorat.csv", rows(lambda i, t: f"{('ma', 'ti', 'ke', 'to', 'pe', 'la', 'su')[t.weekday()]} {t.day} maalis {t.year} {t:%H:%M};;{int(y(i))}", head="Päivämäärä;Huopalahti (asema);Kaisaniemi\n"), ("Kaisaniemi",), "Päivämäärä", span(), value=int(y(0))),
    "clocks without their noughts": Case("eau.csv", rows(lambda i, t: f"{t.day}/{t.month}/{t.year};{t.hour}:{t.minute}:{t.second};{v(i)};{y(i)}", head="Date;Heure;TempEau;Lum\n"), ("TempEau", "Lum"), "Date + Heure", span(), value=x(0)),
    "clocks with a point, whatever they are called": Case("kattila.csv", rows(lambda i, t: f"{t.day}.{t.month}.{t.year};{t:%H.%M};{de(x(i))};{de(y(i))}", QUARTER, "Päivämäärä;Kellonaika;Alin (°C);Kulutus (Wh)\n"), ("Alin (°C)", "Kulutus (Wh)"), "Päivämäärä + Kellonaika", span(QUARTER), value=x(0)),
    "means of parts of a date": Case("serf.csv", rows(lambda i, t: f"{t:%Y-%m-%d %H:%M:%S},2016.0,{6 + i % 4 / 4},{15.5 - i % 3 / 2},{i % 23}.5,{v(i)}", head="measured_on,Year,Month,Day,Hour,temp_air\n"), ("temp_air",), "measured_on", span(), value=x(0)),
    "amounts in reais": Case("extrato.csv", rows(lambda i, t: f"{t:%d/%m/%Y};{t:%H:%M};Visa;R$ 1.{int(y(i)) % 900 + 100},{10 + i * 7 % 90};R$ {de(x(i))}", head="Data;Hora;Bandeira;Valor bruto;Valor líquido\n"), ("Valor bruto", "Valor líquido"), "Data + Hora", span()),
    "years before names of months": Case("scripts.csv", "Month,Scripts\n" + "".join(f"{1991 + i // 12} {MONTHS[i % 12]},{int(y(i))}\n" for i in range(N)), ("Scripts",), "Month", ("1991-01-01T00:00:00", "1996-12-01T00:00:00"), value=int(y(0))),
    "names with a separator behind them": Case("unemp.csv", "Series Id:           LNS14000000Q\n\nAge:                 16 years and over\n\n\nSeries id,Year,Period,Value,\n" + "".join(f"LNS14000000Q,{1959 + i // 4},Q0{i % 4 + 1},{x(i)}\n" for i in range(N)), ("Value",), "Year + Period", ("1959-01-01T00:00:00", "1976-10-01T00:00:00"), "Series id", value=x(0)),
    "weekdays and parts of days by what they hold": Case("gym.csv", rows(lambda i, t: f"{t:%d.%m.%Y};{t:%H:%M};{t.isoweekday()};{(60 * t.hour + t.minute) // 30 + 1};{int(t.weekday() > 4)};{v(i)}", 30 * MINUTE, "Datum;Uhrzeit;WT;Viertel;We;Auslastung\n", n=400), ("Auslastung",), "Datum + Uhrzeit", span(30 * MINUTE, n=400), events=400, value=x(0)),
    "what belongs to the key": Case("estaciones.csv", "fecha;estacion;cota;caudal\n" + "".join(f"{FIRST + i * HOUR:%Y-%m-%d %H:%M};{s};{c};{v(i + k)}\n" for i in range(N) for k, (s, c) in enumerate((("Alba", 812), ("Roble", 640), ("Vega", 640)))), ("caudal",), "fecha", span(), "estacion", 3 * N, value=x(0)),
    "the earlier of two moments": Case("labor.csv", rows(lambda i, t: f"{t + 2 * HOUR:%d.%m.%Y %H:%M};{t:%d.%m.%Y %H:%M};{de(x(i))}", head="Erfassungszeit;Probenzeit;pH\n"), ("pH",), "Probenzeit", span(), value=x(0)),
}  # fmt: skip
