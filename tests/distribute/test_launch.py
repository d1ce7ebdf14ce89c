"""How ranks are started: by mpiexec and TF_CONFIG, with one line for each way that cannot work."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import ranks

from minitensor.distribute import launch

FAULT = Path(ranks.__file__).with_name("ranks_fault.py")
MPICH = {"PMI_RANK": "1", "PMI_SIZE": "4", "MPI_LOCALNRANKS": "2"}
OPEN_MPI = {
    "OMPI_COMM_WORLD_RANK": "3", "OMPI_COMM_WORLD_SIZE": "8", "OMPI_COMM_WORLD_LOCAL_SIZE": "4",
    "PMIX_NAMESPACE": "prterun-1",
}  # fmt: skip


def tf_config(kind="worker", index=0, **cluster):
    cluster = cluster or {"worker": ["a:1", "b:1"]}
    return json.dumps({"cluster": cluster, "task": {"type": kind, "index": index}})


@pytest.mark.parametrize(
    ("environment", "by", "rank", "size", "here"),
    [
        (MPICH, "MPICH", 1, 4, 2),
        (OPEN_MPI, "Open MPI", 3, 8, 4),
        ({**OPEN_MPI, "SLURM_PROCID": "0", "SLURM_NTASKS": "1"}, "Open MPI", 3, 8, 4),
        ({"SLURM_PROCID": "5", "SLURM_NTASKS": "6"}, "Slurm", 5, 6, 1),
    ],
)
def test_ranks_are_what_the_launcher_says(environment, by, rank, size, here):
    assert launch.launched(environment)[:4] == (by, rank, size, here)


def test_without_a_launcher_there_is_one_process():
    assert launch.launched({}) is None
    assert launch.check({}) is None
    assert launch.check({"TF_CONFIG": tf_config(worker=["a:1"])}) is None
    assert launch.check({"TF_CONFIG": "{}"}) is None


CLUSTERS = [
    ("worker", 0, {"worker": ["a:1", "b:1"]}),
    ("worker", 1, {"worker": ["a:1", "b:1"]}),
    ("chief", 0, {"chief": ["c:1"], "worker": ["a:1", "b:1"]}),
    ("worker", 1, {"chief": ["c:1"], "worker": ["a:1", "b:1"]}),
    ("worker", 0, {"worker": ["a:1"]}),
]


@pytest.mark.live
@pytest.mark.parametrize(("kind", "index", "cluster"), CLUSTERS)
def test_workers_are_numbered_as_tensorflow_numbers_them(tf, kind, index, cluster):
    from tensorflow.python.distribute import multi_worker_util as theirs

    wanted = theirs.id_in_cluster(cluster, kind, index), theirs.worker_count(cluster, kind)
    assert launch.workers({"TF_CONFIG": tf_config(kind, index, **cluster)}) == wanted


@pytest.mark.parametrize(
    ("environment", "seen"),
    [
        ({}, None),
        ({"MPI_LOCALRANKID": "1"}, "1"),
        ({"OMPI_COMM_WORLD_LOCAL_RANK": "1", "CUDA_VISIBLE_DEVICES": "4,5"}, "5"),
        ({"SLURM_LOCALID": "1", "CUDA_VISIBLE_DEVICES": "3"}, "3"),  # Slurm has chosen it
    ],
)
def test_each_rank_of_a_machine_sees_a_gpu_of_its_own(environment, seen):
    launch.take_a_gpu(environment)
    assert environment.get("CUDA_VISIBLE_DEVICES") == seen


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"TF_CONFIG": "x"}, "TF_CONFIG is not what tf.distribute reads, .*: 'x'"),
        ({"TF_CONFIG": "[1]"}, "TF_CONFIG is not what tf.distribute reads"),
        ({"TF_CONFIG": '{"cluster": 3}'}, "TF_CONFIG is not what tf.distribute reads"),
        ({"TF_CONFIG": tf_config("worker", "x")}, "TF_CONFIG is not what tf.distribute reads"),
        ({"TF_CONFIG": tf_config("ps", worker=["a:1"], ps=["b:1"])}, 'in TF_CONFIG is a "ps"'),
        ({"TF_CONFIG": tf_config("evaluator")}, 'in TF_CONFIG is a "evaluator"'),
        ({"TF_CONFIG": tf_config(index=2)}, "is worker 2, but its cluster lists 2"),
        (
            {"TF_CONFIG": tf_config()},
            "names 2 workers, .* was not started by mpiexec",
        ),
        (
            {"TF_CONFIG": tf_config(), **MPICH},
            "names 2 workers, .* started 4 ranks: .*-n 2",
        ),
        (
            {"TF_CONFIG": tf_config(worker=["a:1"] * 4), **MPICH},
            "says that this process is worker 0, but mpiexec made it rank 1",
        ),
    ],
)
def test_what_does_not_fit_together_is_one_line(environment, said):
    with pytest.raises(launch.LaunchError, match=said) as error:
        launch.check(environment)
    assert "\n" not in str(error.value)


def test_the_command_that_is_proposed_works_for_root_and_for_more_ranks_than_cores(
    tmp_path, monkeypatch
):
    mpiexec = tmp_path / "mpiexec"
    mpiexec.write_text("#!/bin/sh\necho 'mpiexec (Open MPI) 5.0.11'\n")
    mpiexec.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    options = "--allow-run-as-root --map-by :OVERSUBSCRIBE"
    assert launch.command(4) == f"mpiexec {options} -n 4 minitensor run train.py"
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert launch.command(2) == "mpiexec -n 2 minitensor run train.py"
    mpiexec.write_text("#!/bin/sh\necho 'HYDRA build details:'\n")
    assert launch.command(4) == "mpiexec -n 4 minitensor run train.py"
    mpiexec.unlink()
    assert "[mpi]', then mpiexec -n 4 minitensor run train.py" in launch.command(4)


# ----- as a person sees it -----


def only_line(run):
    """The one line that is ours."""
    assert run.returncode != 0
    assert "Traceback" not in run.text
    (line,) = (line for line in run.text.splitlines() if line.startswith("minitensor: "))
    return line


@ranks.needs_mpi
def test_without_mpi4py(tmp_path):
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.modules['mpi4py'] = None\n")
    run = ranks.run(2, FAULT, "none", PYTHONPATH=f"{ranks.ROOT}:{tmp_path}")
    assert "tf.distribute on several ranks needs mpi4py: pip install" in only_line(run)


@ranks.needs_mpi
def test_without_an_mpi_library():
    line = only_line(ranks.run(2, FAULT, "none", MPI4PY_LIBMPI="/nowhere/libmpi.so"))
    assert "mpi4py finds no MPI library: pip install" in line


@ranks.needs_mpi
def test_started_by_the_mpiexec_of_another_mpi():
    """Of one that may not be installed: what it puts into the environment is put there here."""
    theirs = MPICH if ranks.is_open_mpi() else OPEN_MPI
    said = dict.fromkeys([k for k in theirs if k.endswith("RANK")], "0")
    said |= dict.fromkeys([k for k in theirs if k.endswith(("SIZE", "NRANKS"))], "1")
    program = [ranks.PYTHON, "-m", "minitensor", "run", str(FAULT), "none"]
    run = subprocess.run(
        program, env=ranks.environment(**said), text=True, capture_output=True, check=False
    )
    assert run.returncode == 1
    assert run.stderr.startswith("minitensor: two MPI libraries are mixed: the mpiexec of ")


@ranks.needs_mpi
@pytest.mark.skipif(sys.executable == ranks.PYTHON, reason="MINITENSOR_MPIEXEC names no second MPI")
def test_two_mpis_mixed_in_earnest():
    run = ranks.run(2, FAULT, "none", python=sys.executable)
    assert "two MPI libraries are mixed" in only_line(run)


@ranks.needs_mpi
def test_a_tf_config_that_fits_one_rank_only_ends_the_others_too():
    run = ranks.run(2, FAULT, "none", TF_CONFIG=tf_config(index=1))
    assert run.seconds < 20
    assert "is worker 1, but mpiexec made it rank 0" in only_line(run)


@ranks.needs_mpi
def test_a_tf_config_that_fits_none_is_said_once():
    run = ranks.run(2, FAULT, "none", TF_CONFIG=tf_config(worker=["a:1"] * 3))
    assert "names 3 workers, but mpiexec started 2 ranks" in only_line(run)
