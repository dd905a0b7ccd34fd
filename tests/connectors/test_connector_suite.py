"""One suite for all connectors, here for files; a planted violator is caught."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamrnn.testing.connectors import CHECKS
from streamrnn_files import FileSink, FileSource


class FileRig:
    """A CSV, and JSON Lines with a state directory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "in.csv").write_text("a,b\n")

    def write(self, values):
        with (self.folder / "in.csv").open("a") as file:
            file.writelines("much,x\n" if value is None else f"{value!r},x\n" for value in values)

    def source(self):
        return FileSource.from_path(self.folder / "in.csv", columns=["a"])

    def sink(self):
        dead = str(self.folder / "dead")
        return FileSink.from_path(self.folder / "out", dead_letters=dead, state_dir=str(self.folder / "state"))

    def outputs(self):
        return (self.folder / "out").read_bytes().splitlines()

    def dead_letters(self):
        return len((self.folder / "dead").read_bytes().splitlines())


@pytest.mark.parametrize("check", CHECKS)
def test_files(check, tmp_path):
    """The files connector keeps what every connector promises."""
    CHECKS[check](FileRig(tmp_path))


class Amnesiac(FileSink):
    def restore(self, partition):
        return None


class Forgetful(FileRig):
    def sink(self):
        return Amnesiac(super().sink()._options)


class Unordered(FileRig):
    def write(self, values):
        super().write(sorted(values, key=lambda value: -(value or 0)))


@pytest.mark.parametrize(("rig", "check"), [(Forgetful, "resume"), (Unordered, "order"), (Unordered, "dead letters")])
def test_a_violator_is_caught(rig, check, tmp_path):
    """A sink that forgets, and an input out of order, do not pass."""
    with pytest.raises(AssertionError):
        CHECKS[check](rig(tmp_path))
