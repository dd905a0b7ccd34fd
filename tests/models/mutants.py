"""Snapshots as nobody has written them: bytes flipped, cut, moved; manifests with other values, and a right checksum.

``python -m tests.models.test_mutants 20000`` runs as many as you like.
"""

from __future__ import annotations

import hashlib
import json
import random
import struct
from collections.abc import Callable, Iterator
from typing import Any

from streamrnn.errors import StateError

DEEP = "\0deep\0"  # stands for a list in lists, 100,000 of them: too deep for any encoder
NESTED = b"[" * 100_000 + b"]" * 100_000
HUGE = "\0huge\0"  # for a number with 5,000 digits
NAN, INF = float("nan"), float("inf")
ODD: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2, 7, 2**31, 2**63 - 1, 2**63, -(2**63), 2**64, 10**30, 1e308, -0.0, 0.5, NAN, INF, -INF, "", "a",
    "\0", "y", "ts", "nan", "\ud800", [], [[]], {}, {"a": 1}, {"int": "9" * 4400}, {"int": 3}, {"float": "x"}, {"float": "1e999"},
    {"bytes": 0}, {"bytes": 1}, {"bytes": -8}, {"bytes": 10**20}, {"bytes": True}, {"set": [[]]}, {"dict": [[1]]}, {"tuple": 3},
    {"model": ["RNNRegressor", {"dict": []}]}, {"model": []}, {"pipeline": []}, {"union": [["a", 1]]}, {"river": ["StandardScaler", []]},
    {"river": ["Min", []]}, {"settings": ["Adam", []]}, {"settings": ["Adam", [["lr", "x"]]]}, {"default": ["int", []]},
    {"default": ["x"]}, {"quantile": [0.5] * 23}, {"ordered": [["a", 1]]}, DEEP, HUGE,
)  # fmt: skip


def paths(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a manifest."""
    yield path
    if isinstance(node, dict | list):
        for name, one in node.items() if isinstance(node, dict) else enumerate(node):
            yield from paths(one, (*path, name))


def changed(node: Any, drawn: random.Random) -> Any:
    """A copy with one or two places changed: another value, gone, doubled, or that of another place."""
    node = json.loads(json.dumps(node))
    for _ in range(drawn.choice((1, 1, 2))):
        places = [path for path in paths(node) if path]
        if not places:
            return drawn.choice(ODD)
        *way, last = drawn.choice(places)
        holder = node
        for step in way:
            holder = holder[step]
        match drawn.randrange(6):
            case 0:
                del holder[last]
            case 1 if isinstance(holder, list):
                holder.insert(last, holder[last])
            case 2:
                value: Any = node
                for step in drawn.choice(places):
                    value = value[step] if isinstance(value, list | dict) else value
                holder[last] = json.loads(json.dumps(value))
            case 3 if isinstance(holder, dict):
                holder[drawn.choice(("", "int", "dict", "model", "x"))] = holder.pop(last)
            case _:
                holder[last] = drawn.choice(ODD)
    return node


def encoded(node: Any) -> bytes:
    """JSON, with what no encoder would write."""
    text = json.dumps(node, separators=(",", ":")).encode()
    return text.replace(json.dumps(DEEP).encode(), NESTED).replace(json.dumps(HUGE).encode(), b"9" * 5000)


def mutants(
    whole: bytes, header: struct.Struct, fields: Callable[[bytes], tuple[bytes, int]], n: int, seed: int
) -> Iterator[bytes]:
    """Yield n mutants of a container ``header | manifest | blobs | SHA-256``; a fifth have a wrong sum.

    ``fields`` gives what stands before the length of the manifest, which is the last of the header, and that length.
    """
    drawn = random.Random(seed)
    before, length = fields(whole)
    manifest = json.loads(whole[header.size : header.size + length])
    blobs = whole[header.size + length : -32]
    for _ in range(n):
        match drawn.randrange(10):
            case 0:
                body = bytearray(whole)
                for _ in range(drawn.randrange(1, 4)):
                    body[drawn.randrange(len(body))] ^= 1 << drawn.randrange(8)
                yield bytes(body)
                continue
            case 1:
                yield whole[: drawn.randrange(len(whole))]
                continue
            case 2 | 3:  # the numbers of the net, and sizes and offsets among them
                body = bytearray(whole[:-32])
                at = header.size + length + 8 * drawn.randrange(max(len(blobs) // 8, 1))
                near = drawn.random() < 0.7
                at = header.size + length + 8 * drawn.randrange(min(300, max(len(blobs) // 8, 1))) if near else at
                body[at : at + 8] = drawn.choice(
                    (struct.pack("<q", drawn.choice((0, 1, -1, 2**31, 2**62, -(2**62)))), struct.pack("<d", NAN))
                )
            case 4:
                stated = drawn.choice((0, 1, length - 1, length + 1, 2**40, 2**63, 2**64 - 1))
                body = bytearray(before + struct.pack("<Q", stated) + whole[header.size : -32])
            case 5:
                text = bytearray(whole[header.size : header.size + length])
                text[drawn.randrange(len(text))] = drawn.randrange(256)
                body = bytearray(before + struct.pack("<Q", len(text)) + text + blobs)
            case _:
                text = encoded(changed(manifest, drawn))
                more = drawn.choice((b"", b"", b"", b"\0" * 8))
                body = bytearray(before + struct.pack("<Q", len(text)) + text + blobs + more)
        yield bytes(body) + hashlib.sha256(body).digest()


def holds(data: bytes, loads: Callable[[bytes], Any], dumps: Callable[[Any], bytes]) -> bool:
    """Whether data load. Where they do not, a StateError says so in a sentence; where they do, all of it can be written and read."""
    try:
        model = loads(data)
    except StateError as error:
        said = str(error)
    else:
        said = ""
    if said:
        assert said.endswith("."), said
        assert len(said) < 1000, said
        return False
    first = dumps(model)
    assert dumps(loads(first)) == first
    return True
