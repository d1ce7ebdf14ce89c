"""Three hundred damaged files of records through whole pipelines: each an error that says where.

Whatever comes before the error is what was written. TensorFlow reads the same files: where it gives
an error, there is one here; and there is one where it takes a cut for the end of the file.
"""

import re
import struct

import numpy as np
import pytest

import minitensor as mt
from minitensor.io import wire
from minitensor.io.crc32c import crc32c, masked

COUNT = 40  # records of a file
LABELS = "label", "pixels", "name"


def example(lib, k):
    train = lib.train
    lists = {
        "label": train.Feature(int64_list=train.Int64List(value=[k])),
        "pixels": train.Feature(float_list=train.FloatList(value=[k, k / 2, -k])),
        "name": train.Feature(bytes_list=train.BytesList(value=[b"image %d" % k] * (k % 3))),
    }
    return train.Example(features=train.Features(feature=lists)).SerializeToString()


def features(lib):
    return {
        "label": lib.io.FixedLenFeature([], lib.int64),
        "pixels": lib.io.FixedLenFeature([3], lib.float32),
        "name": lib.io.VarLenFeature(lib.string),
    }


def framed(record):
    head = struct.pack("<Q", len(record))
    sums = [struct.pack("<I", masked(crc32c(part))) for part in (head, record)]
    return head + sums[0] + record + sums[1]


def cut(whole, random):
    """Not between two records: that cannot be seen."""
    at = int(random.integers(1, len(whole)))
    ends = np.cumsum([len(framed(example(mt, k))) for k in range(COUNT)])
    return whole[: at - (at in ends)]


def flipped(whole, random):
    """One bit in a length, a check sum or a record."""
    at = int(random.integers(len(whole)))
    return whole[:at] + bytes([whole[at] ^ 1 << random.integers(8)]) + whole[at + 1 :]


def lost(whole, random):
    """Some bytes are missing, or come twice."""
    at, size = int(random.integers(len(whole) - 9)), int(random.integers(1, 9))
    return whole[:at] + whole[at + size * (1 if random.random() < 0.5 else -1) :]


def zeroed(whole, random):
    at = int(random.integers(len(whole) - 600))
    return whole[:at] + bytes(600) + whole[at + 600 :]


def garbage(random):
    """No message, under a check sum that is right."""
    return random.bytes(int(random.integers(1, 60)))


def wrong_type(random):
    names = list(LABELS)
    name = names[random.integers(3)]
    other = {"label": "float_list", "pixels": "int64_list", "name": "int64_list"}[name]
    value = np.float32([1]).tobytes() if other == "float_list" else b"\x05"
    feature = wire.field(2 if other == "float_list" else 3, wire.field(1, value))
    entry = wire.field(1, name) + wire.field(2, feature)
    return wire.field(1, wire.field(1, entry))


def wrong_number(random):
    entry = wire.field(1, "pixels") + wire.field(2, wire.field(2, wire.field(1, bytes(8))))
    return wire.field(1, wire.field(1, entry))


def cut_message(random):
    whole = example(mt, int(random.integers(1, 99)))
    return whole[: random.integers(1, len(whole) - 1)]


FRAMES, MESSAGES = (cut, flipped, lost, zeroed), (garbage, wrong_type, wrong_number, cut_message)


def damaged(number):
    """(bytes of a file, how it is packed, whether its frames are damaged)."""
    random = np.random.default_rng(number)
    packed = ("", "GZIP", "ZLIB")[number % 3]
    records = [example(mt, k) for k in range(COUNT)]
    frames = number % 2 == 0
    if not frames:
        records[random.integers(COUNT)] = MESSAGES[number // 2 % 4](random)
    plain = b"".join(map(framed, records))
    inside = frames and number % 4 == 0  # damaged before it was packed
    if inside:
        plain = FRAMES[number // 4 % 4](plain, random)
    whole = packed_as(plain, packed)
    return FRAMES[number // 4 % 4](whole, random) if frames and not inside else whole, packed


def packed_as(plain, packed):
    import gzip
    import zlib

    return {"": bytes, "GZIP": gzip.compress, "ZLIB": zlib.compress}[packed](plain)


def read(lib, path, packed, how):
    """The labels that came, and what the error said, or "end"."""
    calls = 2 if how == "threads" else None
    dataset = lib.data.TFRecordDataset(path, packed, num_parallel_reads=calls)
    if how == "one by one":
        parsed = dataset.map(lambda x: lib.io.parse_single_example(x, features(lib)))
    else:
        parsed = dataset.batch(7).map(lambda x: lib.io.parse_example(x, features(lib)), calls)
    found = []
    try:
        for row in parsed.prefetch(2):
            label, pixels = (np.ravel(row[name].numpy()) for name in ("label", "pixels"))
            assert pixels.tolist() == [x for k in label.tolist() for x in (k, k / 2, -k)]
            found += label.tolist()
    except UnicodeDecodeError as problem:  # TensorFlow's, of its own message about garbage
        assert lib is not mt
        return found, str(problem)
    except (lib.errors.DataLossError, lib.errors.InvalidArgumentError) as problem:
        return found, str(problem)
    return found, "end"


@pytest.mark.parametrize("part", range(10))
def test_every_damaged_file_is_an_error_that_says_where(tf, tmp_path, part):
    path = str(tmp_path / "hurt.tfrecord")
    whole, ends = list(range(COUNT)), 0
    for number in range(part * 30, part * 30 + 30):
        data, packed = damaged(number)
        (tmp_path / "hurt.tfrecord").write_bytes(data)
        for how in ("one by one", "together", "threads"):
            found, said = read(mt, path, packed, how)
            assert found == whole[: len(found)], number
            if said == "end":  # nothing was lost: the damage is in what nobody reads
                assert found == whole, number
            elif "damaged at" in said:
                assert re.match(re.escape(path) + r": damaged at \d+: \w", said), said
            else:
                assert re.match("Key: |Could not parse example input", said), said
        ends += said == "end"
        if number % 2:
            assert said != "end", number
        _, theirs = read(tf, path, packed, "one by one")
        assert said != "end" or theirs == "end", (number, theirs)
    assert ends <= 6  # bits of gzip's head, and of a stream's unused end
