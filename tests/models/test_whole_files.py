"""``save``: the file that a link leads to, with the mode that it had."""

from __future__ import annotations

import os
import stat

import pytest

from streamrnn import RNNRegressor, load, save
from streamrnn.whole import write_whole


@pytest.fixture
def umask():
    """One under which new files are 0640."""
    before = os.umask(0o027)
    yield
    os.umask(before)


def mode(path):
    """Permissions."""
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_file_gets_the_mode_of_any_new_file(tmp_path, umask):
    """0666 less the umask: whoever could read a file written by hand can read this one."""
    save(RNNRegressor(hidden_size=8), tmp_path / "model")

    assert mode(tmp_path / "model") == 0o640


@pytest.mark.parametrize("bits", [0o600, 0o666, 0o444, 0o755])
def test_a_file_keeps_its_mode(tmp_path, umask, bits):
    """What was made readable for others, or hidden from them, stays so."""
    (tmp_path / "model").touch()
    (tmp_path / "model").chmod(bits)

    save(RNNRegressor(hidden_size=8), tmp_path / "model")

    assert mode(tmp_path / "model") == bits
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize("there", [True, False])
def test_a_link_stays_one(tmp_path, umask, there):
    """The file that it leads to is written, through links to links, whether it is there already or not."""
    (tmp_path / "versions").mkdir()
    target = tmp_path / "versions" / "7"
    if there:
        target.write_bytes(b"old")
        target.chmod(0o604)
    (tmp_path / "current").symlink_to("versions/7")
    (tmp_path / "model").symlink_to("current")

    save(RNNRegressor(hidden_size=8), tmp_path / "model")

    assert (tmp_path / "model").is_symlink()
    assert (tmp_path / "current").is_symlink()
    assert load(target).n_events == 0
    assert mode(target) == (0o604 if there else 0o640)
    assert [path.name for path in target.parent.iterdir()] == ["7"]


def test_a_link_to_itself_is_an_error(tmp_path):
    """Nothing is replaced then."""
    (tmp_path / "model").symlink_to("model")

    with pytest.raises(OSError, match="symbolic links"):
        write_whole(tmp_path / "model", b"weights")
    assert (tmp_path / "model").is_symlink()
