"""ImageDataGenerator: batches of images that are another each time, from arrays or folders.

It is Keras 2's, and draws what Keras draws: from NumPy's shared generator, or from one for each
batch if there is a seed.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from minitensor.keras.engine import defaults
from minitensor.keras.preprocessing.warping import (
    apply_affine_transform,
    apply_brightness_shift,
    apply_channel_shift,
)
from minitensor.keras.utils.directory import image_files
from minitensor.keras.utils.images import array_to_img, img_to_array, load_img
from minitensor.keras.utils.sequence import PyDataset

_CHANNELS = {"grayscale": 1, "rgb": 3, "rgba": 4}
_ENDINGS = (".bmp", ".jpeg", ".jpg", ".png")  # of Keras' those that load_img reads
_MODES = ("categorical", "binary", "sparse", "input", None)


class ImageDataGenerator:
    """Draws a transformation for each image, and scales what comes out.

    Args:
        featurewise_center, featurewise_std_normalization: whether mean and deviation of the
            channels over all images are taken away; `fit` finds them.
        samplewise_center, samplewise_std_normalization: those of each image.
        zca_whitening: whether numbers are made independent, by what `fit` finds.
        zca_epsilon: added to the singular values.
        rotation_range: degrees to either side.
        width_shift_range, height_shift_range: pixels, or a part of the image if below 1; or a list.
            As in Keras the first moves rows, the second columns.
        brightness_range: two factors.
        shear_range: degrees to either side.
        zoom_range: two factors, or z for 1 - z and 1 + z.
        channel_shift_range: the largest number added to a channel.
        fill_mode: what lies outside: "nearest", "constant", "reflect" or "wrap"; cval the constant.
        horizontal_flip, vertical_flip: whether half of the images are flipped.
        rescale: a factor.
        preprocessing_function: of one image, before it is scaled.
        data_format: "channels_last" or "channels_first".
        validation_split: the part of the data that subset="validation" is.
        interpolation_order: 1 between four pixels, 0 the nearest pixel.
        dtype: of the batches; default `keras.config.floatx()`.

    Raises:
        ValueError: a setting that is not among these.

    Example:
        >>> import minitensor as tf
        >>> import numpy as np
        >>> generator = tf.keras.preprocessing.image.ImageDataGenerator(rescale=1 / 255)
        >>> batches = generator.flow(np.full((5, 4, 4, 3), 255.0), np.arange(5), batch_size=2)
        >>> x, y = next(batches)
        >>> x.shape, float(x.max()), len(batches)
        ((2, 4, 4, 3), 1.0, 3)

    Source: keras.preprocessing.image.ImageDataGenerator (Keras 2)
    """

    def __init__(
        self,
        featurewise_center: bool = False,
        samplewise_center: bool = False,
        featurewise_std_normalization: bool = False,
        samplewise_std_normalization: bool = False,
        zca_whitening: bool = False,
        zca_epsilon: float = 1e-6,
        rotation_range: float = 0,
        width_shift_range: Any = 0.0,
        height_shift_range: Any = 0.0,
        brightness_range: Any = None,
        shear_range: float = 0.0,
        zoom_range: Any = 0.0,
        channel_shift_range: float = 0.0,
        fill_mode: str = "nearest",
        cval: float = 0.0,
        horizontal_flip: bool = False,
        vertical_flip: bool = False,
        rescale: float | None = None,
        preprocessing_function: Callable[[np.ndarray], Any] | None = None,
        data_format: str | None = None,
        validation_split: float = 0.0,
        interpolation_order: int = 1,
        dtype: Any = None,
    ) -> None:
        self.featurewise_center, self.samplewise_center = featurewise_center, samplewise_center
        self.featurewise_std_normalization = featurewise_std_normalization
        self.samplewise_std_normalization = samplewise_std_normalization
        self.zca_whitening, self.zca_epsilon = zca_whitening, zca_epsilon
        self.rotation_range, self.shear_range = rotation_range, shear_range
        self.width_shift_range, self.height_shift_range = width_shift_range, height_shift_range
        self.brightness_range, self.channel_shift_range = brightness_range, channel_shift_range
        self.fill_mode, self.cval = fill_mode, cval
        self.horizontal_flip, self.vertical_flip = horizontal_flip, vertical_flip
        self.rescale, self.preprocessing_function = rescale, preprocessing_function
        self.interpolation_order = interpolation_order
        self._settle(zoom_range, data_format, validation_split, dtype)

    def _settle(self, zoom_range: Any, data_format: Any, split: float, dtype: Any) -> None:
        """Reads what can be said in several ways, and checks what contradicts itself."""
        self.zoom_range = _zooms(zoom_range)
        self.data_format: str = data_format or defaults.image_data_format()
        self._validation_split = split
        self.dtype = dtype or defaults.floatx()
        _check(vars(self))
        _imply(self)
        first = self.data_format == "channels_first"
        self.channel_axis, self.row_axis, self.col_axis = (1, 2, 3) if first else (3, 1, 2)
        self.mean: Any = None
        self.std: Any = None
        self.zca_whitening_matrix: Any = None

    # ----- one image -----

    def get_random_transform(self, img_shape: Any, seed: int | None = None) -> dict[str, Any]:
        """What `apply_transform` does to an image of this shape, drawn anew."""
        return self._drawn(img_shape, np.random if seed is None else np.random.RandomState(seed))

    def _drawn(self, shape: Any, draw: Any) -> dict[str, Any]:
        """The same from a generator of random numbers, in Keras' order."""
        found: dict[str, Any] = {}
        found["theta"] = _within(draw, self.rotation_range)
        found["tx"] = _shift(draw, self.height_shift_range, shape[self.row_axis - 1])
        found["ty"] = _shift(draw, self.width_shift_range, shape[self.col_axis - 1])
        found["shear"] = _within(draw, self.shear_range)
        found["zx"], found["zy"] = (
            (1, 1) if self.zoom_range == [1, 1] else draw.uniform(*self.zoom_range, 2)
        )
        found["flip_horizontal"] = (draw.uniform() < 0.5) * self.horizontal_flip
        found["flip_vertical"] = (draw.uniform() < 0.5) * self.vertical_flip
        shift, bright = self.channel_shift_range, self.brightness_range
        found["channel_shift_intensity"] = draw.uniform(-shift, shift) if shift else None
        found["brightness"] = None if bright is None else draw.uniform(*bright)
        return found

    def apply_transform(self, x: Any, transform_parameters: dict[str, Any]) -> np.ndarray:
        """An image turned, shifted, sheared, zoomed, coloured, flipped and lit as it says."""
        names = ("theta", "tx", "ty", "shear", "zx", "zy")
        given = {n: transform_parameters[n] for n in names if n in transform_parameters}
        row, column, channel = self.row_axis - 1, self.col_axis - 1, self.channel_axis - 1
        x = apply_affine_transform(
            x,
            **given,
            row_axis=row,
            col_axis=column,
            channel_axis=channel,
            fill_mode=self.fill_mode,
            cval=self.cval,
            order=self.interpolation_order,
        )
        if transform_parameters.get("channel_shift_intensity") is not None:
            x = apply_channel_shift(x, transform_parameters["channel_shift_intensity"])
        for name, axis in (("flip_horizontal", column), ("flip_vertical", row)):
            x = np.flip(x, axis) if transform_parameters.get(name) else x
        if transform_parameters.get("brightness") is not None:
            x = apply_brightness_shift(x, transform_parameters["brightness"], False)
        return x

    def random_transform(self, x: Any, seed: int | None = None) -> np.ndarray:
        """An image after a transformation drawn anew."""
        return self.apply_transform(x, self.get_random_transform(x.shape, seed))

    def standardize(self, x: Any) -> np.ndarray:
        """An image, or a batch, scaled as it was asked for; an array of floats is changed."""
        if self.preprocessing_function:
            x = self.preprocessing_function(x)
        if self.rescale:
            x *= self.rescale
        if self.samplewise_center:
            x -= np.mean(x, keepdims=True)
        if self.samplewise_std_normalization:
            x /= np.std(x, keepdims=True) + 1e-6
        if self.featurewise_center and self._fitted("featurewise_center", self.mean):
            x -= self.mean
        if self.featurewise_std_normalization:
            x /= self.std + 1e-6 if self._fitted("featurewise_std_normalization", self.std) else 1
        if self.zca_whitening and self._fitted("zca_whitening", self.zca_whitening_matrix):
            rows = x.reshape(-1, int(np.prod(x.shape[-3:])))
            x = (rows @ self.zca_whitening_matrix).reshape(x.shape)
        return x

    def _fitted(self, setting: str, value: Any) -> bool:
        if value is None:
            warnings.warn(
                f"This ImageDataGenerator specifies `{setting}`, but it hasn't been fit on any "
                "training data. Fit it first by calling `.fit(numpy_data)`.",
                stacklevel=3,
            )
        return value is not None

    # ----- all images -----

    def fit(self, x: Any, augment: bool = False, rounds: int = 1, seed: int | None = None) -> None:
        """Finds what featurewise settings and whitening need.

        Args:
            x: images, four axes.
            augment: whether transformed images are taken instead, `rounds` of each.
            seed: of the transformations.
        """
        x = np.array(x, dtype=self.dtype)
        if x.ndim != 4:
            raise ValueError(
                f"Input to `.fit()` should have rank 4. Got array with shape: {x.shape}"
            )
        draw = np.random if seed is None else np.random.RandomState(seed)
        if self.rescale:
            x *= self.rescale
        if augment:
            drawn = ((image, self._drawn(image.shape, draw)) for _ in range(rounds) for image in x)
            x = np.stack([self.apply_transform(image, found) for image, found in drawn])
        axes = (0, self.row_axis, self.col_axis)
        if self.featurewise_center:
            self.mean = np.mean(x, axis=axes, keepdims=True)[0]
            x -= self.mean
        if self.featurewise_std_normalization:
            self.std = np.std(x, axis=axes, keepdims=True)[0]
            x /= self.std + 1e-6
        if self.zca_whitening:
            u, s, _ = np.linalg.svd(x.reshape(len(x), -1).T, full_matrices=False)
            self.zca_whitening_matrix = (u * (len(x) ** 0.5 / (s + self.zca_epsilon))) @ u.T

    def flow(
        self,
        x: Any,
        y: Any = None,
        batch_size: int = 32,
        shuffle: bool = True,
        sample_weight: Any = None,
        seed: int | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        ignore_class_split: bool = False,
        subset: str | None = None,
    ) -> NumpyArrayIterator:
        """Batches of images in an array, without end.

        Args:
            x: images; or (images, more) of as many samples.
            y: their labels; sample_weight: their weights.
            shuffle: whether each epoch has an order of its own.
            save_to_dir, save_prefix, save_format: where images go that were given out.
            ignore_class_split: whether subsets may have different classes.
            subset: "training" or "validation"; of `validation_split` the first are the latter.
        """
        return NumpyArrayIterator(
            *(x, y, self, batch_size, shuffle, sample_weight, seed, self.data_format),
            *(save_to_dir, save_prefix, save_format, subset, ignore_class_split, self.dtype),
        )

    def flow_from_directory(
        self,
        directory: Any,
        target_size: Any = (256, 256),
        color_mode: str = "rgb",
        classes: Any = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
    ) -> DirectoryIterator:
        """Batches of images in a folder with a folder for each class, without end.

        Args:
            target_size: (height, width).
            color_mode: "rgb", "rgba" or "grayscale".
            classes: names of the folders, in the order of their numbers; default all, by name.
            class_mode: labels: "categorical" (N, classes), "binary" or "sparse" (N,), "input" the
                images, None no labels.
            interpolation, keep_aspect_ratio: as of `load_img`; the others as of `flow`.
        """
        return DirectoryIterator(
            *(directory, self, target_size, color_mode, classes, class_mode, batch_size, shuffle),
            *(seed, self.data_format, save_to_dir, save_prefix, save_format, follow_links, subset),
            *(interpolation, keep_aspect_ratio, self.dtype),
        )


def _imply(generator: ImageDataGenerator) -> None:
    """Sets what other settings ask for, and says so."""
    rules = (
        ("zca_whitening", "featurewise_center", True),
        ("zca_whitening", "featurewise_std_normalization", False),
        ("featurewise_std_normalization", "featurewise_center", True),
        ("samplewise_std_normalization", "samplewise_center", True),
    )
    for cause, effect, value in rules:
        if getattr(generator, cause) and bool(getattr(generator, effect)) != value:
            setattr(generator, effect, value)
            warnings.warn(
                f"This ImageDataGenerator specifies `{cause}`, which overrides setting of "
                f"`{effect}`.",
                stacklevel=3,
            )


def _zooms(given: Any) -> list[float]:
    if isinstance(given, int | float):
        return [1 - given, 1 + given]
    if len(given) == 2 and all(isinstance(value, int | float) for value in given):
        return list(given)
    raise ValueError(
        f"`zoom_range` should be a float or a tuple or list of two floats. Received: {given}"
    )


def _check(settings: dict[str, Any]) -> None:
    if settings["data_format"] not in ("channels_last", "channels_first"):
        raise ValueError(
            '`data_format` should be "channels_last" or "channels_first". Received: '
            f"{settings['data_format']}"
        )
    split, bright = settings["_validation_split"], settings["brightness_range"]
    if split and not 0 < split < 1:
        raise ValueError(f"`validation_split` must be strictly between 0 and 1. Received: {split}")
    if bright is not None and (not isinstance(bright, list | tuple) or len(bright) != 2):
        raise ValueError(
            f"`brightness_range` should be tuple or list of two floats. Received: {bright}"
        )


def _within(draw: Any, largest: float) -> float:
    return draw.uniform(-largest, largest) if largest else 0


def _shift(draw: Any, given: Any, size: int) -> float:
    """Pixels: one of a list, or of 0 ... n - 1 for an integer, to either side; or a part."""
    if not np.any(given):
        return 0
    if isinstance(given, float):
        pixels = draw.uniform(-given, given)
    else:
        pixels = draw.choice(given) * draw.choice([-1, 1])
    return pixels * size if np.max(given) < 1 else pixels


# ----- batches -----


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
