"""A hundred thousand records that are no events, between good ones: these come out as if they had been alone.

``python tests/chaos/kafka_hostile.py [hostile records]``, with a throw-away broker. The table goes to
``benchmarks/results/kafka_hostile.md``.
"""

from __future__ import annotations

import gzip
import json
import math
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks"), str(ROOT / "tests" / "connectors" / "kafka")]

from kafka_rig import EPOCH_MS, Record, Rig, stop  # noqa: E402
from machine import cpu  # noqa: E402

from streamrnn_kafka.broker import Broker  # noqa: E402

Maker = Callable[[random.Random, bytes], bytes | None]


def no_event(value: bytes) -> bool:
    """Tell, with Python's own JSON, whether a value is certainly none: no object, or no number in its field."""
    try:
        flow = json.loads(value)["at"]["flow"]
        return not math.isfinite(float(flow))
    except (ValueError, KeyError, TypeError, RecursionError, OverflowError):
        return True


def mutated(drawn: random.Random, good: bytes) -> bytes:
    """Change some bytes of a good value until it is no event."""
    while True:
        value = bytearray(good)
        for _ in range(drawn.randint(1, 8)):
            value[drawn.randrange(len(value))] = drawn.randrange(256)
        if no_event(bytes(value)) and b"null" not in value and b"nf" not in value:
            return bytes(value)


KINDS: dict[str, Maker] = {
    "bytes at random": lambda drawn, _: drawn.randbytes(drawn.randint(1, 200)) + b"\xff",
    "good ones with bytes changed": mutated,
    "JSON cut short": lambda drawn, good: good[: drawn.randrange(len(good) - 1)],
    "nested a hundred thousand levels deep": lambda drawn, _: drawn.choice([b"[", b'{"at":']) * 100_000,
    "nested beside a good number": lambda _drawn, good: good[:-1] + b', "x": ' + b"[" * 65 + b"]" * 65 + b"}",
    "numbers beyond floats": lambda drawn, _: (
        b'{"at": {"flow": %s1e%d}}' % (drawn.choice([b"", b"-"]), drawn.randint(309, 9999))
    ),
    "NaN": lambda drawn, _: b'{"at": {"flow": %s}}' % drawn.choice([b"NaN", b'"nan"', b'"-nan"']),
    "numbers as wrong text": lambda drawn, _: (
        b'{"at": {"flow": "%s"}}' % drawn.choice([b"much", b"1_0", b"0x1f", b"1,5", b"1e999"])
    ),
    "wrong types": lambda drawn, _: drawn.choice(
        [b'{"at": {"flow": [1]}}', b'{"at": {"flow": {"x": 1}}}', b"7", b'"x"', b"[1]"]
    ),
    "fields that are missing": lambda drawn, _: drawn.choice(
        [b"{}", b'{"at": null}', b'{"at": {"flow": null}}', b'{"at": 7}']
    ),
    "schema numbers of a registry": lambda drawn, good: b"\0" + drawn.randbytes(4) + good,
    "compressed": lambda _drawn, good: gzip.compress(good, mtime=0),
    "not UTF-8": lambda _drawn, good: good.replace(b'"n"', b'"\xc3\x28"'),
    "a megabyte": lambda _drawn, good: good[:-1] + b', "x": "' + b"y" * 1_048_000 + b'"}',
    "no value at all": lambda _drawn, _good: None,
}
RARE = {"nested a hundred thousand levels deep": 0.02, "a megabyte": 0.005}  # shares of what the others have


def streams(hostile: int, drawn: random.Random) -> tuple[list[Record], list[Record], list[bool], Counter[str]]:
    """Return good records alone, the same among hostile ones, which of these are good, and how many there are of a kind."""
    good: list[Record] = []
    mixed: list[Record] = []
    welcome: list[bool] = []
    names, shares = list(KINDS), [RARE.get(name, 1.0) for name in KINDS]
    counts: Counter[str] = Counter()
    while counts.total() < hostile:
        i = len(good)
        value = b'{"at": {"flow": %r}, "n": %d}' % (math.sin(i / 20) + drawn.gauss(0, 0.1), i)
        good.append((0, b"k%d" % (i % 3), value, EPOCH_MS + i))
        mixed.append(good[-1])
        welcome.append(True)
        for kind in drawn.choices(names, shares, k=drawn.randint(0, 8)):
            bad = KINDS[kind](drawn, value)
            key = drawn.choice([None, b"k1", drawn.randbytes(5)])
            mixed.append(
                (0, b"" if key is None and bad is None else key, bad, EPOCH_MS + i)
            )  # the client sends one of them
            welcome.append(False)
            counts[kind] += 1
    return good, mixed, welcome, counts


def outputs(rig: Rig, folder: Path, records: list[Record]) -> list[tuple[bytes | None, bytes]]:
    """Run over records; return keys and values of the results. What a result says must not depend on its offset."""
    rig.create()
    rig.produce(records)
    worker = rig.start(
        rig.config(
            folder,
            rig.name,
            source={"max_record_bytes": 1_000_000},
            output={"fields": ["time", "key", "value", "prediction", "score", "alarm"]},
        )
    )
    rig.wait_until(lambda: rig.ends(rig.output) > 0 and rig.lag() == 0, limit_s=1200)
    if stop(worker) != 0:
        raise SystemExit("The run did not end well.")
    return rig.pairs(rig.output)[0]


def compared(servers: str, folder: Path, hostile: int) -> dict[str, Any]:
    """Run over good records alone and among hostile ones; return what came out."""
    good, mixed, welcome, counts = streams(hostile, random.Random(5))
    with Rig(servers) as rig:
        alone = outputs(rig, folder, good)
    with Rig(servers) as rig:
        among = outputs(rig, folder, mixed)
        letters = [{name: text.decode() for name, text in one.headers} for one in rig.read(rig.dead)[0]]
    return {
        "counts": counts,
        "good": len(good),
        "same": alone == among and len(alone) == len(good),
        "wanted": [i for i, is_good in enumerate(welcome) if not is_good],
        "found": [int(one["__streamrnn.error.offset"]) for one in letters],
        "reasons": [one["__streamrnn.error.reason"] for one in letters],
    }


def main(hostile: int) -> int:
    """Run it all; the exit code is 1 where anything differs."""
    with tempfile.TemporaryDirectory() as place, Broker() as broker:
        seen = compared(broker.servers, Path(place), hostile)
    counts, reasons = seen["counts"], Counter(one.split(":")[0] for one in seen["reasons"])
    rows = {
        "good events": f"{seen['good']:,}",
        "hostile records": f"{counts.total():,}",
        "results the same as without them, byte for byte": "yes" if seen["same"] else "**no**",
        "each hostile record is a dead letter, in order": "yes" if seen["found"] == seen["wanted"] else "**no**",
        "dead letters without a reason": str(sum(not one for one in seen["reasons"])),
    }
    report = "\n".join([
        "# Kafka: hostile records between good ones", "",
        f"`python tests/chaos/kafka_hostile.py {hostile}` ({cpu()})", "",
        "| what | |", "|---|---|", *(f"| {name} | {said} |" for name, said in rows.items()), "",
        "| kind | records |", "|---|---|", *(f"| {kind} | {n:,} |" for kind, n in counts.most_common()), "",
        "| reason begins with | dead letters |", "|---|---|", *(f"| {reason} | {n:,} |" for reason, n in reasons.most_common(12)),
    ]) + "\n"  # fmt: skip
    sys.stdout.write(report)
    (ROOT / "benchmarks" / "results" / "kafka_hostile.md").write_text(report, encoding="utf-8")
    return int("**no**" in report)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000))
