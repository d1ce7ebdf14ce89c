"""TensorBoard: the course of a training as files that TensorBoard draws."""

from __future__ import annotations

import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from minitensor.extras import require
from minitensor.keras.callbacks.base import Logs
from minitensor.keras.callbacks.monitor import Remembering
from minitensor.keras.engine import defaults
from minitensor.summary.event_file import EventFile


class TensorBoard(Remembering):
    """Writes metrics, weights and the architecture for TensorBoard; needs its package only.

    train/: epoch_loss, epoch_learning_rate, batch_loss, c/kernel/histogram, c/kernel/image, keras
    validation/: epoch_loss, evaluation_loss_vs_iterations

    Args:
        log_dir: folder for train/ and validation/.
        histogram_freq: epochs between two histograms of all weights; 0 for none.
        write_graph: whether the architecture is written.
        write_images: whether weights are written as images too, with the histograms.
        write_steps_per_second: whether the speed is written.
        update_freq: "epoch"; "batch" or a number of batches writes batch_loss ... as well.
        profile_batch, embeddings_freq, embeddings_metadata: must stay as they are.

    Raises:
        ValueError: profiling or embeddings are asked for.
        ImportError: the package tensorboard is missing.

    Example:
        >>> import minitensor as tf
        >>> tf.keras.callbacks.TensorBoard("logs", update_freq="batch").update_freq
        1

    Source: keras.callbacks.TensorBoard
    """

    remembered = ("_train_batch",)

    only_chief = True

    def __init__(
        self,
        log_dir: Any = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: Any = "epoch",
        profile_batch: Any = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: Any = None,
    ) -> None:
        super().__init__()
        images = ("PIL",) if write_images else ()
        require("TensorBoard", "tensorboard", *images, extra="tensorboard")
        if profile_batch or embeddings_freq or embeddings_metadata:
            raise ValueError(
                "TensorBoard: there is no profiling and there are no embeddings here. Received: "
                f"profile_batch={profile_batch}, embeddings_freq={embeddings_freq} (must be 0)"
            )
        self.log_dir = str(log_dir)
        self.histogram_freq, self.write_graph = histogram_freq, write_graph
        self.write_images, self.write_steps_per_second = write_images, write_steps_per_second
        self.update_freq = 1 if update_freq == "batch" else update_freq
        self._files: dict[str, EventFile] = {}
        self._train_batch = 0
        self._batch_began = self._epoch_began = time.time()
        self._steps_before = 0

    def _file(self, name: str) -> EventFile:
        """The file in train/ or validation/; made when something is to be written."""
        if name not in self._files:
            self._files[name] = EventFile(Path(self.log_dir) / name)
        return self._files[name]

    def set_model(self, model: Any) -> None:
        """Begins new files, and writes the architecture."""
        super().set_model(model)
        self._files = {}
        if self.write_graph and model._has_architecture:
            try:
                self._file("train").graph(model.to_json())
            except (TypeError, ValueError) as error:
                warnings.warn(
                    f"Model failed to serialize as JSON. Ignoring... {error}", stacklevel=2
                )

    def on_train_begin(self, logs: Logs = None) -> None:
        self._train_batch = 0

    def on_train_end(self, logs: Logs = None) -> None:
        for file in self._files.values():
            file.close()
        self._files = {}

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        if self.write_steps_per_second:
            self._steps_before, self._epoch_began = self._steps(), time.time()

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        self._train_batch += 1
        self._batch_began = time.time()

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Writes the metrics so far, if batches are written."""
        if self.update_freq == "epoch" or self._train_batch % self.update_freq:
            return
        speed = {"steps_per_second": 1 / (time.time() - self._batch_began)}
        shown = (speed if self.write_steps_per_second else {}) | (logs or {})
        self._scalars("train", "batch_{}", shown, self._train_batch)

    def on_test_end(self, logs: Logs = None) -> None:
        """Writes the metrics of an evaluation over the steps of the optimizer."""
        if getattr(self.model, "optimizer", None) is not None:
            self._scalars("validation", "evaluation_{}_vs_iterations", logs or {}, self._steps())

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Writes the metrics, and the weights if it is time."""
        if logs:
            own = {name: value for name, value in logs.items() if not name.startswith("val_")}
            own["learning_rate"] = float(self.model.optimizer.learning_rate)
            if self.write_steps_per_second:
                elapsed = time.time() - self._epoch_began
                own["steps_per_second"] = (self._steps() - self._steps_before) / elapsed
            val = {name[4:]: value for name, value in logs.items() if name.startswith("val_")}
            self._scalars("train", "epoch_{}", own, epoch)
            self._scalars("validation", "epoch_{}", val, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._weights(epoch)

    def _steps(self) -> int:
        return int(self.model.optimizer.iterations)

    def _scalars(self, name: str, tag: str, values: dict[str, Any], step: int) -> None:
        for key, value in values.items():
            self._file(name).scalar(tag.format(key), value, step)

    def _weights(self, epoch: int) -> None:
        for weight in (w for layer in self.model.layers for w in layer.weights):
            tag, value = weight.path.replace(":", "_"), np.asarray(weight.numpy())
            self._file("train").histogram(f"{tag}/histogram", value, epoch)
            images = _as_images(value)
            if self.write_images and images is not None:
                self._file("train").images(f"{tag}/image", images, epoch)


def _as_images(weight: np.ndarray) -> np.ndarray | None:
    """A weight as images (N, H, W, C): one per filter, lying on its long side; None if it is none.

    Source: keras.callbacks.TensorBoard._log_weight_as_image
    """
    image = np.squeeze(weight)
    if image.ndim == 1:
        return image.reshape(1, -1, 1, 1)
    if image.ndim == 2:
        image = image.T if image.shape[0] > image.shape[1] else image
        return image[None, :, :, None]
    if image.ndim == 3:
        last = defaults.image_data_format() == "channels_last"
        return (image.transpose(2, 0, 1) if last else image)[..., None]
    return image if image.ndim == 4 and image.shape[-1] in (1, 3, 4) else None
