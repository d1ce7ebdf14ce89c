"""The mirror of tf.io: what is read from files and written into them.

files.py      whole files as text tensors
wire.py       protocol buffers; crc32c.py: the check sum of records and checkpoints

The decoders are those of tf.image, under their other names.
"""

from minitensor import gfile
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

__all__ = [
    "decode_bmp", "decode_gif", "decode_image", "decode_jpeg", "decode_png", "decode_raw",
    "encode_jpeg", "encode_png", "gfile", "matching_files", "read_file", "write_file",
]  # fmt: skip
