"""The mirror of tf.summary: numbers, histograms, images and texts for TensorBoard.

    writer.py       the writers, the step, and what a program writes
    event_file.py   the file

They need the package tensorboard, not TensorFlow.
"""

from minitensor import missing
from minitensor.summary.writer import (
    SummaryWriter,
    create_file_writer,
    create_noop_writer,
    experimental,
    flush,
    histogram,
    image,
    record_if,
    scalar,
    should_record_summaries,
    text,
)

__all__ = [
    "SummaryWriter", "create_file_writer", "create_noop_writer", "experimental", "flush",
    "histogram", "image", "record_if", "scalar", "should_record_summaries", "text",
]  # fmt: skip

__getattr__ = missing.refusing("tf.summary", __name__)
