"""A small process beside each rank, which outlives it: says which rank died, and ends the others.

`mpiexec` ends the others of a killed rank too, but MPICH's names none, and some batch systems let
them wait for ever. A rank tells its lifeline `{"waits": seconds}` when it begins to wait for all in
MPI_Init, `{"joined": [host, port, secret]}` when MPI has started, `{"left": true}` before it ends,
and `{"failed": true}` when it has said itself why. A pipe that closes without a word was a rank's
that was killed. The lifelines of all ranks tell the chief's, which prints one line and has those
ended that are still there after some seconds.

This file is run by its path, and imports nothing of minitensor: it starts in 15 ms.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

TOGETHER = 0.3  # seconds in which the first of several deaths is looked for: the others followed
GRACE = 4.0  # seconds that `mpiexec` has to end a rank before its lifeline does


class Lifeline:
    """Watches over one rank.

    Args:
        rank, size: its number, and how many there are.
        process: its process.
        folder: where the ranks of this machine have shown that they are there.
        here: how many ranks run on this machine.
        listening: the chief's, the file descriptor of its socket; else None.
    """

    def __init__(
        self, rank: int, size: int, process: int, folder: str, here: int, listening: int | None
    ) -> None:
        self.rank, self.size, self.folder, self.here = rank, size, Path(folder), here
        self.listening = listening
        self.process, self.host = process, socket.gethostname()
        self.name = f"rank {rank} (process {self.process} on {self.host})"
        self.mine = Lines(0)

    def watch(self) -> None:
        """Returns when the rank has ended."""
        joined = self._until_joined()
        with suppress(OSError):  # another lifeline may be tidying up as well
            for sign in ("", ".waits"):
                (self.folder / f"{self.rank}{sign}").unlink(missing_ok=True)
            if {file.name for file in self.folder.iterdir()} <= {"said"}:
                (self.folder / "said").unlink(missing_ok=True)
                self.folder.rmdir()
        if joined and self.listening is not None:
            os.close(1)
            Chief(self, socket.socket(fileno=self.listening), joined[2]).watch()
        elif joined:
            self._until_ended(*joined)

    def _until_joined(self) -> list[Any] | None:
        """Waits for the rank's word that MPI has started: until then, nobody else could tell."""
        word = self.mine.read(None)
        seconds = word.get("waits") if word else None
        if seconds:
            (self.folder / f"{self.rank}.waits").touch()
            word = self.mine.read(seconds)
        if word is None:
            names = self._missing(".waits")
            if self._first_to_say():
                say(
                    f"{names} did not start tf.distribute within {seconds:g} s: every rank must "
                    "run the same program and make the strategy; look for an error above"
                )
            os.kill(self.process, signal.SIGKILL)
        elif word == {} and self._first_to_say():
            names = " or ".join(filter(None, [self.name, self._missing("")]))
            say(f"{names} was killed or failed before all ranks had started")
        return word.get("joined") if word else None

    def _first_to_say(self) -> bool:
        try:
            (self.folder / "said").touch(exist_ok=False)
        except OSError:
            return False
        return True

    def _missing(self, sign: str) -> str:
        """Who has not come this far; where not all are on this machine, how many."""
        came = [k for k in range(self.size) if (self.folder / f"{k}{sign}").exists()]
        missing = [str(k) for k in range(self.size) if k not in came]
        if self.here < self.size:
            return f"a rank of {self.size} (on {self.host} came {came})"
        return f"rank {' or '.join(missing)}" if missing else ""

    def _until_ended(self, host: str, port: int, secret: str) -> None:
        """Passes on what the rank says, or that it died; ends it if the chief's says so."""
        try:
            chief = socket.create_connection((host, port), 10)
        except OSError:
            return  # its rank has ended already, or a firewall stands between
        theirs = Lines(chief.fileno())
        chief.sendall(line({"secret": secret, "name": self.name}))
        os.close(1)  # the rank sees that the chief's will hear of it
        if self.mine.read(None, theirs) is not None:
            word = self.mine.last or {"died": True}
            chief.sendall(line({**word, "at": time.time()}))
        elif "over" not in (theirs.last or {}):
            self.end()

    def end(self) -> None:
        """Ends the rank if nobody else does."""
        word = self.mine.read(GRACE)
        while word:
            word = self.mine.read(GRACE)
        if word is None:
            os.kill(self.process, signal.SIGKILL)


class Chief:
    """The lifeline of rank 0, whom the others tell."""

    def __init__(self, own: Lifeline, server: socket.socket, secret: str) -> None:
        self.own, self.server, self.secret = own, server, secret
        self.members: dict[Lines, tuple[socket.socket, str]] = {}
        self.deaths: list[tuple[float, str]] = []  # when, and what there is to say

    def watch(self) -> None:
        """Returns when its rank has ended, or any was killed."""
        until = None
        while until is None or time.time() < until:
            wait = None if until is None else max(until - time.time(), 0)
            over = self._hear(wait)
            if over and not self.deaths:
                return self._tell({"over": True})
            if self.deaths and until is None:
                until = time.time() + TOGETHER
        words = min(self.deaths)[1]
        if words:
            say(words)
        self._tell({"end": True})
        return self.own.end()

    def _hear(self, wait: float | None) -> bool:
        """Reads what there is; whether the chief's own rank is over."""
        with selectors.DefaultSelector() as selector:
            mine = not self.own.mine.closed
            for lines in [*self.members, *([self.own.mine] if mine else [])]:
                selector.register(lines.descriptor, selectors.EVENT_READ, lines)
            selector.register(self.server, selectors.EVENT_READ, None)
            ready = [key.data for key, _ in selector.select(wait)]
        over = False
        for lines in ready:
            if lines is None:
                self._welcome()
            elif lines is self.own.mine:
                word = lines.read(0) or {"died": True}
                over = self._note(word, self.own.name, time.time())
            else:
                self._member(lines)
        return over

    def _welcome(self) -> None:
        connection, _ = self.server.accept()
        connection.settimeout(1)
        lines = Lines(connection.fileno())
        hello = lines.read(1)
        if hello and hello.get("secret") == self.secret:
            self.members[lines] = connection, hello["name"]

    def _member(self, lines: Lines) -> None:
        word = lines.read(0) or {"died": True}
        _, name = self.members.pop(lines)
        self._note(word, name, word.get("at", time.time()))

    def _note(self, word: dict[str, Any], name: str, at: float) -> bool:
        if "left" in word:
            return True
        killed = f"{name} was killed or crashed; the others end"
        self.deaths.append((at, "" if "failed" in word else killed))
        return False

    def _tell(self, word: dict[str, Any]) -> None:
        for connection, _ in self.members.values():
            with suppress(OSError):  # it is gone
                connection.sendall(line(word))


class Lines:
    """JSON from a pipe or a socket, a line each."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor, self.closed, self._read = descriptor, False, b""
        self.last: dict[str, Any] | None = None

    def read(self, seconds: float | None, other: Lines | None = None) -> dict[str, Any] | None:
        """The next line; {} when it is closed; None if none came, or if `other` had one first."""
        while b"\n" not in self._read:
            with selectors.DefaultSelector() as selector:
                for lines in [self, *([other] if other else [])]:
                    selector.register(lines.descriptor, selectors.EVENT_READ, lines)
                ready = [key.data for key, _ in selector.select(seconds)]
            if self not in ready:
                if other in ready and other is not None:
                    other.read(0)
                return None
            try:
                more = os.read(self.descriptor, 4096)
            except OSError:
                more = b""
            if not more:
                self.closed, self.last = True, {}
                return {}
            self._read += more
        first, _, self._read = self._read.partition(b"\n")
        try:
            self.last = dict(json.loads(first))
        except (ValueError, TypeError):
            self.last = {}  # a stranger's
        return self.last


def line(word: dict[str, Any]) -> bytes:
    """One line of JSON."""
    return json.dumps(word).encode() + b"\n"


def say(words: str) -> None:
    """One line on stderr, at once."""
    os.write(2, f"minitensor: {words}\n".encode())


if __name__ == "__main__":
    with suppress(OSError):  # root alone may: then it sees at once who died first
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    os.write(1, b"\n")  # the rank sees that this is there
    Lifeline(**json.loads(sys.argv[1])).watch()
