"""Which names of columns are those of quantities, counts or switches, in six languages: their numbers are in no doubt, however few they are."""

from __future__ import annotations

import re

__all__ = ["is_quantity_name"]

_UNIT = re.compile(
    r"[°%µ²³€$£Ω‰]|[\[(]\s*(?:[A-Za-z]{1,3}|[kMGm]?Wh|k?VAr?h?|[khm]?Pa|m?bar|psi|mph|k[mn]/?h|knots?|rpm|dBm?|mg/d?[lL]|mmHg|lux|"
    r"bytes?|\w{1,4}/\w{1,4}|deg[CF]?|Celsius|percent|counts?|pcs|Stück|Stk)\s*[\])]|"
    r"(?:^|[\W_])(?:[kMGmu]?Wh?|k?VA|m?[VA]|k?Hz|deg[CF]?|[hkm]?Pa|m?bar|psi|[kcm]?m|mps|km_?h|kph|mph|kn|sec|min|pct|prozent|ppmv?|ppb|dBm?|lux|lx|ml|kg|"
    r"mg|bytes|[kmgKMG]i?B|rpm|bpm|eur|usd|gbp|chf|celsius|fahrenheit|count)$|/(?:s|sec|min|h|hr|d|day)$"
)
"""A unit in or behind a name."""

_NO_QUANTITY = re.compile(
    r"code|cod$|class|klasse|type|typ$|^tipo|categ|kateg|zustand|status|state$|estado|état|^etat|mod[eouei]s?$|flag|kennz|merkmal|grade|rating|rank|"
    r"stufe|scale|group|gruppe|zone|region|id$|^nr|_no$|_nr$|^n_|number$|nummer|num[ée]ro|index$|likert|severity|prior|node$|step$|stage|(?:^|_)page$|round$|lap$|session$|run$|batch|trial|block$|frame$|slot$|weekend|holiday|feier|feri[ea]|festivo|féri"
)
"""What says that a number stands for something, or orders it, whatever else the name says."""

_STEMS = re.compile(
    r"temp(?!o)|therm|humid|humed|umid|feuch|moist|pressure|druck|presi|pression|press[ãa]o|wind|viento|^vent_|precip|rain|regen|niederschl|pluie|lluvia|snow|schnee|neige|nieve|"
    r"cloud|bew[öo]e?lk|nubos|n[ée]bul|sonne|sunsh|solar|radia|strahl|rayonn|visib|sicht|power|leist|puiss|potenc|energ|strom|consum|conso|verbr|load|charge|"
    r"volta?g|spann|tension|current|amper|freque|fr[ée]qu|speed|geschw|vites|velo[cz]|flow|durchfl|d[ée]bit|caudal|level|pegel|niveau|nivel|depth|tiefe|profond|"
    r"height|h[öo]e?he|haute?u|width|length|distan|weight|gewicht|poids|^peso|count|anzahl|z[äa]e?hler|stand$|nombre|zahl|cantid|total|summe?|menge|qty|quant|"
    r"price|preis|prix|preci|cost|kosten|amount|betrag|montant|import|sales|umsatz|revenue|verkau|ventas?|order|bestell|commande|pedido|users?|session|views?|"
    r"visit|besuch|click|klick|^hits|request|anfrag|error|fehler|erre?u?r|impress|conver|download|upload|cpu|memory|disk|batter|akku|bater|swap|thread|process|laten|"
    r"durat|dauer|dur[ée]e|duraci|packet|rssi|signal|noise|dust|staub|polvo|ozon|heart|pulse|puls$|steps|schritt|cases?$|f[äa]e?lle|casos|deaths?|tote|d[ée]c[èe]s|fallec|"
    r"muert|hosp|patient|admis|infect|passag|fahrg|cars|vehi|v[ée]hic|bikes?|fahrr|v[ée]los?|bici|trips|traffic|verkehr|trafic|relay|relais|rel[ée]$|pump|valve|ventil|vanne|"
    r"heat|heiz|chauff|l[üu]e?fter|door|t[üu]r$|porte$|puert|window|fenster|motion|beweg|presence|occup|beleg|switch|schalt|motor|compress|alarm|light|licht|queue|retr|"
    r"fail|success|drop|lost|loss|events|incidents?|accident|unf[äa]lle|goals|tore|score|items|artikel|unit[ds]?|unidad|unit[ée]s|sold|gas|gaz|coal|kohle|charb|nucl|[ée]ol|hydro|biomass|fioul|stock|bestand|inventory|attempt|open$|_on$|^on_|running|"
    r"customers|clients|kunden|employees|tickets$|births|naissance|geburt|capacit|usage|used|free|avail|dispon|frei|rate$|per_|_pro_|_par_|gust|b[öo]e|rafale|racha|"
    r"mean|avg|average|median|moyen|mittel|^min_|^max_|_min$|_max$|minim|maxim|sensor_?\d|strength|intens|capteur|angle|winkel|direction|richtung|direcc|throughput|"
    r"demand|regist|applian|prcp|cnt$|tests$|po?mp|pwr|concent|turbid|conduct|leitf|salin|sugar|glucose|gluc|zucker|cholest|spo2|sat$|oxygen|sauerst|ax$|acc|gyro|mag|torque|force|kraft|brems|throttle|gear|rotat|drehz"
)
"""Beginnings of words that name what is measured, counted or switched."""

_WORDS = frozenset(
    [
        "t",
        "rh",
        "rf",
        "ta",
        "td",
        "tt",
        "p",
        "u",
        "v",
        "i",
        "w",
        "a",
        "hr",
        "co",
        "co2",
        "no",
        "no2",
        "nox",
        "o3",
        "so2",
        "pm",
        "pm1",
        "pm10",
        "pm25",
        "pm2",
        "voc",
        "tvoc",
        "aqi",
        "uv",
        "uvi",
        "sun",
        "ram",
        "load",
        "n",
        "nb",
        "num",
        "val",
        "value",
        "values",
        "valeur",
        "wert",
        "valor",
        "y",
        "ff",
        "fx",
        "dd",
        "rr",
        "sd",
        "vv",
        "km",
        "kwh",
        "kw",
        "wh",
        "mm",
        "age",
        "alter",
        "tn",
        "tx",
        "tg",
        "qty",
        "vol",
        "volume",
        "size",
        "mass",
        "lux",
        "ppm",
        "snr",
        "ping",
        "ms",
        "rx",
        "tx",
        "high",
        "low",
        "close",
        "bid",
        "ask",
        "pkw",
        "kfz",
        "lkw",
        "cases",
        "fan",
        "dir",
        "wdir",
        "ghi",
        "dhi",
        "dni",
    ]
)
"""Short names of quantities."""


def is_quantity_name(name: str) -> bool:
    """Whether a name is that of a quantity, a count or a switch, or has a unit.

    Parameters
    ----------
    name
        As the header writes it.
    """
    parted = re.sub(r"(?<=[a-zäöüé])(?=[A-Z])", "_", name.strip())
    if _UNIT.search(parted):
        return True
    plain = re.sub(r"[^\w]+", "_", parted.lower()).strip("_")
    if _NO_QUANTITY.search(plain):
        return False
    words = {
        word for word in plain.split("_") if len(word) > 2
    }  # of two letters it is one alone: no is no gas in tool_no
    return _STEMS.search(plain) is not None or not _WORDS.isdisjoint(words | {plain})
