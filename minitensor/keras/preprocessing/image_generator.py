"""ImageDataGenerator: which transformation each image gets, and how its numbers are scaled.

It is Keras 2's, and draws what Keras draws. Its batches: `image_iterators.py`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from minitensor.keras.engine import defaults
from minitensor.keras.preprocessing.image_iterators import DirectoryIterator, NumpyArrayIterator
from minitensor.keras.preprocessing.warping import (
    apply_affine_transform,
    apply_brightness_shift,
    apply_channel_shift,
)


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
