"""What each of several workers reads, against TensorFlow's own functions for tf.distribute."""

import pytest

import minitensor as mt
from minitensor.data import sharding

POLICIES = ("FILE", "DATA", "AUTO", "HINT", "OFF")


@pytest.fixture(scope="module")
def peer(tf):
    from tensorflow.python.data.experimental.ops import distribute

    return distribute


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Four files of three records, and of three lines."""
    made = tmp_path_factory.mktemp("files")
    for k in range(4):
        names = [f"{k}{n}" for n in range(3)]
        (made / f"{k}.txt").write_text("\n".join(names))
        with mt.io.TFRecordWriter(made / f"{k}.rec") as file:
            for name in names:
                file.write(name)
    return made


def paths(folder, kind="rec", count=4):
    return [str(folder / f"{k}.{kind}") for k in range(count)]


def hinted(lib, dataset):
    hint = lib.data.experimental.SHARD_HINT
    return dataset.shard(hint, hint)


PIPELINES = {
    "records": lambda lib, f: lib.data.TFRecordDataset(paths(f)),
    "records in parallel": lambda lib, f: lib.data.TFRecordDataset(paths(f), num_parallel_reads=2),
    "lines": lambda lib, f: lib.data.TextLineDataset(paths(f, "txt")),
    "a list of files": lambda lib, f: lib.data.TFRecordDataset(
        lib.data.Dataset.list_files(f"{f}/*.rec", shuffle=False)
    ),
    "interleave": lambda lib, f: lib.data.Dataset.from_tensor_slices(paths(f)).interleave(
        lib.data.TFRecordDataset, cycle_length=2
    ),
    "interleave in parallel": lambda lib, f: (
        lib.data.Dataset.from_tensor_slices(paths(f))
        .interleave(lib.data.TFRecordDataset, cycle_length=2, num_parallel_calls=2)
        .batch(4)
    ),
    "flat_map": lambda lib, f: lib.data.Dataset.from_tensor_slices(paths(f)).flat_map(
        lib.data.TFRecordDataset
    ),
    "some files": lambda lib, f: (
        lib.data.Dataset.from_tensor_slices(paths(f)).take(3).flat_map(lib.data.TFRecordDataset)
    ),
    "files again": lambda lib, f: (
        lib.data.Dataset.from_tensor_slices(paths(f)).repeat(2).flat_map(lib.data.TFRecordDataset)
    ),
    "mapped names": lambda lib, f: (
        lib.data.Dataset.from_tensor_slices(["0", "1", "2", "3"])
        .map(lambda name: f"{f}/" + name + ".rec")
        .flat_map(lib.data.TFRecordDataset)
    ),
    "files that are read whole": lambda lib, f: lib.data.Dataset.list_files(
        f"{f}/*.txt", shuffle=False
    ).map(lib.io.read_file),
    "steps": lambda lib, f: (
        lib.data.TFRecordDataset(paths(f))
        .map(lambda s: s + "!", 2)
        .repeat(2)
        .skip(1)
        .batch(4)
        .prefetch(1)
    ),
    "two readers": lambda lib, f: lib.data.Dataset.zip(
        (lib.data.TFRecordDataset(paths(f)), lib.data.TextLineDataset(paths(f, "txt")))
    ).map(lambda a, b: a + b),
    "one after the other": lambda lib, f: lib.data.TFRecordDataset(paths(f)).concatenate(
        lib.data.TextLineDataset(paths(f, "txt"))
    ),
    "chosen": lambda lib, f: lib.data.Dataset.choose_from_datasets(
        [lib.data.TFRecordDataset(paths(f)), lib.data.TextLineDataset(paths(f, "txt"))],
        lib.data.Dataset.range(2).repeat(8),
    ),
    "numbers": lambda lib, f: lib.data.Dataset.range(10),
    "batches": lambda lib, f: lib.data.Dataset.range(10).batch(4).prefetch(2),
    "a generator": lambda lib, f: lib.data.Dataset.from_generator(
        lambda: iter(range(7)), output_signature=lib.TensorSpec([], lib.int64)
    ),
    "rebatch": lambda lib, f: lib.data.Dataset.range(10).batch(4).rebatch([2, 2]).prefetch(1),
    "a hint": lambda lib, f: hinted(lib, lib.data.Dataset.range(10)).batch(2),
}


def listed(dataset):
    return [x.numpy().tolist() if hasattr(x.numpy(), "tolist") else x.numpy() for x in dataset]


def parts(lib, shard, dataset, policy, workers):
    """What each worker reads, or the kind of error."""
    options = lib.data.Options()
    options.experimental_distribute.auto_shard_policy = lib.data.experimental.AutoShardPolicy[
        policy
    ]
    dataset = dataset.with_options(options)
    kinds = (lib.errors.NotFoundError, lib.errors.FailedPreconditionError)
    found = []
    for index in range(workers):
        try:
            found.append(listed(shard(dataset, workers, index, workers)))
        except kinds as problem:
            found.append(type(problem).__name__)
    return found


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", PIPELINES)
def test_workers_read_what_tensorflow_s_read(tf, peer, folder, name, policy):
    make = PIPELINES[name]
    for workers in (1, 2, 3):
        assert parts(mt, sharding.auto_shard, make(mt, folder), policy, workers) == parts(
            tf, peer._AutoShardDataset, make(tf, folder), policy, workers
        )


def test_workers_read_everything_once_where_tensorflow_loses_half(tf, peer, folder):
    """AUTO with a source of files beside another: TensorFlow cuts the files, then the elements."""
    read = []
    for lib, shard in ((mt, sharding.auto_shard), (tf, peer._AutoShardDataset)):
        both = lib.data.Dataset.zip(
            (lib.data.TFRecordDataset(paths(folder)), lib.data.Dataset.range(12))
        ).map(lambda a, b: a)
        read.append([len(part) for part in parts(lib, shard, both, "AUTO", 2)])
    assert read == [[6, 6], [3, 3]]


@pytest.mark.parametrize("policy", ["FILE", "AUTO"])
def test_fewer_files_than_workers_are_an_error_for_all(tf, peer, folder, policy):
    """TensorFlow tells one of the workers; another reads nothing."""
    says = r"only has 1 file\(s\), which is not enough for the required 2 shards/workers"
    for lib, shard in ((mt, sharding.auto_shard), (tf, peer._AutoShardDataset)):
        dataset = lib.data.TFRecordDataset(paths(folder, count=1))
        with pytest.raises(lib.errors.InvalidArgumentError, match=says):
            parts(lib, shard, dataset, policy, 2)
    for index in range(2):
        with pytest.raises(ValueError, match=says):
            list(sharding.auto_shard(mt.data.TFRecordDataset(paths(folder, count=1)), 2, index))


@pytest.mark.parametrize("workers", [2, 3])
def test_files_are_parted_before_they_are_shuffled(folder, workers):
    """So that each is read once, however differently the workers shuffle."""
    files = mt.data.Dataset.list_files(f"{folder}/*.rec")
    lists = mt.data.Dataset.from_tensor_slices(paths(folder)).shuffle(4)
    for dataset in (
        mt.data.TFRecordDataset(files),
        lists.interleave(mt.data.TFRecordDataset, num_parallel_calls=2),
    ):
        orders = set()
        for _ in range(20):
            found = [listed(sharding.auto_shard(dataset, workers, k)) for k in range(workers)]
            whole = sorted(x for part in found for x in part)
            assert whole == sorted(f"{k}{n}".encode() for k in range(4) for n in range(3))
            orders.add(tuple(found[0]))
        assert len(orders) == 2  # worker 0 has two files


def batches(lib, count, size, how):
    dataset = lib.data.Dataset.range(count)
    if how == "mapped":  # nobody can say how large its batches are
        return dataset.batch(size).map(lambda x: x * 1)
    return dataset.batch(size)


@pytest.mark.parametrize("how", ["", "mapped"])
def test_global_batches_become_the_replicas(tf, peer, how):
    """As tensorflow/python/distribute/input_lib.py composes them."""
    for count, size in ((16, 8), (10, 4), (7, 3), (3, 3), (1, 5), (0, 4)):
        for workers, replicas in ((1, 1), (1, 2), (2, 1), (2, 2), (1, 3), (3, 1)):
            for index in range(workers):
                whole = batches(tf, count, size, how)
                known = int(peer.compute_batch_size(whole))
                if known > 0:
                    sizes = peer.batch_sizes_for_worker(known, workers, replicas, index)
                    cut = whole.rebatch(sizes)
                else:
                    cut = peer._LegacyRebatchDataset(whole, workers * replicas)
                theirs = peer._AutoShardDataset(cut, workers, index, workers * replicas)
                ours = sharding.distributed(batches(mt, count, size, how), workers, index, replicas)
                assert listed(ours) == listed(theirs), (count, size, workers, replicas, index)


def test_batches_of_a_worker_s_own_files(tf, peer, folder):
    for size in (2, 4, 5):
        for replicas in (1, 2, 3):
            for index in range(2):
                found = []
                for lib in (mt, tf):
                    whole = lib.data.TFRecordDataset(paths(folder)).batch(size)
                    if lib is mt:
                        found.append(listed(sharding.distributed(whole, 2, index, replicas)))
                        continue
                    sizes = peer.batch_sizes_for_worker(size, 2, replicas, index)
                    cut = whole.rebatch(sizes)
                    found.append(listed(peer._AutoShardDataset(cut, 2, index, 2 * replicas)))
                assert found[0] == found[1], (size, replicas, index)


SIZED = {
    "batch": lambda b, lib: b(4),
    "steps": lambda b, lib: b(4).shuffle(3).repeat(2).take(3).skip(1).shard(2, 0).prefetch(1),
    "more steps": lambda b, lib: (
        b(4).cache().filter(lambda x: True).with_options(lib.data.Options())
    ),
    "map": lambda b, lib: b(4).map(lambda x: x + 1),
    "padded": lambda b, lib: b(4).unbatch().padded_batch(5),
    "again": lambda b, lib: b(4).batch(2),
    "whole": lambda b, lib: b(4).unbatch().batch(3, drop_remainder=True),
    "the same": lambda b, lib: b(4).concatenate(b(4)),
    "another": lambda b, lib: b(4).concatenate(b(3)),
    "both": lambda b, lib: lib.data.Dataset.zip((b(4), b(4))),
    "both different": lambda b, lib: lib.data.Dataset.zip((b(4), b(3))),
    "rebatch": lambda b, lib: b(4).rebatch(2),
    "interleave": lambda b, lib: lib.data.Dataset.range(3).interleave(lambda n: b(4)),
    "take_while": lambda b, lib: b(4).take_while(lambda x: True),
    "ignore_errors": lambda b, lib: b(4).ignore_errors(),
    "one": lambda b, lib: lib.data.Dataset.from_tensors([1, 2, 3]),
    "asserted": lambda b, lib: b(4).apply(lib.data.experimental.assert_cardinality(3)),
}


@pytest.mark.parametrize("name", SIZED)
def test_the_size_of_a_batch_is_found_where_tensorflow_finds_it(tf, peer, name):
    ours, theirs = (
        SIZED[name](lambda size, lib=lib: lib.data.Dataset.range(10).batch(size), lib)
        for lib in (mt, tf)
    )
    assert sharding.batch_size_of(ours) == int(peer.compute_batch_size(theirs))


def test_sizes_for_workers(tf, peer):
    for size in (0, 1, 3, 7, 8, 10):
        for workers in (1, 2, 3):
            for replicas in (1, 2, 4):
                for index in range(workers):
                    given = size, workers, replicas, index
                    theirs = peer.batch_sizes_for_worker(*given).numpy().tolist()
                    assert sharding.batch_sizes_for_worker(*given) == theirs


@pytest.mark.parametrize("sizes", [[1, 1, 1, 0], [0, 1, 1, 1], [0, 2], [2, 1]])
def test_empty_batches_have_their_turn(tf, sizes):
    for count in (3, 5, 6, 7):
        for whole in (False, True):
            ours, theirs = (
                listed(lib.data.Dataset.range(count).batch(3).rebatch(sizes, whole))
                for lib in (mt, tf)
            )
            assert ours == theirs


def test_what_cannot_be_is_refused(folder):
    for workers, index in ((2, 2), (0, 0), (2, -1)):
        with pytest.raises(ValueError, match="index must be between"):
            sharding.auto_shard(mt.data.Dataset.range(3), workers, index)
    with pytest.raises(ValueError, match="Expected dataset with rank"):
        sharding.distributed(mt.data.Dataset.range(3), 2, 0)
    with pytest.raises(ValueError, match="above 0"):
        mt.data.Dataset.range(4).batch(2).rebatch([0, 0])
