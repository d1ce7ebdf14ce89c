"""The mirror of tf.io: what is read from files and written into them.

files.py      whole files as text tensors
records.py    files of records, which tf.data reads
parsing.py    examples as tensors; layouts.py: the lists of many; examples.py: their bytes; as
              objects: tf.train.Example
wire.py       protocol buffers; crc32c.py: the check sum of records and checkpoints

The decoders are those of tf.image, under their other names.
"""

from minitensor import gfile, missing
from minitensor.image.codec import (
    decode_bmp,
    decode_gif,
    decode_image,
    decode_jpeg,
    decode_png,
    encode_jpeg,
    encode_png,
)
from minitensor.io.files import decode_raw, matching_files, read_file, write_file
from minitensor.io.parsing import (
    FixedLenFeature,
    FixedLenSequenceFeature,
    VarLenFeature,
    parse_example,
    parse_single_example,
    parse_single_sequence_example,
)
from minitensor.io.records import TFRecordOptions, TFRecordWriter

__all__ = [
    "FixedLenFeature", "FixedLenSequenceFeature", "TFRecordOptions", "TFRecordWriter",
    "VarLenFeature", "decode_bmp", "decode_gif", "decode_image", "decode_jpeg", "decode_png",
    "decode_raw", "encode_jpeg", "encode_png", "gfile", "matching_files", "parse_example",
    "parse_single_example", "parse_single_sequence_example", "read_file", "write_file",
]  # fmt: skip

__getattr__ = missing.refusing("tf.io", __name__)
