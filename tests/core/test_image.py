"""minitensor.image against TensorFlow's recorded answers, and against its own definitions."""

from __future__ import annotations

import importlib.util
import inspect
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reference_image import METHODS, RECORDED, Call, calls, cotangent, drawn

import minitensor as mt
from minitensor import image

ANSWERS = np.load(RECORDED)
CALLS = {call.key: call for call in calls()}
# Gray, black and tied colours: hue and saturation have kinks there; each library has its choice.
KINKS = {"rgb_to_hsv(float32 1x6x3 )"}
GRADIENTS = [key for key in CALLS if f"{key} gradient" in ANSWERS and key not in KINKS]
DIFFERENTIABLE = {
    **{f"resize {m}": (lambda x, m=m: image.resize(x, [3, 7], m)) for m in METHODS},
    "resize down": lambda x: image.resize(x, [2, 2], antialias=True),
    "extract_patches": lambda x: image.extract_patches(
        x, [1, 2, 2, 1], [1, 1, 1, 1], [1, 1, 1, 1], "SAME"
    ),
    "flip_left_right": image.flip_left_right,
    "flip_up_down": image.flip_up_down,
    "central_crop": lambda x: image.central_crop(x, 0.5),
    "pad_to_bounding_box": lambda x: image.pad_to_bounding_box(x, 1, 2, 9, 9),
    "random_crop": lambda x: image.random_crop(x, [2, 2, 2, 3], seed=1),
    "random_flip_left_right": lambda x: image.random_flip_left_right(x, seed=1),
    "adjust_brightness": lambda x: image.adjust_brightness(x, 0.2),
    "adjust_contrast": lambda x: image.adjust_contrast(x, 1.5),
    "adjust_hue": lambda x: image.adjust_hue(x, 0.3),
    "per_image_standardization": image.per_image_standardization,
    "rgb_to_grayscale": image.rgb_to_grayscale,
    "rgb_to_hsv": image.rgb_to_hsv,
    "rot90": image.rot90,
    "transpose": image.transpose,
    "resize_with_pad": lambda x: image.resize_with_pad(x, 7, 3),
    "crop_and_resize": lambda x: image.crop_and_resize(x, [[-0.2, 0.1, 0.9, 1.2]], [1], [3, 2]),
    "adjust_saturation": lambda x: image.adjust_saturation(x, 0.7),
    "adjust_gamma": lambda x: image.adjust_gamma(x, 1.7),
    "grayscale_to_rgb": lambda x: image.grayscale_to_rgb(x[..., :1]),
    "total_variation": image.total_variation,
    "sobel_edges": image.sobel_edges,
    "image_gradients": lambda x: image.image_gradients(x)[0],
    "ssim": lambda x: image.ssim(x, drawn((2, 5, 4, 3), seed=9), 1.0, filter_size=3),
    "psnr": lambda x: image.psnr(x, drawn((2, 5, 4, 3), seed=9), 1.0) / 20,
    "hsv_to_rgb": image.hsv_to_rgb,
}


def ours(call: Call, x: object = None) -> mt.Tensor:
    x = mt.constant(call.image) if x is None else x
    return getattr(image, call.function)(x, *call.args, **call.settings)


def tolerance(call: Call, expected: np.ndarray) -> dict[str, float]:
    """Computed integers may differ by one, where a float32 lies on the edge of two."""
    if expected.dtype.kind in "iu":
        exact = call.function.startswith(("flip", "central", "crop", "pad", "extract", "resize"))
        fine = np.iinfo(expected.dtype).max * 2.0**-20  # computed in float32, which has 24 bits
        return {"rtol": 0, "atol": 0 if exact else max(1, fine)}
    cubic = call.function == "resize" and "bicubic" in call.args
    if cubic:  # TensorFlow reads its weights from a table of 1024 distances
        return {"rtol": 0, "atol": 2e-3 * max(1.0, np.abs(expected).max(initial=0))}
    if expected.dtype == np.float16:
        return {"rtol": 2e-3, "atol": 1e-3}
    return {"rtol": 2e-5, "atol": 2e-6 * max(1.0, np.abs(expected).max(initial=0))}


@pytest.mark.parametrize("key", CALLS)
def test_values_shapes_and_dtypes_are_tensorflows(key: str) -> None:
    call, expected = CALLS[key], ANSWERS[key]
    y = ours(call).numpy()
    assert (y.dtype, y.shape) == (expected.dtype, expected.shape)
    np.testing.assert_allclose(
        y.astype(np.float64), expected.astype(np.float64), **tolerance(call, expected)
    )


@pytest.mark.parametrize("key", GRADIENTS)
def test_gradients_are_tensorflows(key: str) -> None:
    call, expected = CALLS[key], ANSWERS[f"{key} gradient"]
    x = mt.constant(call.image)
    with mt.GradientTape() as tape:
        tape.watch(x)
        y = ours(call, x)
    g = tape.gradient(y, x, cotangent(y.shape, y.dtype.name)).numpy()
    assert g.dtype == expected.dtype
    np.testing.assert_allclose(g, expected, **tolerance(call, expected))


SIGNATURES = {  # printed by inspect.signature under TensorFlow 2.21
    "adjust_brightness": "(image, delta)",
    "adjust_contrast": "(images, contrast_factor)",
    "adjust_hue": "(image, delta, name=None)",
    "central_crop": "(image, central_fraction)",
    "convert_image_dtype": "(image, dtype, saturate=False, name=None)",
    "crop_to_bounding_box": "(image, offset_height, offset_width, target_height, target_width)",
    "extract_patches": "(images, sizes, strides, rates, padding, name=None)",
    "flip_left_right": "(image)",
    "flip_up_down": "(image)",
    "hsv_to_rgb": "(images, name=None)",
    "pad_to_bounding_box": "(image, offset_height, offset_width, target_height, target_width)",
    "per_image_standardization": "(image)",
    "random_brightness": "(image, max_delta, seed=None)",
    "random_contrast": "(image, lower, upper, seed=None)",
    "random_crop": "(value, size, seed=None, name=None)",
    "random_flip_left_right": "(image, seed=None)",
    "random_flip_up_down": "(image, seed=None)",
    "random_hue": "(image, max_delta, seed=None)",
    "resize": "(images, size, method='bilinear', preserve_aspect_ratio=False, "
    "antialias=False, name=None)",
    "resize_with_crop_or_pad": "(image, target_height, target_width)",
    "rgb_to_grayscale": "(images, name=None)",
    "rgb_to_hsv": "(images, name=None)",
}


def test_every_function_has_tensorflows_arguments() -> None:
    def words(name: str) -> str:
        parameters = inspect.signature(getattr(image, name)).parameters.values()
        plain = [p.replace(annotation=inspect.Parameter.empty) for p in parameters]
        return str(inspect.Signature(plain)).replace(
            "<ResizeMethod.BILINEAR: 'bilinear'>", "'bilinear'"
        )

    assert {name: words(name) for name in SIGNATURES} == SIGNATURES


@pytest.mark.live
@pytest.mark.skipif(importlib.util.find_spec("tensorflow") is None, reason="needs TensorFlow")
def test_tensorflow_still_answers_what_was_recorded(tmp_path: Path) -> None:
    support, fresh = Path(__file__).parents[1] / "support", tmp_path / "fresh.npz"
    quiet = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0"}
    run = [sys.executable, support / "reference_image.py", fresh]
    subprocess.run(run, env=quiet, check=True, capture_output=True)
    now = np.load(fresh)
    assert now.files == ANSWERS.files
    for key in now.files:
        np.testing.assert_allclose(now[key], ANSWERS[key], rtol=1e-6, atol=1e-6, err_msg=key)


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_the_second_order_is_the_slope_of_the_first(name: str) -> None:
    """d/de of grad(x + e u) by differences, for f = <v, function(x)^3>; float32, so coarse."""
    rng = np.random.default_rng(5)
    x, u = drawn((2, 5, 4, 3), seed=3), rng.normal(size=(2, 5, 4, 3)).astype(np.float32)
    v = rng.normal(size=DIFFERENTIABLE[name](x).shape).astype(np.float32)

    def gradient(at: mt.Tensor) -> mt.Tensor:
        with mt.GradientTape() as tape:
            tape.watch(at)
            y = DIFFERENTIABLE[name](at)
            value = mt.reduce_sum(y * y * y * v)
        return tape.gradient(value, at)

    point = mt.constant(x)
    with mt.GradientTape() as tape:
        tape.watch(point)
        slope = gradient(point)
    second = tape.gradient(slope, point, u).numpy()
    step = 1e-3
    ends = [gradient(mt.constant(x + sign * step * u)).numpy() for sign in (1, -1)]
    difference = (ends[0] - ends[1]) / (2 * step)
    assert np.abs(second - difference).max() <= 2e-2 * max(1.0, np.abs(difference).max())


def test_a_row_of_two_pixels_doubles_by_half_pixels() -> None:
    row = np.array([0, 1], np.float32).reshape(1, 2, 1)
    assert image.resize(row, [1, 4]).numpy().ravel().tolist() == [0, 0.25, 0.75, 1]


def test_patches_times_the_kernel_are_the_convolution() -> None:
    x, kernel = drawn((2, 6, 7, 3)), drawn((3, 2, 3, 4), seed=1)
    patches = image.extract_patches(x, [1, 3, 2, 1], [1, 2, 1, 1], [1, 1, 2, 1], "SAME")
    expected = mt.nn.conv2d(x, kernel, [2, 1], "SAME", dilations=[1, 2])
    found = patches @ kernel.reshape(18, 4)
    np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-5)


def test_hsv_and_back_is_the_same_color() -> None:
    x = drawn((4, 5, 3))
    np.testing.assert_allclose(image.hsv_to_rgb(image.rgb_to_hsv(x)).numpy(), x, atol=1e-6)


def test_the_hue_of_gray_has_a_finite_gradient() -> None:
    gray = mt.constant(np.full((2, 2, 3), 0.5, np.float32))
    with mt.GradientTape() as tape:
        tape.watch(gray)
        y = image.rgb_to_hsv(gray)
    assert np.isfinite(tape.gradient(y, gray).numpy()).all()


def test_standardizing_a_constant_image_has_a_finite_gradient() -> None:
    x = mt.constant(np.full((3, 3, 1), 2.0, np.float32))
    with mt.GradientTape() as tape:
        tape.watch(x)
        y = image.per_image_standardization(x)
    assert np.isfinite(tape.gradient(y, x).numpy()).all()


# ----- chance -----


def test_one_seed_gives_the_same_crop_every_time() -> None:
    x = drawn((9, 9, 3))
    first, second = (image.random_crop(x, [4, 4, 3], seed=7).numpy() for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_random_crops_reach_every_offset_and_keep_neighbours_together() -> None:
    x = np.arange(5, dtype=np.int32)
    found = {tuple(image.random_crop(x, [3]).numpy().tolist()) for _ in range(200)}
    assert found == {(0, 1, 2), (1, 2, 3), (2, 3, 4)}


@pytest.mark.parametrize(
    ("function", "axis"), [(image.random_flip_left_right, 2), (image.random_flip_up_down, 1)]
)
def test_random_flips_throw_a_coin_for_each_image(function, axis) -> None:
    x = drawn((64, 3, 4, 1))
    y = function(x, seed=2).numpy()
    kept = (y == x).all(axis=(1, 2, 3))
    flipped = (y == np.flip(x, axis)).all(axis=(1, 2, 3))
    assert (kept ^ flipped).all()
    assert 16 < kept.sum() < 48


def test_random_brightness_adds_one_number_within_the_limits() -> None:
    x = drawn((3, 4, 4, 3))
    deltas = [image.random_brightness(x, 0.25).numpy() - x for _ in range(50)]
    assert all(np.ptp(delta) < 1e-6 and abs(delta.mean()) <= 0.25 for delta in deltas)
    assert np.ptp([delta.mean() for delta in deltas]) > 0.25


def test_random_contrast_scales_by_one_number_within_the_limits() -> None:
    x = drawn((4, 4, 1))
    for _ in range(20):
        y = image.random_contrast(x, 0.5, 1.5).numpy()
        assert 0.5 <= y.std() / x.std() <= 1.5


def test_random_hue_keeps_the_extremes_of_each_pixel() -> None:
    x = drawn((4, 4, 3))
    y = image.random_hue(x, 0.5, seed=2).numpy()
    assert np.abs(y - x).max() > 0.1
    np.testing.assert_allclose(y.max(-1), x.max(-1), atol=1e-6)
    np.testing.assert_allclose(y.min(-1), x.min(-1), atol=1e-6)


# ----- errors -----

X = np.zeros((1, 4, 4, 3), np.float32)
ONES = [1, 1, 1, 1]
ERRORS = {
    "resize: size must be two integers": [
        lambda: image.resize(X, 3),
        lambda: image.resize(X, [3.0, 3.0]),
        lambda: image.resize(X, [3, 3, 3]),
    ],
    "resize: size must be at least 1": [
        lambda: image.resize(X, [0, 3]),
        lambda: image.resize(X, [-3, 3]),
    ],
    "resize: images must have 3 or 4 axes": [lambda: image.resize(X[0, 0], [3, 3])],
    "resize: height, width and channels of images must be": [
        lambda: image.resize(X[:, :0], [3, 3])
    ],
    "resize: method must be one of": [lambda: image.resize(X, [3, 3], "BILINEAR")],
    "shrink to": [lambda: image.resize(np.zeros((90, 1, 1)), [9, 9], preserve_aspect_ratio=True)],
    "extract_patches: sizes must have length 4": [
        lambda: image.extract_patches(X, [2, 2], ONES, ONES, "VALID")
    ],
    "extract_patches: strides must be at least 1": [
        lambda: image.extract_patches(X, [1, 2, 2, 1], [1, 0, 1, 1], ONES, "VALID")
    ],
    "extract_patches: a kernel of": [
        lambda: image.extract_patches(X, [1, 9, 2, 1], ONES, ONES, "VALID")
    ],
    "extract_patches: padding must be": [
        lambda: image.extract_patches(X, [1, 2, 2, 1], ONES, ONES, "valid")
    ],
    "reaches into the batch or channel axis": [
        lambda: image.extract_patches(X, [2, 2, 2, 1], ONES, ONES, "VALID")
    ],
    "central_crop: central_fraction must be": [
        lambda: image.central_crop(X, 0.0),
        lambda: image.central_crop(X, 1.2),
    ],
    "random_hue: max_delta must be": [
        lambda: image.random_hue(X, 0.6),
        lambda: image.random_hue(X, -0.1),
    ],
    "random_brightness: max_delta must be": [lambda: image.random_brightness(X, -0.1)],
    "must satisfy 0 <= lower < upper": [
        lambda: image.random_contrast(X, 0.5, 0.4),
        lambda: image.random_contrast(X, 0.5, 0.5),
        lambda: image.random_contrast(X, -0.5, 0.5),
    ],
    "random_crop: size": [
        lambda: image.random_crop(X, [1, 9, 2, 3]),
        lambda: image.random_crop(X, [2, 2]),
        lambda: image.random_crop(X, [1, -1, 2, 3]),
    ],
    "must have 3 channels": [
        lambda: image.adjust_hue(X[..., :2], 0.1),
        lambda: image.rgb_to_grayscale(X[..., :2]),
        lambda: image.rgb_to_hsv(X[..., :2]),
        lambda: image.hsv_to_rgb(X[..., :2]),
        lambda: image.adjust_hue(X[0, 0], 0.1),
    ],
    "adjust_hue: delta must be": [lambda: image.adjust_hue(X, 1.5)],
    "adjust_contrast: images must have 3 axes": [lambda: image.adjust_contrast(X[0, 0], 2.0)],
    "crop_to_bounding_box": [
        lambda: image.crop_to_bounding_box(X, -1, 0, 2, 2),
        lambda: image.crop_to_bounding_box(X, 0, 0, 0, 2),
        lambda: image.crop_to_bounding_box(X, 3, 0, 2, 2),
    ],
    "pad_to_bounding_box": [
        lambda: image.pad_to_bounding_box(X, -1, 0, 9, 9),
        lambda: image.pad_to_bounding_box(X, 1, 0, 4, 9),
    ],
    "resize_with_crop_or_pad": [lambda: image.resize_with_crop_or_pad(X, 0, 3)],
}


@pytest.mark.parametrize("words", ERRORS)
def test_illegal_values_are_value_errors_that_name_the_op(words: str) -> None:
    for attempt in ERRORS[words]:
        with pytest.raises(ValueError, match=words):
            attempt()


@pytest.mark.parametrize(
    "attempt",
    [
        lambda: image.convert_image_dtype(X, "bool"),
        lambda: image.convert_image_dtype(X > 0, "float32"),
        lambda: image.rgb_to_hsv(X.astype(np.uint8)),
        lambda: image.crop_to_bounding_box(X, 1.0, 0, 2, 2),
        lambda: image.adjust_brightness(X, "much"),
        lambda: image.flip_left_right("image"),
        lambda: image.random_crop(X, [1.0, 2, 2, 3]),
    ],
)
def test_arguments_of_the_wrong_kind_are_type_errors(attempt) -> None:
    with pytest.raises(TypeError):
        attempt()


@pytest.mark.parametrize("padding", ["VALID", "SAME"])
def test_adding_patches_is_the_adjoint_of_extracting_them(padding):
    rng = np.random.default_rng(0)
    how = ([1, 2, 3, 1], [1, 2, 1, 1], [1, 1, 2, 1], padding)
    x = rng.normal(size=(2, 5, 7, 3))
    columns = image.extract_patches(x, *how).numpy()
    y = rng.normal(size=columns.shape)
    back = image.add_patches(y, [5, 7], *how).numpy()
    assert np.isclose((columns * y).sum(), (x * back).sum(), rtol=1e-12)
    mt.check_gradients(lambda y: image.add_patches(y, [5, 7], *how) ** 2, y, order=2)


def test_patches_that_no_image_has_are_refused():
    one = [1, 1, 1, 1]
    with pytest.raises(ValueError, match=r"add_patches: patches have shape .*\(2, 2\)"):
        image.add_patches(np.ones((1, 3, 3, 4)), [3, 3], [1, 2, 2, 1], one, one, "VALID")


@pytest.mark.parametrize("size", [(5, 6), (2, 2), (6, 8), (3, 4)])
def test_a_pixel_that_is_no_number_spoils_those_that_it_has_a_part_in(tf: Any, size: Any) -> None:
    """Forward and back: bilinear, whose weights TensorFlow computes."""
    image = drawn((1, 3, 4, 1), seed=3)
    image[0, 1, 1] = np.nan
    spoilt = drawn((1, *size, 1), seed=4)
    spoilt[0, 1, 0] = np.nan
    found = []
    for engine in (mt, tf):
        x = engine.constant(image)
        with engine.GradientTape() as tape:
            tape.watch(x)
            y = engine.image.resize(x, size)
        found.append((y.numpy(), tape.gradient(y, x, engine.constant(spoilt)).numpy()))
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("method", ["bilinear", "bicubic", "lanczos3", "gaussian", "area"])
def test_far_from_an_infinite_pixel_a_resize_is_as_if_it_were_none(method: str) -> None:
    image = drawn((1, 30, 30, 1), seed=5)
    expected = mt.image.resize(image, (40, 20), method, antialias=True).numpy()
    image[0, 0, 0] = np.inf
    y = mt.image.resize(image, (40, 20), method, antialias=True).numpy()
    assert not np.isfinite(y[0, 0, 0, 0])
    np.testing.assert_allclose(y[:, 15:, 10:], expected[:, 15:, 10:], rtol=1e-5, atol=1e-5)
