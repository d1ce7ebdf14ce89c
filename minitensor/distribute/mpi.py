"""How a process joins the others: once, when the first strategy that needs them is made."""

from __future__ import annotations

import atexit
import ctypes
import hashlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from minitensor.distribute import launch
from minitensor.distribute.agreement import AllRanksError, same_on_all_ranks
from minitensor.distribute.communicator import Alone, Communicator
from minitensor.distribute.processes import Processes

_FOR_ALL_TO_START = "MINITENSOR_START_SECONDS"  # a cluster whose disks are slow may need longer
_ASKED_WHEN_THE_PARENT_DIES = 1  # PR_SET_PDEATHSIG
_lifeline: _Lifeline | None = None
_opened: Processes | None = None


def open_mpi() -> Communicator:
    """The communicator of this process: the same one each time; `Alone` without mpiexec.

    Raises:
        ImportError: mpi4py or an MPI library is missing.
        LaunchError: mpiexec, the MPI library and TF_CONFIG do not fit together.
        RanksDifferError: a rank runs another program or version.

    Example:
        >>> from minitensor.distribute.mpi import open_mpi
        >>> open_mpi().size
        1
    """
    global _opened
    if _opened is not None:
        return _opened
    sys.excepthook = _excepthook
    found = launch.check()
    if found is None:
        sys.excepthook = sys.__excepthook__
        return Alone()
    library = launch.open_library(found)
    watch_over_this_rank()
    if _lifeline is not None:
        _lifeline.wait()
    if not library.Is_initialized():
        _tell("waits", float(os.environ.get(_FOR_ALL_TO_START, "60")))
        library.Init_thread(library.THREAD_MULTIPLE)
    mpi = Processes(library.COMM_WORLD)
    if mpi.size != found.size:
        raise launch.LaunchError(
            f"{found.by} says that it started {found.size} ranks, but MPI knows {mpi.size}: the "
            "MPI library and the launcher do not fit together; call the mpiexec beside "
            f"{sys.executable}"
        )
    if _lifeline is not None:
        _tell("joined", mpi.all_gather_object(_lifeline.address)[0])
        _lifeline.wait(until_joined=True)
    _opened = mpi
    if threading.current_thread() is threading.main_thread():
        # Open MPI passes Ctrl-C on as SIGTERM, by which batch systems, too, ask a program to end
        signal.signal(signal.SIGTERM, lambda number, frame: signal.raise_signal(signal.SIGINT))
    for name, value in _facts().items():
        same_on_all_ranks(mpi, name, value)
    return mpi


def watch_over_this_rank() -> None:
    """Starts what says that this rank was killed, if it is one of several."""
    global _lifeline
    found = launch.launched()
    if _lifeline is None and found is not None and found.size > 1:
        _lifeline = _Lifeline(found)
        _let_the_lifeline_know_first()
        atexit.register(_leave)
        if sys.platform == "linux":  # else Open MPI's ranks outlive a killed mpiexec
            ctypes.CDLL(None).prctl(_ASKED_WHEN_THE_PARENT_DIES, signal.SIGTERM)


def _let_the_lifeline_know_first() -> None:
    """Moves MPICH's line to mpiexec behind the lifeline's: who dies closes the low ones first.

    Else mpiexec may have killed the others before the lifeline of the first hears of it.
    """
    if "PMI_FD" in os.environ and "mpi4py.MPI" not in sys.modules:
        import fcntl

        line = int(os.environ["PMI_FD"])
        os.environ["PMI_FD"] = str(fcntl.fcntl(line, fcntl.F_DUPFD, 100))
        os.close(line)


def _facts() -> dict[str, str]:
    """What this rank runs, for comparison."""
    program = Path(sys.argv[0])
    content = program.read_bytes() if program.is_file() else b""
    return {
        "minitensor's version": sys.modules["minitensor"].__version__,
        "Python's version": ".".join(map(str, sys.version_info[:2])),
        "NumPy's version": np.__version__.partition(".")[0],
        "the program": f"{program.name} (SHA-256 {hashlib.sha256(content).hexdigest()[:12]})",
    }


class _Lifeline:
    """The pipe to the process that outlives this rank: lifeline.py.

    Args:
        found: what started this rank.
    """

    def __init__(self, found: launch.Launched) -> None:
        folder = _folder(found)
        (folder / str(found.rank)).touch()
        alone = found.here == found.size  # on this machine
        server = None
        if found.rank == 0:
            server = socket.create_server(("127.0.0.1" if alone else "", 0))
            host = "127.0.0.1" if alone else socket.gethostname()
            self.address = [host, server.getsockname()[1], secrets.token_hex()]
        else:
            self.address = []
        settings = {
            "rank": found.rank,
            "size": found.size,
            "process": os.getpid(),
            "folder": str(folder),
            "here": found.here,
            "listening": server and server.fileno(),
        }
        script = str(Path(__file__).with_name("lifeline.py"))
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", script, json.dumps(settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # what ends the ranks does not end it
            pass_fds=[server.fileno()] if server else [],
        )
        if server:
            server.close()

    def wait(self, until_joined: bool = False) -> None:
        """Returns when it is there, or has joined the others, so that no rank works unseen."""
        assert self._process.stdout is not None
        if until_joined:
            self._process.stdout.read()
        else:
            self._process.stdout.readline()

    def tell(self, word: str, value: Any = True) -> None:
        """Says one word of lifeline.py's."""
        pipe = self._process.stdin
        assert pipe is not None
        with suppress(OSError):  # it has gone, for the chief's has
            pipe.write(json.dumps({word: value}).encode() + b"\n")
            pipe.flush()


def _folder(found: launch.Launched) -> Path:
    """Where the ranks of this machine see each other before MPI has started."""
    folder = Path(tempfile.gettempdir()) / f"minitensor-{os.getuid()}-{found.job}"
    folder.mkdir(exist_ok=True)
    return folder


def _leave() -> None:
    """The end of this rank's program."""
    if _opened is not None:
        _opened.leave()
    _tell("left")


def _excepthook(
    kind: type[BaseException], problem: BaseException, frames: TracebackType | None
) -> None:
    uncaught(problem, "".join(traceback.format_exception(kind, problem, frames)))


def uncaught(problem: BaseException, words: str) -> None:
    """Prints what ended this program, once, and ends the other ranks, if there are any.

    Args:
        problem: the exception that nobody caught.
        words: what to print: its traceback.
    """
    found = launch.launched()
    if isinstance(problem, launch.LaunchError | AllRanksError):
        words = f"minitensor: {problem}\n"  # where it was raised says nothing more
    if found is None or found.size == 1:
        print(words, end="", file=sys.stderr)
        return
    if isinstance(problem, launch.LaunchError):
        _tell("failed")
        _refused(found, words)
        return
    stopped = isinstance(problem, KeyboardInterrupt)
    together = stopped or isinstance(problem, AllRanksError)
    if not together:
        _tell("failed")
        time.sleep(min(found.rank, 10) * 0.1)  # of those with one bug, the first ends the others
        words = "".join(f"rank {found.rank}: {line}\n" for line in words.splitlines())
    if found.rank == 0 or not together:
        print(words, end="", file=sys.stderr, flush=True)
    sys.stdout.flush()
    if _opened is None and not together:
        os.kill(os.getpid(), signal.SIGTERM)  # the others wait for this rank in MPI_Init
    elif _opened is not None and (_opened.pending or not together):
        _tell("failed")
        _opened.abort(130 if stopped else 1)


def _tell(word: str, value: Any = True) -> None:
    if _lifeline is not None:
        _lifeline.tell(word, value)


def _refused(found: launch.Launched, words: str) -> None:
    """Says why this rank cannot start, once on this machine, and ends those that wait for it."""
    folder = _folder(found)
    (folder / f"refused-{found.rank}").touch()
    with suppress(FileExistsError):
        (folder / "said").touch(exist_ok=False)
        print(words, end="", file=sys.stderr, flush=True)
    until = time.time() + 2
    while time.time() < until:
        time.sleep(0.1)
        if len(list(folder.glob("refused-*"))) == found.size:
            time.sleep(0.3)  # the others look as well
            shutil.rmtree(folder, ignore_errors=True)
            return
    shutil.rmtree(folder, ignore_errors=True)
    os.kill(os.getpid(), signal.SIGTERM)
