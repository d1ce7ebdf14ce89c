"""Where data sets are looked for, and how a file is fetched that is nowhere.

    $MINITENSOR_HOME, $KERAS_HOME/datasets (default ~/.keras/datasets), ~/.cache/minitensor,
    /usr/share/datasets (Debian's packages)

A file that is found is read strictly, whoever made it: small files of the same format are welcome.
A file that is downloaded must have the checksum of the official one.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from minitensor.data.download import Remote, download


def places() -> list[Path]:
    """The folders in which data sets are looked for, in order; they need not exist."""
    home, keras = os.environ.get("MINITENSOR_HOME"), os.environ.get("KERAS_HOME")
    first = [Path(home).expanduser() / "datasets", Path(home).expanduser()] if home else []
    return [
        *first,
        keras_home(keras) / "datasets",
        Path("~/.cache/minitensor").expanduser(),
        Path("/usr/share/datasets"),
    ]


def keras_home(keras: str | None = None) -> Path:
    """$KERAS_HOME, or ~/.keras."""
    return Path(keras or os.environ.get("KERAS_HOME") or "~/.keras").expanduser()


def found(names: Iterable[str]) -> Path | None:
    """The first of the names (files or folders) that is in one of the places."""
    paths = (place / name for name in names for place in places())
    return next((path for path in paths if path.exists()), None)


def fetched(title: str, remotes: Iterable[Remote], folder: str, names: Iterable[str]) -> None:
    """Downloads the files of a data set that is in none of the places.

    Args:
        title: of the data set, for people.
        remotes: the official files.
        folder: under the first place, where they go.
        names: what was looked for.

    Raises:
        OSError: there is no network; says how to bring the files by hand.
        ValueError: a file is not the official one.
    """
    goal = places()[0] / folder
    for remote in remotes:
        try:
            download(remote, goal / remote.name)
        except OSError as problem:
            looked = "\n  ".join(str(place) for place in places())
            raise OSError(
                f"{title} is not on this machine, and {remote.url} cannot be downloaded "
                f"({problem}).\nBring the file by hand, or a link to it: {goal / remote.name}\n"
                f"Looked for {' or '.join(names)} in:\n  {looked}"
            ) from None
