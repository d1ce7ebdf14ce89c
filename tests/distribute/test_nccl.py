"""GPUs that speak by NCCL, on CuPy's stand-in, and a communicator of one on a real GPU."""

import threading

import numpy as np
import pytest
from cuda_fixtures import compiler, gpu, stand_in  # noqa: F401 -- fixtures

import minitensor as tf
from minitensor.backend.errors import DeviceError
from minitensor.distribute import buckets
from minitensor.distribute.communicator import Alone
from minitensor.distribute.nccl import NCCL

TYPES = ["float16", "float32", "float64", "complex64", "int8", "uint8", "int32", "int64", "bool"]


class Host:
    """The processes' communicator, for threads."""

    bytes_sent = 0

    def __init__(self, rank, size, shared):
        self.rank, self.size, self._shared = rank, size, shared

    def all_gather_object(self, value):
        barrier, said = self._shared
        said[self.rank] = value
        barrier.wait(10)
        found = list(said)
        barrier.wait(10)
        return found


def on_each(size, replica):
    """Calls replica(communicator) in `size` threads; what they return."""
    found, errors = [None] * size, []
    shared = threading.Barrier(size), [None] * size

    def run(rank):
        try:
            found[rank] = replica(NCCL(Host(rank, size, shared)))
        except BaseException as error:
            errors.append(error)
            shared[0].abort()

    threads = [threading.Thread(target=run, args=(rank,)) for rank in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    if errors:
        raise errors[0]
    return found


def parts(size, dtype="float32", shape=(3, 5)):
    draws = [np.random.default_rng(k).integers(0, 9, shape) for k in range(size)]
    return [draw.astype(dtype) for draw in draws]


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("op", ["sum", "max", "min"])
def test_what_all_have_together_is_what_numpy_says(stand_in, dtype, op):
    own = parts(3, dtype)

    def replica(c):
        return stand_in.to_numpy(c.all_reduce(stand_in.asarray(own[c.rank]), op))

    wanted = {"sum": np.add, "max": np.maximum, "min": np.minimum}[op]
    for found in on_each(3, replica):
        assert found.dtype == dtype
        np.testing.assert_array_equal(found, wanted(wanted(own[0], own[1]), own[2]))


def test_nan_is_the_largest_and_the_smallest(stand_in):
    def replica(c):
        own = stand_in.asarray(np.array([np.nan if c.rank else 1.0]))
        return [float(c.all_reduce(own, op)[0]) for op in ("max", "min", "sum")]

    assert np.isnan(on_each(2, replica)).all()


def test_several_sums_are_on_their_way_at_once(stand_in):
    def replica(c):
        arrays = [stand_in.asarray(np.full(7, c.rank + k, t)) for k, t in enumerate("fde")]
        sent = [c.start_all_reduce(array) for array in arrays]
        assert not sent[0].test()  # nothing has waited for it yet
        for pending in reversed(sent):
            pending.wait()
            pending.wait()
        assert sent[0].test()
        assert c.bytes_sent == sum(array.nbytes for array in arrays)  # 2(p-1)/p = 1
        return [stand_in.to_numpy(array) for array in arrays]

    for found in on_each(2, replica):
        for k, array in enumerate(found):
            np.testing.assert_array_equal(array, np.full(7, 1 + 2 * k, array.dtype))


def test_what_was_sent_is_not_there_before_somebody_waits(stand_in):
    def replica(c):
        array = stand_in.asarray(np.ones(3, np.float32))
        sent = c.start_all_reduce(array)
        early = stand_in.to_numpy(array)
        sent.wait()
        return early

    assert np.isnan(on_each(2, replica)).all()


def test_parts_of_different_lengths_are_gathered(stand_in):
    def replica(c):
        own = stand_in.asarray(np.full((c.rank, 2), c.rank, np.int32))
        return [stand_in.to_numpy(part) for part in c.all_gather(own)]

    for found in on_each(3, replica):
        assert [part.tolist() for part in found] == [[], [[1, 1]], [[2, 2], [2, 2]]]


def test_the_root_sends_to_all(stand_in):
    def replica(c):
        return stand_in.to_numpy(c.broadcast(stand_in.asarray(np.full((2, 2), c.rank)), 1))

    assert all((found == 1).all() for found in on_each(3, replica))


def test_gradients_travel_in_buckets(stand_in):
    shapes = [(3, 4), (4,), (), (2, 2, 2)]

    def replica(c):
        arrays = [stand_in.asarray(np.full(s, c.rank + 1.0, np.float32)) for s in shapes]
        return [stand_in.to_numpy(total) for total in buckets.sums(c, arrays)]

    for found in on_each(2, replica):
        assert [total.shape for total in found] == shapes
        assert all((total == 3).all() for total in found)


def test_a_strategy_made_on_the_gpu_speaks_by_nccl(stand_in):
    with tf.device("GPU"):
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
    assert strategy.worker_devices == ("/job:localhost/replica:0/task:0/device:GPU:0",)
    assert isinstance(strategy.contexts[0].communicator, NCCL)

    def replica():
        context = tf.distribute.get_replica_context()
        return context.all_reduce("SUM", tf.constant([1.0, 2.0]))

    found = strategy.run(replica)
    assert "GPU" in found.device
    assert found.numpy().tolist() == [1.0, 2.0]


def test_an_array_of_the_host_goes_by_the_host(stand_in):
    host = Alone()
    assert NCCL(host).all_gather(np.arange(3))[0].tolist() == [0, 1, 2]
    assert NCCL(host).broadcast(np.arange(3)).tolist() == [0, 1, 2]
    assert NCCL(host).all_reduce(np.arange(3)).tolist() == [0, 1, 2]
    assert NCCL(host).start_all_reduce(np.arange(3)).test()
    assert NCCL(host).all_gather_object("it") == ["it"]


def test_strides_are_refused(stand_in):
    with pytest.raises(ValueError, match="a contiguous array travels"):
        NCCL(Alone()).start_all_reduce(stand_in.asarray(np.ones((4, 4)))[:, ::2])


def test_without_nccl(stand_in, monkeypatch):
    monkeypatch.setattr(stand_in.device.xp.cuda.nccl, "available", False)
    with pytest.raises(DeviceError, match=r"CuPy finds no NCCL, .*: pip install nvidia-nccl"):
        NCCL(Alone())


def test_a_communicator_of_one_on_this_gpu(gpu):
    """On a real GPU every call goes through NCCL; two GPUs would add that something travels."""
    c = NCCL(Alone())
    for dtype in TYPES:
        own = parts(1, dtype)[0]
        for op in ("sum", "max", "min"):
            found = gpu.to_numpy(c.all_reduce(gpu.asarray(own), op))
            np.testing.assert_array_equal(found, own)
            assert found.dtype == own.dtype
        np.testing.assert_array_equal(gpu.to_numpy(c.broadcast(gpu.asarray(own))), own)
        np.testing.assert_array_equal(gpu.to_numpy(c.all_gather(gpu.asarray(own))[0]), own)
    x = gpu.asarray(np.ones(2**20, np.float32))
    sent = [c.start_all_reduce(x * k) for k in range(4)]
    for pending in sent:
        pending.wait()
    assert c.bytes_sent == 0
