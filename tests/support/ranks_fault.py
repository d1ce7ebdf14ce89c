"""A program whose last rank, or rank 0, fails in one of many ways: `ranks_fault.py HOW`."""

import os
import signal
import sys
import time

import numpy as np

from minitensor.distribute.agreement import same_on_all_ranks
from minitensor.distribute.launch import launched
from minitensor.distribute.mpi import open_mpi

how = sys.argv[1]
last = launched().rank == launched().size - 1
if how == "missing" and last:
    time.sleep(60)
if how == "fails before" and last:
    raise OSError("no such disk")
comm = open_mpi()


def killed():
    time.sleep(0.3)
    os.kill(os.getpid(), signal.SIGKILL)


if how == "chief killed, others compute":
    if comm.rank == 0:
        killed()
    a = np.ones((3000, 3000))
    while True:
        a @ a
if how == "killed, others wait":
    if last:
        killed()
    comm.all_reduce(np.ones(10))
if how == "killed, others sleep":
    if last:
        killed()
    time.sleep(60)
if how == "killed, others talk":
    while True:
        comm.all_reduce(np.ones(100_000))
        if last and time.process_time() > 1:
            killed()
if how == "fails":
    if last:
        raise ValueError("a bug of the user")
    comm.all_reduce(np.ones(10))
if how == "all fail":
    raise ValueError("a bug of the user")
if how == "leaves":
    if last:
        sys.exit(0)
    comm.all_reduce(np.ones(10))
if how == "other shape":
    same_on_all_ranks(comm, "the shape of dense/kernel", [3, 4 + last])
print("the end")
