"""A dead letter as a line of JSON, for sinks whose dead letters are lines."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from streamrnn.io.events import DeadLetter, Position

__all__ = ["LetterLine", "letter_line"]


class LetterLine(msgspec.Struct, frozen=True):
    """What such a line holds, in this order.

    Parameters
    ----------
    position, line, reason, raw, partition
        See :class:`DeadLetter`.
    """

    position: Annotated[Position, Meta(description="Where the record lies in its partition, as the source counts.")]
    line: Annotated[int | None, Meta(description="Its line, from 1, where the input has lines.")]
    reason: Annotated[str, Meta(description="One sentence: what is wrong, with the field and the value.")]
    raw: Annotated[
        str,
        Meta(
            description="The record as it was read; bytes that are no UTF-8 are written as \\xff. It may be cut: the reason then says so."
        ),
    ]
    partition: Annotated[str, Meta(description="The partition that it came from.")]


def letter_line(letter: DeadLetter) -> bytes:
    """Return a dead letter as a line of JSON, without a line end.

    Parameters
    ----------
    letter
        The dead letter.

    Examples
    --------
    >>> from streamrnn.io import DeadLetter, letter_line
    >>> letter_line(DeadLetter(position=40, reason="It is empty.", line=3)).decode()
    '{"position":40,"line":3,"reason":"It is empty.","raw":"","partition":"0"}'
    """
    raw = letter.raw.decode(errors="backslashreplace")
    return msgspec.json.encode(LetterLine(letter.position, letter.line, letter.reason, raw, letter.partition))
