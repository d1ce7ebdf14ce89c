"""Where data sets are looked for, and how a file is fetched that is nowhere.

    $MINITENSOR_HOME, $KERAS_HOME/datasets (default ~/.keras/datasets), ~/.cache/minitensor,
    /usr/share/datasets (Debian's packages)

A file that is found is read strictly, whoever made it: small files of the same format are welcome.
A file that is downloaded must have the checksum of the official one.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from minitensor.data.download import Remote, download


def folders() -> list[Path]:
    """The folders in which data sets are looked for, in order; they need not exist."""
    *own, keras = homes()
    return [
        *(folder for home in own for folder in (home / "datasets", home)),
        keras / "datasets",
        Path("~/.cache/minitensor").expanduser(),
        Path("/usr/share/datasets"),
    ]


def homes() -> list[Path]:
    """$MINITENSOR_HOME if it is set, then $KERAS_HOME or ~/.keras."""
    own = os.environ.get("MINITENSOR_HOME")
    keras = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()
    return [Path(own).expanduser(), keras] if own else [keras]


def find(names: Iterable[str]) -> Path | None:
    """The first of the names (files or folders) that is in one of the folders."""
    paths = (folder / name for name in names for folder in folders())
    return next((path for path in paths if path.exists()), None)


def fetch(title: str, remotes: Sequence[Remote], folder: str, names: Iterable[str]) -> Path:
    """Downloads the files of a data set of which no folder has one of the names.

    They go into `folder`, which is returned, under the first folder; for "" the only file is.

    Raises:
        OSError: there is no network; says how to bring the files by hand.
        ValueError: a file is not the official one.
    """
    goal = folders()[0] / folder
    for remote in remotes:
        try:
            download(remote, goal / remote.name)
        except OSError as problem:
            looked = "\n  ".join(map(str, folders()))
            raise OSError(
                f"{title} is not on this machine, and {remote.url} cannot be downloaded "
                f"({problem}).\nBring the file by hand, or a link to it: {goal / remote.name}\n"
                f"Looked for {' or '.join(names)} in:\n  {looked}"
            ) from None
    return goal if folder else goal / remotes[0].name
