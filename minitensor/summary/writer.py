"""Writers of summaries, which of them is the present one, and what is written with it.

For all that writes:
    Args: `name`: of the curve; the `name_scope` around stands before it. `data`: what is shown.
        `step`: where on the curve; default that of the writer, or of `experimental.set_step`.
        `description`: words that TensorBoard shows with it.
    Returns: whether it was written: not without a writer, and not where `record_if` says no.
    Raises: ValueError, if there is no step, or the data is not of the kind.
    Source: tf.summary, under the same name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from minitensor.autograd import Tensor, as_tensor
from minitensor.autograd.recording import scope
from minitensor.autograd.tensor import ArrayLike
from minitensor.backend.errors import InvalidArgumentError
from minitensor.extras import require
from minitensor.summary.event_file import EventFile

_writers: list[SummaryWriter] = []  # the last one is the present one
_steps: list[Any] = [None]
_recording: list[Any] = [True]


class SummaryWriter:
    """A folder that summaries go to; `create_file_writer` makes one.

    Example:
        >>> import tempfile, minitensor as tf
        >>> with tf.summary.create_file_writer(tempfile.mkdtemp()).as_default(step=0):
        ...     written = tf.summary.scalar("loss", 0.5)
        >>> bool(written)
        True

    Source: tf.summary.SummaryWriter
    """

    def __init__(self, file: EventFile | None) -> None:
        self._file, self._open = file, True

    @contextmanager
    def as_default(self, step: Any = None) -> Iterator[SummaryWriter]:
        """In the block it is the present writer, from this step on if one is given."""
        if not self._open:
            raise RuntimeError("SummaryWriter is already closed")
        mine = [self] if self._file else []  # one that writes nothing leaves the one around
        _writers.extend(mine)
        _steps.append(_steps[-1] if step is None else step)
        try:
            yield self
        finally:
            _steps.pop()
            del _writers[len(_writers) - len(mine) :]
            self.flush()

    def set_as_default(self, step: Any = None) -> None:
        """From now on it is the present writer."""
        if not self._open:
            raise RuntimeError("SummaryWriter is already closed")
        _writers.extend([self] if self._file else [])
        if step is not None:
            _steps[-1] = step

    def init(self) -> None:
        """Nothing: it is ready."""

    def flush(self) -> None:
        """What was written is in the file."""
        if self._file is not None and self._open:
            self._file.flush()

    def close(self) -> None:
        """Nothing more will come."""
        if self._file is not None and self._open:
            self._file.close()
        self._open = False


def create_file_writer(
    logdir: Any,
    max_queue: Any = None,
    flush_millis: Any = None,
    filename_suffix: Any = None,
    name: str | None = None,
    experimental_trackable: bool = False,
    experimental_mesh: Any = None,
) -> SummaryWriter:
    """A writer to a new file in a folder.

    Args:
        logdir: the folder, made if need be.
        filename_suffix: the end of the file's name.
        max_queue, flush_millis, name, experimental_*: ignored.

    Returns:
        A SummaryWriter.

    Raises:
        ImportError: the package tensorboard is missing.

    Example:
        >>> import tempfile, minitensor as tf
        >>> tf.summary.create_file_writer(tempfile.mkdtemp()).close()
    """
    require("tf.summary", "tensorboard", extra="tensorboard")
    return SummaryWriter(EventFile(Path(logdir), filename_suffix or ".v2"))


def create_noop_writer() -> SummaryWriter:
    """A writer that is none: the one around stays the present one."""
    return SummaryWriter(None)


def scalar(name: str, data: Any, step: Any = None, description: str | None = None) -> Any:
    """Writes a number."""
    value = np.asarray(_numbers("scalar", data))
    if value.ndim:
        raise InvalidArgumentError(f"scalar: {name} must be a number, got shape {value.shape}")
    return _write("scalar", name, step, float(value), description=description)


def histogram(
    name: str, data: Any, step: Any = None, buckets: int | None = None, description: Any = None
) -> Any:
    """Writes how numbers are distributed.

    Args:
        buckets: in how many ranges of one width they are counted; default 30.
    """
    values = _numbers("histogram", data)
    return _write("histogram", name, step, values, buckets=buckets, description=description)


def image(
    name: str, data: Any, step: Any = None, max_outputs: int = 3, description: str | None = None
) -> Any:
    """Writes images, (N, H, W, C), bytes or floats from 0 to 1; C = 1, 3 or 4.

    Args:
        max_outputs: how many of them, at most.
    """
    images = _numbers("image", data)
    if images.ndim != 4:
        raise InvalidArgumentError(f"image: {name} must be (N, H, W, C), got shape {images.shape}")
    require("tf.summary.image", "PIL", extra="tensorboard")
    return _write("images", name, step, images, most=max_outputs, description=description)


def text(name: str, data: Any, step: Any = None, description: str | None = None) -> Any:
    """Writes a text, or an array of texts, in Markdown."""
    words = data.numpy() if isinstance(data, ArrayLike) else data
    flat = np.asarray(words, object)
    if not all(isinstance(word, str | bytes) for word in flat.ravel()):
        raise InvalidArgumentError(f"text: {name} must be text, got {data!r}")
    value = words if flat.ndim == 0 else flat
    return _write("text", name, step, value, description=description)


def _numbers(kind: str, data: Any) -> Any:
    value = as_tensor(data, None, kind).numpy()
    return np.asarray(value, np.float32 if value.dtype.name == "bfloat16" else value.dtype)


def _write(kind: str, name: str, step: Any, value: Any, **settings: Any) -> Tensor:
    if not _writers or not should_record_summaries():
        return as_tensor(False)
    at = _steps[-1] if step is None else step
    if at is None:
        raise ValueError(
            f"No step set for {name!r}. Give it as `step`, to `writer.as_default(step)`, or to "
            "`tf.summary.experimental.set_step()`."
        )
    file = _writers[-1]._file
    getattr(file, kind)(f"{scope.get()}{name}", value, int(at), **settings)
    return as_tensor(True)


def flush(writer: SummaryWriter | None = None, name: str | None = None) -> None:
    """What was written is in the file of a writer; default the present one."""
    if writer is not None or _writers:
        (writer or _writers[-1]).flush()


@contextmanager
def record_if(condition: Any) -> Iterator[None]:
    """In the block summaries are written only where this is true.

    Args:
        condition: a truth value, or a function that gives one each time.
    """
    _recording.append(condition)
    try:
        yield
    finally:
        _recording.pop()


def should_record_summaries() -> bool:
    """Whether there is a writer, and `record_if` says yes."""
    condition: Any | Callable[[], Any] = _recording[-1]
    return bool(_writers) and bool(condition() if callable(condition) else condition)


class experimental:  # noqa: N801  TensorFlow's name
    """The step of what is written without one. Source: tf.summary.experimental"""

    @staticmethod
    def set_step(step: Any) -> None:
        """Sets it: a number, or a variable that is read each time."""
        _steps[-1] = step

    @staticmethod
    def get_step() -> Any:
        """What was set; None at first."""
        return _steps[-1]
