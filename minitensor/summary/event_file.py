"""EventFile: a file that TensorBoard draws: numbers, histograms, images and texts over steps.

The forms are those of TensorFlow 2: every value is a tensor, with the name of the plugin that shows
it. The `tensorboard` package has them; TensorFlow is not needed, and not imported.
"""

from __future__ import annotations

import io
import itertools
import os
import socket
import time
from pathlib import Path
from typing import Any

import numpy as np

_numbers = itertools.count()


class EventFile:
    """A new file in a folder, which is made if need be."""

    def __init__(self, folder: Path, suffix: str = ".v2") -> None:
        from tensorboard.summary.writer.record_writer import RecordWriter

        folder.mkdir(parents=True, exist_ok=True)
        name = f"{int(time.time())}.{socket.gethostname()}.{os.getpid()}.{next(_numbers)}"
        self._file = open(folder / f"events.out.tfevents.{name}{suffix}", "wb")  # noqa: SIM115
        self._records = RecordWriter(self._file)
        self._event(file_version="brain.Event:2")

    def _event(self, **what: Any) -> None:
        from tensorboard.compat.proto.event_pb2 import Event

        self._records.write(Event(wall_time=time.time(), **what).SerializeToString())
        self._records.flush()  # a training that is killed leaves all it wrote

    def scalar(self, tag: str, value: float, step: int, description: str | None = None) -> None:
        """A number."""
        from tensorboard.plugins.scalar.summary_v2 import scalar_pb

        self._event(summary=scalar_pb(tag, value, description), step=step)

    def histogram(
        self,
        tag: str,
        values: np.ndarray,
        step: int,
        buckets: int | None = None,
        description: str | None = None,
    ) -> None:
        """How numbers are distributed, in 30 buckets if nothing else is said."""
        from tensorboard.plugins.histogram.summary_v2 import histogram_pb

        self._event(summary=histogram_pb(tag, values, buckets, description), step=step)

    def images(
        self, tag: str, images: np.ndarray, step: int, most: int = 3, description: str | None = None
    ) -> None:
        """The first images, (N, H, W, 1 or 3 or 4), bytes or values from 0 to 1."""
        from tensorboard.plugins.image.metadata import create_summary_metadata

        height, width = images.shape[1:3]
        first = images[:most]
        if first.dtype != np.uint8:
            first = (np.clip(first, 0, 1) * 255.5).astype(np.uint8)
        texts = [b"%d" % width, b"%d" % height, *(_png(image) for image in first)]
        self._tensor(tag, texts, create_summary_metadata(None, description), step)

    def text(self, tag: str, words: Any, step: int, description: str | None = None) -> None:
        """A text, or an array of them, which TensorBoard shows as Markdown."""
        from tensorboard.plugins.text.metadata import create_summary_metadata

        self._tensor(tag, words, create_summary_metadata(None, description), step)

    def graph(self, json: str) -> None:
        """The architecture of a Keras model."""
        from tensorboard.compat.proto.summary_pb2 import SummaryMetadata

        plugin = SummaryMetadata.PluginData(plugin_name="graph_keras_model", content=b"1")
        self._tensor("keras", json, SummaryMetadata(plugin_data=plugin), 0)

    def _tensor(self, tag: str, value: Any, metadata: Any, step: int) -> None:
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.util.tensor_util import make_tensor_proto

        summary = Summary()
        summary.value.add(tag=tag, tensor=make_tensor_proto(value), metadata=metadata)
        self._event(summary=summary, step=step)

    def flush(self) -> None:
        """What was written is in the file."""
        self._records.flush()

    def close(self) -> None:
        """Nothing more will come."""
        self._records.close()


def _png(image: np.ndarray) -> bytes:
    """An image (H, W, C) of bytes as a PNG file."""
    from PIL import Image

    memory = io.BytesIO()
    Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(memory, "PNG")
    return memory.getvalue()
