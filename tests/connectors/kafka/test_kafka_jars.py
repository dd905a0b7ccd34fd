"""Which jars the throw-away broker's Java loads."""

from __future__ import annotations

import hashlib
import os

import pytest

from streamrnn.errors import SourceError
from streamrnn_kafka import broker


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder as jgo makes it, with two jars, and their sums."""
    for name in ("jars/a.jar", "modules/b.jar"):
        (tmp_path / "env" / name).parent.mkdir(parents=True)
        (tmp_path / "env" / name).write_bytes(name.encode())
    (tmp_path / "sums").write_text(
        "".join(
            f"{hashlib.sha256(name.encode()).hexdigest()}  {name[-5:]}\n" for name in ("jars/a.jar", "modules/b.jar")
        )
    )
    monkeypatch.setattr(broker, "SUMS", tmp_path / "sums")
    return tmp_path / "env"


def test_each_by_name(folder):
    """What else lies there, in capitals too, is not on the class path: a folder's star would take it."""
    (folder / "jars" / "evil.JAR").write_bytes(b"evil")
    (folder / "jars" / "Evil.class").write_bytes(b"evil")

    assert broker.checked_jars(folder) == [folder / "jars" / "a.jar", folder / "modules" / "b.jar"]


@pytest.mark.parametrize("name", ["jars/b.jar", "jars/c.jar", "jars/a.jar"])
def test_no_other_than_those_that_were_tested_with(folder, name):
    """One too many, one changed, one of the same name in another folder: each is looked at."""
    (folder / name).write_bytes(b"evil")

    with pytest.raises(SourceError, match=f"{name[-5:]} is not the file this was tested with"):
        broker.checked_jars(folder)


def test_a_missing_one(folder):
    """All that were tested with must be there."""
    (folder / "modules" / "b.jar").unlink()

    with pytest.raises(SourceError, match=r"b\.jar is not the file .* missing"):
        broker.checked_jars(folder)


@pytest.mark.parametrize("place", ["", "jars", "modules/b.jar"])
def test_where_others_can_write_nothing_is_run(folder, place):
    """They could put another one in its place after it was looked at."""
    (folder / place).chmod(0o777)

    with pytest.raises(SourceError, match=r"Kafka's jars are not run: .* can be written to by others"):
        broker.checked_jars(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_another_users_are_not_run(folder):
    """Nor where they belong to somebody else."""
    os.chown(folder / "modules" / "b.jar", 54321, -1)

    with pytest.raises(SourceError, match="belongs to another user"):
        broker.checked_jars(folder)
