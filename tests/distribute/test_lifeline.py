"""What lifelines do where no launcher ends anybody: ranks are processes that sleep, without MPI."""

import json
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from minitensor.distribute import lifeline

SCRIPT = str(Path(lifeline.__file__))


class Ranks:
    """Sleeping processes, each with its lifeline, that have joined."""

    def __init__(self, size, folder, joined=True):
        server = socket.create_server(("127.0.0.1", 0))
        self.ranks, self.lines = [], []
        for rank in range(size):
            (folder / str(rank)).touch()
            sleeper = subprocess.Popen(["sleep", "60"])
            given = {"rank": rank, "size": size, "process": sleeper.pid, "folder": str(folder)}
            given |= {"here": size, "listening": None if rank else server.fileno()}
            self.ranks.append(sleeper)
            self.lines.append(
                subprocess.Popen(
                    [sys.executable, "-I", "-S", SCRIPT, json.dumps(given)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    pass_fds=[] if rank else [server.fileno()],
                )
            )
        for line in self.lines:
            line.stdout.readline()  # it is there
        address = self.address = ["127.0.0.1", server.getsockname()[1], "secret"]
        server.close()
        for rank in range(size if joined else 0):
            self.tell(rank, {"joined": address})

    def tell(self, rank, word):
        with suppress(OSError):  # it has ended, for the chief's has
            self.lines[rank].stdin.write(json.dumps(word).encode() + b"\n")
            self.lines[rank].stdin.flush()

    def die(self, rank):
        self.ranks[rank].kill()
        self.ranks[rank].wait()
        with suppress(OSError):
            self.lines[rank].stdin.close()

    def said(self):
        """What all lifelines printed until they ended; how long that took."""
        begun = time.monotonic()
        found = ""
        for rank, line in enumerate(self.lines):
            if self.ranks[rank].wait(10) and not line.stdin.closed:
                line.stdin.close()  # as the pipe of a process that has ended
        for line in self.lines:
            line.wait(10)
            found += line.stderr.read().decode()
        return found, time.monotonic() - begun

    def close(self):
        for process in (*self.ranks, *self.lines):
            process.kill()
            process.wait()


@pytest.fixture
def make(tmp_path):
    made = []

    def ranks(*args, **settings):
        made.append(Ranks(*args, tmp_path, **settings))
        time.sleep(0.3)  # they have found each other
        return made[-1]

    yield ranks
    for ranks in made:
        ranks.close()


@pytest.mark.parametrize("rank", [0, 2])
def test_the_others_end_though_nobody_else_ends_them(make, rank):
    ranks = make(3)
    ranks.die(rank)
    said, seconds = ranks.said()
    assert said.count("\n") == 1
    assert said.startswith(f"minitensor: rank {rank} (process {ranks.ranks[rank].pid} on ")
    assert seconds < 10
    assert [process.returncode for process in ranks.ranks] == [-9, -9, -9]


def test_the_first_of_several_is_named(make):
    """mpiexec ends the others at once: the chief may hear of that before it hears of the cause."""
    ranks = make(3)
    ranks.die(2)
    ranks.die(0)
    ranks.die(1)
    assert ranks.said()[0].startswith("minitensor: rank 2 ")


def test_a_rank_that_said_why_it_failed_is_not_named_again(make):
    ranks = make(2)
    ranks.tell(1, {"failed": True})
    ranks.die(1)
    assert ranks.said()[0] == ""
    assert ranks.ranks[0].returncode == -9


def test_a_good_end_is_silent(make):
    ranks = make(2)
    for rank in (1, 0):
        ranks.tell(rank, {"left": True})
        ranks.die(rank)
    assert ranks.said()[0] == ""


def test_who_does_not_come_is_named_and_who_waits_is_ended(make):
    ranks = make(3, joined=False)
    for rank in (0, 1):
        ranks.tell(rank, {"waits": 0.5})
    ranks.ranks[2].kill()
    said, _ = ranks.said()
    assert said.startswith("minitensor: rank 2 did not start tf.distribute within 0.5 s: ")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    "junk", [b"GET / HTTP/1.1\n", b"[1]\n", b'{"secret": "x", "name": "y"}\n', b""]
)
def test_a_stranger_is_not_heard(make, junk):
    ranks = make(2)
    with socket.create_connection(ranks.address[:2]) as stranger:
        stranger.sendall(junk + b'{"died": true}\n')
    time.sleep(0.5)
    assert ranks.ranks[1].poll() is None
    for rank in (0, 1):
        ranks.tell(rank, {"left": True})
        ranks.die(rank)
    assert ranks.said()[0] == ""
