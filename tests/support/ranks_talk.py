"""What each rank runs in tests/distribute/test_processes.py: every collective, checked by NumPy."""

import ml_dtypes
import numpy as np

from minitensor.distribute.mpi import open_mpi

comm = open_mpi()
rank, size = comm.rank, comm.size
DTYPES = [
    "float16", ml_dtypes.bfloat16, "float32", "float64", "complex64",
    "bool", "int8", "uint8", "int32", "int64", "uint64",
]  # fmt: skip


def is_the_same_everywhere(array):
    bits = comm.all_gather(np.frombuffer(array.tobytes(), np.uint8))
    return all(np.array_equal(part, bits[0]) for part in bits)


for dtype in DTYPES:
    parts = [np.random.default_rng(k).integers(0, 9, (3, 5)).astype(dtype) for k in range(size)]
    for op, join in (("sum", np.add), ("max", np.maximum), ("min", np.minimum)):
        wanted = parts[0]
        for part in parts[1:]:
            wanted = join(wanted, part)
        found = comm.all_reduce(parts[rank], op)
        assert found.dtype == parts[0].dtype, (dtype, op)
        assert np.array_equal(found, wanted), (dtype, op, found, wanted)
        assert comm.all_reduce(parts[rank][0, 0], op).shape == ()

noise = np.random.default_rng(rank).normal(size=1_000_003).astype(np.float32)
first = comm.all_reduce(noise)
assert is_the_same_everywhere(first)
assert np.array_equal(first, comm.all_reduce(noise))
spoilt = np.array([np.nan if rank == size - 1 else 1.0])
assert np.isnan(comm.all_reduce(spoilt, "max")).all()
assert np.isnan(comm.all_reduce(spoilt)).all()
wide = np.asfortranarray(np.arange(6.0).reshape(2, 3))
assert np.array_equal(comm.all_reduce(wide), size * wide)

begun = comm.bytes_sent
arrays = [np.full(100_000 * (k + 1), rank + k, np.float32) for k in range(5)]
arrays.append(np.full(9, rank, np.float16))
pending = [comm.start_all_reduce(array) for array in arrays]
while not pending[0].test():
    pass
for sent in reversed(pending):
    sent.wait()
    sent.wait()
    assert sent.test()
for k, array in enumerate(arrays[:5]):
    assert (array == sum(range(size)) + k * size).all()
assert (arrays[5] == sum(range(size))).all()
assert comm.pending == 0
whole = sum(array.nbytes for array in arrays)
assert abs(comm.bytes_sent - begun - 2 * (size - 1) / size * whole) < len(arrays)

gathered = comm.all_gather(np.full((rank, 2), rank, "int16"))
assert [part.shape for part in gathered] == [(k, 2) for k in range(size)]
assert all((part == k).all() and part.dtype == "int16" for k, part in enumerate(gathered))
assert comm.all_gather_object({"r": [rank, "é", None]}) == [
    {"r": [k, "é", None]} for k in range(size)
]
assert (comm.broadcast(np.full((2, 3), rank), size - 1) == size - 1).all()
assert comm.broadcast(np.array(ml_dtypes.bfloat16(rank + 3))) == 3
comm.barrier()
assert open_mpi() is comm
print(f"rank {rank} of {size}: {comm.waited >= 0}")
