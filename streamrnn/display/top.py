"""``streamrnn top``: a run, watched from a terminal. It asks the run's status server and nothing else."""

from __future__ import annotations

import socket
import time
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import HTTPHandler, Request, build_opener

import msgspec
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from streamrnn.errors import ConfigError, RetriableSourceError
from streamrnn.safe_text import safe_name, safe_text

__all__ = ["picture", "sparkline", "watch"]

_BARS = "▁▂▃▄▅▆▇█"
_SERIES = 10
_COLDEST = 5
_WIDTH = 40
_LEAST = 8
_WIDE = 110  # places that leave room for positions


def sparkline(values: list[float | None], width: int = _WIDTH) -> str:
    """Return the last ``width`` values as bars; a gap where there is none.

    Parameters
    ----------
    values
        None for a gap.
    width
        How many.

    Examples
    --------
    >>> from streamrnn.display.top import sparkline
    >>> sparkline([0.0, 1.0, None, 3.5, 7.0])
    '▁▂ ▄█'
    """
    values = values[-width:]
    known = [value for value in values if value is not None]
    if not known:
        return " " * len(values)
    low, high = min(known), max(known)
    scale = (len(_BARS) - 1) / (high - low) if high > low else 0.0
    return "".join(" " if value is None else _BARS[int((value - low) * scale)] for value in values)


class _AtSocket(HTTPConnection):
    """A connection to a socket file."""

    def __init__(self, place: str) -> None:
        super().__init__("localhost", timeout=5)
        self._place = place

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._place)


class _Places(HTTPHandler):
    """Asks a socket file, whatever the URL names."""

    def __init__(self, place: str) -> None:
        super().__init__()
        self._place = place

    def http_open(self, req: Request) -> HTTPResponse:
        return self.do_open(lambda _, **__: _AtSocket(self._place), req)


def _ask(address: str, path: str) -> Any:
    at_file = address.startswith(("/", "./", "../"))
    opener, host = (build_opener(_Places(address)), "localhost") if at_file else (build_opener(), address)
    with opener.open(f"http://{host}{path}", timeout=5) as answer:
        return msgspec.json.decode(answer.read())


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"


def _short(value: float | None) -> str:
    return "-" if value is None else f"{value:.2g}"


def _called(series: dict[str, Any]) -> Text:
    """Return a series' name to show: made safe here too, as whoever answers may be anybody."""
    return Text("(one series)" if series["key"] is None else safe_name(series["key"]))


def _values(points: dict[str, Any]) -> list[float | None]:
    """Return the values of the first feature of a series."""
    features = points.get("features", [])
    return list(features[0]["value"]) if features else []


def picture(status: dict[str, Any], points: dict[tuple[str, str | None], dict[str, Any]], width: int = 120) -> Group:
    """Return what to show for a status, and the points of the series in it, on ``width`` places.

    Parameters
    ----------
    status
        What ``/status`` answers.
    points
        What ``/series`` answers, by partition and key.
    width
        Places of a line.
    """
    head = Text()
    head.append(safe_name(status["state"]), style="bold green" if status["state"] == "running" else "bold yellow")
    if status.get("detail"):
        head.append(f" ({safe_text(status['detail'])})", style="yellow")
    head.append(
        f"   {status['events']:,} events   {status['events_per_s']:,.0f}/s   {status['alarms']:,} alarms   "
        f"{status['dead_letters']:,} dead letters   up {status['uptime_s']:,.0f} s"
    )
    if status["trouble"]:
        head.append(f"\n{safe_text(status['trouble'])}", style="bold red")
    partitions = Table(box=None, header_style="dim", pad_edge=False)
    wide = width >= _WIDE
    for name in (
        "partition", *(["position"] if wide else []), "lag", "behind s", "keys", "stale", "evicted", "saved s", "score", "p99", "loss",
    ):  # fmt: skip
        partitions.add_column(name, justify="left" if name in ("partition", "position") else "right", no_wrap=True)
    for name, one in status["partitions"].items():
        quantiles, losses = one["score_quantiles"], one["loss_quantiles"]
        partitions.add_row(
            Text(safe_name(name)), *([Text(safe_name(one["position"]))] if wide else []), _number(one["lag_records"]), _number(one["event_lag_s"]),
            _number(one["keys"]), _number(one["stale_keys"]), _number(one["evicted"]), _number(one["snapshot_age_s"]), _short(quantiles.get("0.5")),
            _short(quantiles.get("0.99")), _short(losses.get("0.5")),
        )  # fmt: skip
    series = Table(box=None, header_style="dim", pad_edge=False)
    for name in ("series", "alarms", "score", "worst", "values", "scores"):
        series.add_column(name, justify="right" if name in ("alarms", "score", "worst") else "left", no_wrap=True)
    names = max((_called(one).cell_len for one in status["series"][:_SERIES]), default=0)
    room = min(_WIDTH, max(_LEAST, (width - max(names, 6) - 32) // 2))
    for one in status["series"][:_SERIES]:
        last = points.get((one["partition"], one["key"]), {})
        series.add_row(
            _called(one), _number(one["alarms"]), _short(one["score"]), _short(one["worst"]),
            sparkline(_values(last), room), sparkline(list(last.get("score", [])), room),
        )  # fmt: skip
    cold = Text(no_wrap=True, overflow="ellipsis")
    for i, one in enumerate(status["coldest"][:_COLDEST]):
        cold.append(", " if i else "silent for longest: ", style="dim")
        cold.append_text(_called(one)).append(f" {one['events_since']:,} events", style="dim")
    return Group(head, Text(), partitions, Text(), series, *([Text(), cold] if len(cold) else []))


def _look(address: str, width: int) -> Group:
    """Ask a run, and return what to show on ``width`` places."""
    try:
        status = _ask(address, "/status")
        points = {}
        for one in status["series"][:_SERIES]:
            points[one["partition"], one["key"]] = _ask(address, f"/series?id={quote(one['id'])}")
        return picture(status, points, width)
    except HTTPError as error:  # somebody answers, and says why not: perhaps that this is none of its names
        said = error.read(1000).decode(errors="backslashreplace").strip()
        raise ConfigError(f"{address} answers {error.code}: {said or error.reason}") from error
    except (URLError, OSError, HTTPException) as error:
        why = getattr(error, "reason", error)
        raise RetriableSourceError(
            f"No run answers at {address}: {getattr(why, 'strerror', None) or why}. Is [server] port or socket_file set, and this one?"
        ) from error
    except (msgspec.DecodeError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"What answers at {address} is no run of streamrnn: {error!r}.") from error


def watch(address: str, *, once: bool = False, every_s: float = 1.0) -> None:
    """Show a run until Ctrl-C, or ``once``.

    Parameters
    ----------
    address
        ``host:port`` of the run's status server, or the path of its socket file: from ``/``, ``./`` or ``../`` on.
    once
        Whether to show it once and return.
    every_s
        Seconds between two pictures.

    Raises
    ------
    RetriableSourceError
        When nobody answers.
    ConfigError
        When something else answers.
    """
    address = address.removeprefix("http://").rstrip("/")  # a path has none at its end
    console = Console()
    first = _look(address, console.width)
    if once:
        console.print(first)
        return
    with Live(first, console=console, auto_refresh=False, screen=console.is_terminal) as live:
        while True:
            time.sleep(max(0.1, every_s))
            live.update(_look(address, console.width), refresh=True)
