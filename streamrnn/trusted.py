"""Folders that hold what will be run: compiled code, a broker's jars. They are read only where nobody else can have put something in."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection
from pathlib import Path

__all__ = ["distrusted", "make_private", "real"]

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def make_private(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for this user alone (0700). One that is there stays as it is.

    Parameters
    ----------
    folder
        It is made, with all above it.

    Raises
    ------
    OSError
        When it cannot be made, or something else has its name.
    """
    try:
        folder.mkdir(0o700)
    except FileNotFoundError:
        make_private(folder.parent)
        folder.mkdir(0o700, exist_ok=True)
    except FileExistsError:
        if not folder.is_dir():
            raise


def real(folder: Path) -> Path:
    """Return a folder's path with the symbolic links in it followed, up to one that another user has made: that one stays, to be distrusted.

    Parameters
    ----------
    folder
        Absolute or relative; it need not be there.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from streamrnn.trusted import real
    >>> folder = pathlib.Path(tempfile.mkdtemp()).resolve()
    >>> (folder / "link").symlink_to(folder / "target")
    >>> real(folder / "link" / "inside") == folder / "target" / "inside"
    True
    """
    found = Path(os.path.abspath(folder))  # noqa: PTH100  links are looked at before they are followed
    for place in (*reversed(found.parents), found):
        if place.is_symlink() and place.lstat().st_uid not in (os.geteuid(), 0):
            return found
    return found.resolve()


def distrusted(folder: Path, suffixes: Collection[str] = ()) -> str | None:
    """Say why what lies in a folder must not be run; None where it may be.

    It may be where folder and files belong to this user or to root, and nobody else can write to them, nor put another folder in
    the place of one above (in a shared one, like that for temporary files, its sticky bit prevents that).

    Parameters
    ----------
    folder
        Without a symbolic link in its path.
    suffixes
        Ends of the names of the files that are to be read.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from streamrnn.trusted import distrusted
    >>> folder = pathlib.Path(tempfile.mkdtemp()).resolve()
    >>> distrusted(folder) is None
    True
    >>> folder.chmod(0o777)
    >>> distrusted(folder)[-27:]
    'can be written to by others'
    """
    try:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode):
            return f"{folder} is no folder"
        for place in (folder, *folder.parents):
            if why := _foreign(place, place.lstat(), sticky_is_safe=place != folder):
                return why
        for one in sorted(folder.iterdir()):
            why = _foreign(one, one.lstat(), hidden=not found.st_mode & _OTHERS)
            if one.name.endswith(tuple(suffixes)) and why:
                return why
    except OSError as error:
        return f"{folder} cannot be looked at: {error.strerror}"
    return None


def _foreign(place: Path, found: os.stat_result, *, sticky_is_safe: bool = False, hidden: bool = False) -> str | None:
    """Say how somebody else has a hand in a file or folder."""
    if stat.S_ISLNK(found.st_mode):
        return f"{place} is a symbolic link"
    if found.st_uid not in (os.geteuid(), 0):
        return f"{place} belongs to another user ({found.st_uid})"
    writers = found.st_mode & _OTHERS_WRITE
    if hidden or not writers or (sticky_is_safe and found.st_mode & stat.S_ISVTX):
        return None
    if writers == stat.S_IWGRP and _is_own_group(found.st_gid):
        return None
    return f"{place} can be written to by others"


def _is_own_group(gid: int) -> bool:
    """Whether a group is this user's private one: where each user has one, group-writable folders are the usual ones."""
    import grp  # noqa: PLC0415  both are there on Unix alone
    import pwd  # noqa: PLC0415

    try:
        user, group = pwd.getpwuid(os.geteuid()), grp.getgrgid(gid)
    except KeyError:
        return False
    return user.pw_gid == gid and group.gr_name == user.pw_name and set(group.gr_mem) <= {user.pw_name}
