"""Batches of images out of an array or a folder, without end, as an ImageDataGenerator makes them.

Order and transformations come from NumPy's shared generator, or from one for each batch if there
is a seed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from minitensor.keras.engine import defaults
from minitensor.keras.utils.directory import image_files
from minitensor.keras.utils.images import array_to_img, img_to_array, load_img
from minitensor.keras.utils.sequence import PyDataset

if TYPE_CHECKING:
    from minitensor.keras.preprocessing.image_generator import ImageDataGenerator

_CHANNELS = {"grayscale": 1, "rgb": 3, "rgba": 4}
_ENDINGS = (".bmp", ".jpeg", ".jpg", ".png")  # of Keras' those that load_img reads
_MODES = ("categorical", "binary", "sparse", "input", None)


class _Batches(PyDataset):
    """Batches without end: of all n samples, in another order after each pass.

    Attributes:
        n, batch_size, shuffle, seed: as asked for.
        batch_index, total_batches_seen: where it is.
        index_array: the order of this pass.
    """

    data_format: str
    save_to_dir: Any
    save_prefix: str
    save_format: str

    def __init__(self, n: int, batch_size: int, shuffle: bool, seed: int | None) -> None:
        super().__init__()
        self.n, self.batch_size, self.shuffle, self.seed = n, batch_size, shuffle, seed
        self.batch_index = self.total_batches_seen = 0
        self.index_array: Any = None

    def __len__(self) -> int:
        return -(-self.n // self.batch_size)

    def reset(self) -> None:
        """Begins with the first batch again."""
        self.batch_index = 0

    def on_epoch_end(self) -> None:
        """Draws another order."""
        self._order(np.random)

    def _order(self, draw: Any) -> None:
        self.index_array = draw.permutation(self.n) if self.shuffle else np.arange(self.n)

    def _draw(self) -> Any:
        """The random numbers of the next batch."""
        seen, self.total_batches_seen = self.total_batches_seen, self.total_batches_seen + 1
        return np.random if self.seed is None else np.random.RandomState(self.seed + seen)

    def __getitem__(self, idx: int) -> Any:
        if not 0 <= idx < len(self):
            raise ValueError(
                f"Asked to retrieve element {idx}, but the Sequence has length {len(self)}"
            )
        draw = self._draw()
        if self.index_array is None:
            self._order(draw)
        return self._batch(self.index_array[self.batch_size * idx :][: self.batch_size], draw)

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        draw, first = self._draw(), self.batch_index * self.batch_size
        if self.batch_index == 0:
            self._order(draw)
        self.batch_index = self.batch_index + 1 if self.n > first + self.batch_size else 0
        return self._batch(self.index_array[first : first + self.batch_size], draw)

    def _batch(self, indices: np.ndarray, draw: Any) -> Any:
        """The samples of these numbers, transformed; what a subclass writes."""
        raise NotImplementedError

    def _save(self, images: np.ndarray, indices: np.ndarray, draw: Any, most: float) -> None:
        """Writes the images of a batch, if a folder was said."""
        if not self.save_to_dir:
            return
        for image, j in zip(images, indices, strict=True):
            name = f"{self.save_prefix}_{j}_{draw.randint(most)}.{self.save_format}"
            picture = array_to_img(image, self.data_format, scale=True)
            picture.save(os.path.join(self.save_to_dir, name))


class NumpyArrayIterator(_Batches):
    """What `ImageDataGenerator.flow` gives: see there.

    Source: keras.preprocessing.image.NumpyArrayIterator
    """

    def __init__(
        self,
        x: Any,
        y: Any,
        image_data_generator: ImageDataGenerator,
        batch_size: int = 32,
        shuffle: bool = False,
        sample_weight: Any = None,
        seed: int | None = None,
        data_format: str | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        ignore_class_split: bool = False,
        dtype: Any = None,
    ) -> None:
        x, *more = x if isinstance(x, list | tuple) else (x,)
        more = list(more[0]) if more and isinstance(more[0], list) else more
        _check_lengths(x, {"y": y, "sample_weight": sample_weight}, more)
        part = _part(subset, image_data_generator, len(x))
        if subset is not None and y is not None and not ignore_class_split:
            _check_classes(np.asarray(y), part)
        self.x = np.asarray(x, dtype or defaults.floatx())[part]
        self.x_misc = [np.asarray(m)[part] for m in more]
        self.y = None if y is None else np.asarray(y)[part]
        self.sample_weight = None if sample_weight is None else np.asarray(sample_weight)
        if self.x.ndim != 4:
            raise ValueError(
                "Input data in `NumpyArrayIterator` should have rank 4. You passed an array with "
                f"shape {self.x.shape}"
            )
        self.image_data_generator = image_data_generator
        self.data_format = data_format or defaults.image_data_format()
        self.save_to_dir, self.save_prefix, self.save_format = save_to_dir, save_prefix, save_format
        super().__init__(len(self.x), batch_size, shuffle, seed)

    def _batch(self, indices: np.ndarray, draw: Any) -> Any:
        images = _transformed(self.image_data_generator, (self.x[j] for j in indices), draw)
        batch = np.asarray(images, self.x.dtype).reshape(-1, *self.x.shape[1:])
        self._save(batch, indices, draw, 1e4)
        x: Any = [batch, *(more[indices] for more in self.x_misc)] if self.x_misc else batch
        rest = [v[indices] for v in (self.y, self.sample_weight) if v is not None]
        return (x, *rest) if self.y is not None else x


class DirectoryIterator(_Batches):
    """What `ImageDataGenerator.flow_from_directory` gives: see there.

    Attributes:
        samples, num_classes: how many there are.
        class_indices: {folder: number}.
        classes, labels: the number of each image.
        filenames, filepaths: of each image, in the folder and whole.
        image_shape: of one image.

    Source: keras.preprocessing.image.DirectoryIterator
    """

    def __init__(
        self,
        directory: Any,
        image_data_generator: ImageDataGenerator,
        target_size: Any = (256, 256),
        color_mode: str = "rgb",
        classes: Any = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        data_format: str | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
        dtype: Any = None,
    ) -> None:
        if color_mode not in _CHANNELS:
            raise ValueError(
                f'Invalid color mode: {color_mode}; expected "rgb", "rgba", or "grayscale".'
            )
        if class_mode not in _MODES:
            raise ValueError(f"Invalid class_mode: {class_mode}; expected one of: {_MODES}")
        self.directory, self.image_data_generator = directory, image_data_generator
        self.target_size, self.color_mode = tuple(target_size), color_mode
        self.class_mode = class_mode
        self.interpolation, self.keep_aspect_ratio = interpolation, keep_aspect_ratio
        self.save_to_dir, self.save_prefix, self.save_format = save_to_dir, save_prefix, save_format
        self.data_format = data_format or defaults.image_data_format()
        self.dtype, channels = dtype or defaults.floatx(), _CHANNELS[color_mode]
        last = self.data_format == "channels_last"
        self.image_shape = (*self.target_size, channels) if last else (channels, *self.target_size)
        self._find(classes, follow_links, subset)
        super().__init__(self.samples, batch_size, shuffle, seed)

    def _find(self, classes: Any, follow_links: bool, subset: str | None) -> None:
        """Lists the images of each class, or the part of them that `subset` is."""
        root = os.fspath(self.directory)
        folders = classes or sorted(e.name for e in os.scandir(root) if e.is_dir())
        self.num_classes = len(folders)
        self.class_indices = {name: i for i, name in enumerate(folders)}
        self.filepaths: list[str] = []
        numbers: list[int] = []
        for i, folder in enumerate(folders):
            paths = image_files(os.path.join(root, folder), follow_links, _ENDINGS)
            paths = paths[_part(subset, self.image_data_generator, len(paths))]
            self.filepaths += paths
            numbers += [i] * len(paths)
        self.filenames = [os.path.relpath(path, root) for path in self.filepaths]
        self.classes = self.labels = np.array(numbers, np.int32)
        self.samples = len(numbers)
        print(f"Found {self.samples} images belonging to {self.num_classes} classes.")

    def _batch(self, indices: np.ndarray, draw: Any) -> Any:
        images = _transformed(self.image_data_generator, map(self._loaded, indices), draw)
        batch = np.asarray(images, self.dtype).reshape(-1, *self.image_shape)
        self._save(batch, indices, draw, 1e7)
        if self.class_mode is None:
            return batch
        numbers = self.classes[indices]
        if self.class_mode == "input":
            return batch, batch.copy()
        if self.class_mode == "categorical":
            return batch, np.eye(self.num_classes, dtype=self.dtype)[numbers]
        return batch, numbers.astype(self.dtype)

    def _loaded(self, index: int) -> np.ndarray:
        image = load_img(
            self.filepaths[index],
            self.color_mode,
            self.target_size,
            self.interpolation,
            self.keep_aspect_ratio,
        )
        return img_to_array(image, self.data_format)


def _transformed(generator: Any, images: Any, draw: Any) -> list[np.ndarray]:
    """Each image after a transformation of its own, scaled."""
    found = []
    for image in images:
        x = generator.apply_transform(image, generator._drawn(image.shape, draw))
        found.append(generator.standardize(np.array(x)))
    return found


def _part(subset: str | None, generator: Any, count: int) -> slice:
    """Which of so many samples a subset is: of the validation, the first."""
    if subset is None:
        return slice(None)
    if subset not in ("training", "validation"):
        raise ValueError(f'Invalid subset name: {subset}; expected "training" or "validation".')
    border = int(count * generator._validation_split)
    return slice(None, border) if subset == "validation" else slice(border, None)


def _check_lengths(x: Any, beside: dict[str, Any], more: list[Any]) -> None:
    others = beside | {f"x[{i}]": value for i, value in enumerate(more, 1)}
    for name, value in others.items():
        if value is not None and len(value) != len(x):
            raise ValueError(
                f"`x` (images tensor) and `{name}` should have the same length. Found: {len(x)} "
                f"and {len(value)}"
            )


def _check_classes(y: np.ndarray, part: slice) -> None:
    border = part.stop if part.start is None else part.start
    if not np.array_equal(np.unique(y[:border]), np.unique(y[border:])):
        raise ValueError(
            "Training and validation subsets have different number of classes after the split. If "
            "your numpy arrays are sorted by the label, you might want to shuffle them."
        )
