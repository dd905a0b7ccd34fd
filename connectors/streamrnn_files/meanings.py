"""What the names of columns mean: which are no measurements, and are not watched unless they are asked for."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

__all__ = [
    "NAMELESS",
    "STILL",
    "TIME_NAMES",
    "calendar_part",
    "ends_with_id",
    "in_stretches",
    "is_area_name",
    "is_calendar_name",
    "is_id_name",
    "is_key_name",
    "is_later_name",
    "is_part_of_machine",
    "is_period_name",
    "is_series_name",
    "is_time_name",
    "no_measurement",
    "of_influx",
]

TIME_NAMES = ("time", "timestamp", "date", "datetime", "ts")
"""Names that make a column the time whatever it holds."""

STILL = 20
"""Records after which it tells something that a number has not changed."""

NAMELESS = re.compile(r"c\d+")
"""What a column is called in a file without names."""

_TIME = re.compile(
    r"time|date|stamp|last_(?:reported|seen)|y{2,4}_?m{2}|datum|zeit|fecha|hora|heure|when|week|month|year|period|epoch|utc|_ts$|^ts_|^@?t$|^ds$|"
    r"changed|updated|created|started|observed|_at$|^day$|^dt$|^dt_|_dt$|^clock$"
)
_KEY = re.compile(
    r"(?:.*_)?(?:sensor|dev_?eui|device|messstelle|mess_?punkt|mess_?ort|standort|ger[äa]e?t|f[üu]e?hler|anlage|capteur|sensor[ei]|sonda|czujnik|stasjon|stazione|stacja|датчик|станция|sonde|appareil|estaci[óo]n|equipo|dispositivo|m[áa]quina|series|serie|entity|host|hostname|stations?|sites?|symbol|ticker|instance|meter|node|machine|asset|"
    r"channel|turbine|pump|stn|sta|building|store|household|vehicle|well|plant|unit_name|turbineid|stationid|var_?name|tag_?name|\w*(?:code|serial)_?number)(?:_?(?:id|name|no|nr|number|key|code))?"
)
_SERIES = re.compile(
    r"(?:.*_)?(?:type|topic|parameter|param|metric|measurement|variable|tag|item|signal|element|indicator|pollutant|quantity|field|"
    r"property|attribute|measure|counter|name)(?:_?(?:id|name|code))?"
)
"""What names the series where a table has one column of values."""

_AREA = re.compile(
    r"(?:.*_)?(?:iso_?code|country|location|state|city|province|county|region|area|municipality|district|borough|territory|nation|entity)(?:_?(?:id|name|code))?"
)
"""What names where a record is from: a series each, where they stand one behind the other."""

_OF_MACHINE = re.compile(
    r"(?:gpu|cpu|core|disk|drive|bay|fan|port|slot|queue|lane|string|cell|phase|axis)(?:_?(?:id|no|nr|number|index))?"
)
"""What numbers the parts of a machine that has several of them."""

_PERIOD = re.compile(
    r"(?:.*_)?(?:settlement|trading|half_?hour(?:ly)?|market)_?(?:period|interval|p)(?:_?(?:no|number|id))?|sp|half_?hour"
)
"""What numbers the periods of a day, of an hour or half of one."""

_LATER = re.compile(
    r"creat|updat|modif|upload|receiv|publish|insert|ingest|^end|_end|until|_to$|^to_|stop|expir|(?:^|_)exp(?:_|$)"
)
"""What names the end of a span, or the moment of writing, beside a start or the moment of measuring."""

_PARTS = {
    "year": {"year", "yr", "yyyy", "yy", "jahr", "année", "annee", "año", "ano", "anno", "jaar", "rok", "år", "vuosi", "y\u0131l", "год", "年"},
    "month": {"month", "mo", "mon", "mm", "mnth", "monat", "mois", "mes", "mês", "mese", "maand", "miesiąc", "miesiac", "måned", "månad", "kuukausi", "měsíc", "месяц", "月"},
    "day": {"day", "dy", "dd", "dom", "tag", "day_of_month", "jour", "dia", "día", "giorno", "dag", "dzień", "dzien", "päivä", "gün", "день", "日"},
    "hour": {"hour", "hr", "hh", "stunde", "hour_of_day", "heure", "hora", "ora", "uur", "godzina", "tunti", "saat", "hodina", "час", "時", "时"},
    "minute": {"minute", "min", "mi", "minutes", "minuto", "minuta", "minuut", "minuutti", "dakika", "минута", "分"},
    "second": {"second", "sec", "ss", "seconds", "sekunde", "seconde", "segundo", "secondo", "sekunda", "секунда", "秒"},
    "quarter": {"quarter", "qtr", "quartal", "trimestre"},
    "doy": {"doy", "day_of_year", "dayofyear", "yday", "julian_day", "jday", "julian"},
}  # fmt: skip
_CALENDAR = re.compile(
    r"(?:.*_)?(?:(?P<year>year|yr)|(?P<month>month|mnth|mo)|(?P<day>day|dy|week|weeknum)|(?P<hour>hour|hr|minute|second)|"
    r"weekday|week_?day|day_?of_?week|dow|doy|day_?of_?year|"
    r"season|quarter|holiday|is_?holiday|working_?day|weekend|is_?weekend|settlement_?period|trading_?period|half_?hour|tz|utc_?offset|timezone)(?:_(?:nu|no|nr|num|number|now))?"
)
_MOST = {"year": 2200, "month": 12, "day": 366, "hour": 60}
"""What a part of the calendar is at most: a rate of hearts is no hour."""

_INDEX = re.compile(
    r"|#|no|nr|num|idx|index|row|rownames|row_?(?:no|num|number|id)|record|record_?(?:no|number)|instant|seq|sequence|unnamed_?\d*|entry|entry_id|"
    r"(?:.*_)?(?:f_?cnt|seq_?no|frame_?(?:no|number|count)|packet_?(?:no|number))"
)
_STEPS = re.compile(
    r"x|x_?values?|cycles?|steps?|elapsed.*|seconds?|secs?|secondes|sekunden|segundos|samples?|iteration|frames?"
)
_WRITING = re.compile(
    r"decimals?|precision|(?:.*_)?interval(?:_\d)?|resolution|granularity|(?:unit_)?mult(?:iplier)?|unit_?mult|scale_?factor|timezone|utc_?offset(?:_?s|_?seconds)?"
)
_SETTING = re.compile(
    r"(?:.*_)?(?:id|idx|index|no|nr|num(?:ber)?|code|pos|group|interval|period|quality|qual|flag|version|ver|rev|class|kind|mode|lat(?:itude)?|"
    r"lon(?:gitude)?|lng|alt(?:itude)?|elev(?:ation)?|height|count|n|samples|sf|dr|bandwidth|spreading_factor|channel|zone|capacity|limit|threshold|"
    r"set_?point|scale|precision|retries|days)(?:_.*)?"
)
"""What is a setting, a place or a number of something where it is the same in all records."""

_METHOD = re.compile(r"(?:.*_)?(?:(?:detection|quanti\w+|reporting)_?limits?|\w*basis)(?:_.*)?")
"""What a laboratory says of its method beside a result."""

_ID = re.compile(
    r"(?:.*_)?(?:p?pid|uid|gid|f?_?port|(?:item|host|user|device|object)?id|location|(?:dev_?)?(?:addr|address|eui)|mac|oid|imei|imsi|iccid|(?:store|shop|site|customer|account|line|zone|run|batch|version|sensor|parameter|probe|channel|serial|lot|order|invoice|receipt|check|phone|reference|document|policy|claim|flight|part|employee|member|patient|event|sample|container|flask|bottle|cast|trip|ride|trade|scan|frame|message|packet)_?(?:nbr|nr|no|num|number)|\w*nummer|identifier|uuid|guid|ean|mpan|mprn|nmi|zip|zip_?code|postcode|(?:code|c[óo]digo)_postal|plz|postleitzahl|fips|icao|iata|wmo|usaf|wban|serial|code)|(?:nr|numero|numéro|nummer)_\w+"
)
_NUMBERED = re.compile(
    r"(?:num(?:ber|ero|éro|mer)?|nr|nro|no|id|idx|cod(?:e|igo)?)_\w+|\w+_(?:num(?:ber|ero)?|nr|nro|no|idx|cod(?:e|igo)?)"
)
"""What may number something, or count it."""

_STATUS = re.compile(
    r"(?:.*_)?(?:uncert|(?<=_)(?:source|src|cd)|qualifiers?|qf|qn|validity|valid|verification|ind(?:icator)?|品質情報|均質番号|kvalitet|qualit[äe]\w*|status|status_?code|state_?code|error_?code|flags?|qc|qc_?flag|test(?!s)|attributes?|quality|quality_?code|http_?code|"
    r"weather_?(?:sit|situation|code|id|type)|category|cluster|\w*typ|tipo|type|priority|severity)(?:_.*)?"
)
_LABEL = re.compile(
    r"(?:is_?)?(?:.*_)?(?:anomal(?:y|ies|ous)|outliers?|labels?|class|target|ground_?truth|truth|faults?|faulty|attack|failure|y_true|change_?points?)"
)
_PLACE = re.compile(
    r"(?:.*_)?(?:coord(?:[eo]?nn?[ée]e?|inat[ae]|enada)?s?(?:_\w+)?|lat|lats|latitude|lon|lng|long|longitude|elevation|easting|northing)(?:_(?:[xy]|dd|deg|degrees|m|meters|standardized|decimal|measure|wgs84))?"
)
_POSITION = re.compile(r".*(?:position|gps|geo|loc|location|start|end)_(?:lat|long?|lng)|latitude|longitude")
"""What is no latency for sure: these are places in whatever unit."""


_FRACTIONS = frozenset(("ns", "nanos", "nanoseconds", "nanosecond", "usec", "microsecond", "millisecond"))
"""What is behind the second of a moment, in a column of its own."""


def _plain(name: str) -> str:
    """Return a name in lower case with ``_`` for whatever is no letter or digit.

    Parameters
    ----------
    name
        As the header writes it.
    """
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z]{2})(?=[A-Z][a-z]{3})", "_", name.strip())
    return re.sub(r"[^\w#@]+", "_", re.sub(r"\bn[°º]", "nr ", parted.lower())).strip("_")


def is_time_name(name: str) -> bool:
    """Whether a name says that its column is a time.

    Parameters
    ----------
    name
        As the header writes it.
    """
    return _TIME.search(_plain(name)) is not None


def is_key_name(name: str) -> bool:
    """Whether a name says that its column names a series.

    Parameters
    ----------
    name
        As the header writes it.
    """
    return _KEY.fullmatch(_plain(name)) is not None


def is_id_name(name: str) -> bool:
    """Whether a name says that its column numbers something: series, where times come again for each number.

    Parameters
    ----------
    name
        As the header writes it.
    """
    plain = _plain(name)
    return plain.endswith("id") or (bool(plain) and _INDEX.fullmatch(plain) is not None)


def ends_with_id(name: str) -> bool:
    """Whether a name ends with the word "id": grid and valid do not.

    Parameters
    ----------
    name
        As the header writes it.
    """
    return (
        re.search(r"(?:^|[\W_])id$|(?:[a-z]|[^\x00-\x7f])I[dD]$|[A-Z]{2}id$", name.strip(), re.ASCII) is not None
        or name.strip().upper() == "ID"
    )


def is_series_name(name: str) -> bool:
    """Whether a name says that its column names the series, in a table with one column of values.

    Parameters
    ----------
    name
        As the header writes it.
    """
    return _SERIES.fullmatch(_plain(name)) is not None


def is_area_name(name: str) -> bool:
    """Whether a name says that its column holds countries, cities or other places by their names.

    Parameters
    ----------
    name
        As the header writes it.
    """
    return _AREA.fullmatch(_plain(name)) is not None


def is_part_of_machine(name: str) -> bool:
    """Whether a name says that its column may number what a machine has several of: each round of its reports has a record for each.

    Parameters
    ----------
    name
        As the header writes it.
    """
    return _OF_MACHINE.fullmatch(_plain(name)) is not None


def is_later_name(name: str) -> bool:
    """Whether a name says that its column holds the end of something, or when it was written down.

    Parameters
    ----------
    name
        As the header writes it.
    """
    return _LATER.search(_plain(name)) is not None


def calendar_part(name: str) -> str | None:
    """Return which part of a date a name says that its column holds: ``"year"``, ``"month"``, ...; None for none.

    Parameters
    ----------
    name
        As the header writes it.
    """
    plain = _plain(name)
    words = plain.split("_")  # of one thing in two languages: 年/Year
    return next(
        (part for part, names in _PARTS.items() if plain in names or all(word in names for word in words)), None
    )


def is_period_name(name: str) -> bool:
    """Whether a name says that its column numbers the periods of a day, of an hour or half of one.

    Parameters
    ----------
    name
        As the header writes it.
    """
    return _PERIOD.fullmatch(_plain(name)) is not None


def is_calendar_name(name: str) -> bool:
    """Whether a name says that its column holds a part of the calendar.

    Parameters
    ----------
    name
        As the header writes it.
    """
    return calendar_part(name) is not None or _CALENDAR.fullmatch(_plain(name)) is not None


def of_influx(header: Sequence[str]) -> frozenset[str]:
    """Return the columns that InfluxDB adds to what was measured.

    Parameters
    ----------
    header
        Every column.
    """
    return (
        frozenset(("result", "table", "_start", "_stop"))
        if {"_time", "_value", "table"} <= set(header)
        else frozenset()
    )


def _even(values: Sequence[float]) -> bool:
    """Whether numbers go up in even steps."""
    steps = [b - a for a, b in itertools.pairwise(values)]
    return min(steps) > 0 and max(steps) - min(steps) <= 1e-6 * max(map(abs, values))


def in_stretches(values: Sequence[float]) -> bool:
    """Whether each of several numbers stands in one stretch of records: counts come again.

    Parameters
    ----------
    values
        Of a column.
    """
    count = len(set(values))
    return count > 2 and sum(a != b for a, b in itertools.pairwise(values)) == count - 1


def no_measurement(name: str, values: Sequence[float]) -> str | None:
    """Return why a column of numbers is not watched, None where it should be.

    Parameters
    ----------
    name
        As the header writes it.
    values
        Its first values, without missing ones.
    """
    plain = _plain(name)
    if name.startswith("__"):
        return "kept by its database"
    whole = all(value == int(value) for value in values if abs(value) < 1e15)
    distinct = set(values)
    if whole and "/" not in name and (found := _CALENDAR.fullmatch(plain)):  # in/hr is a rate
        most = next((_MOST[part] for part, text in found.groupdict().items() if text), 2200)
        if all(-1 <= value <= most for value in distinct):
            return "a part of the calendar"
    part = calendar_part(name) if whole and values else None
    if part in _MOST and len(plain) > 2 and plain.isalpha() and min(values) >= 1 and max(values) <= _MOST[part]:
        return "a part of the calendar"
    if (
        whole
        and len(values) > 2
        and _INDEX.fullmatch(plain)
        and (
            {b - a for a, b in itertools.pairwise(values)} in ({0}, {1}, {-1}, {1, -1})
            or {b - a for a, b in itertools.pairwise(values)} in ({0, 1}, {1, 1 - len(distinct)})
        )
    ):
        return "a running number"
    if whole and plain in _FRACTIONS:
        return "a part of the time"
    if distinct <= {0, 1, -1} and _LABEL.fullmatch(plain):
        return "a label"
    if whole and len(distinct) <= 24 and _STATUS.fullmatch(plain):
        return "a status"
    if whole and len(distinct) == 1 and _WRITING.fullmatch(plain):
        return "says how others are written"
    if len(values) > 8 and (_STEPS.fullmatch(plain) or (plain == "c0" and len(values) >= STILL)) and _even(values):
        return "a running number"
    if len(values) >= STILL and len(distinct) == 1 and values[0] and _SETTING.fullmatch(plain):
        return f"nothing but {values[0]:g}"
    if whole and len(values) >= STILL and _NUMBERED.fullmatch(plain) and in_stretches(values):
        return "a number of something"
    if _METHOD.fullmatch(plain):
        return "says how others are measured"
    if whole and _ID.fullmatch(plain):
        return "an id"
    if _POSITION.fullmatch(plain) or (_PLACE.fullmatch(plain) and all(abs(value) <= 9000 for value in distinct)):
        return "a place"
    return None
