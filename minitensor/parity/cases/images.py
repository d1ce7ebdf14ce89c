"""Cases of tf.image: sizes, frames, colours, edges, likeness.

In float32 alone what TensorFlow computes in float32, whatever comes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from minitensor.parity.case import FLOATS, Case, Op, T, call, literal
from minitensor.parity.proofs import images

AREA = "images"
MOVED = """flip_left_right flip_up_down rot90 transpose central_crop crop_to_bounding_box
    pad_to_bounding_box resize_with_crop_or_pad image_gradients"""
MIXED = """rgb_to_yiq yiq_to_rgb rgb_to_yuv yuv_to_rgb rgb_to_grayscale grayscale_to_rgb
    adjust_brightness"""
OPS = {
    **{f"image.{name}": Op("selection") for name in MOVED.split()},
    **{f"image.{name}": Op("linear", kernels=2) for name in MIXED.split()},
    "image.sobel_edges": Op("linear", kernels=2, kernel=True),
    **{f"image.{name}": Op("smooth", kernel=True) for name in ("ssim", "ssim_multiscale")},
    "image.hsv_to_rgb": Op("smooth", images.hsv_to_rgb),
    "image.adjust_contrast": Op("smooth", images.adjust_contrast),
    "image.adjust_hue": Op("smooth", images.adjust_hue),
    "image.adjust_saturation": Op("smooth", images.adjust_saturation),
}
RGB = T((2, 3, 4, 3), "share")
BATCH = T((2, 5, 4, 2), "share")


def cases() -> Iterator[Case]:
    """Every function that computes pixels and draws nothing."""
    yield from moved()
    yield from sizes()
    yield from colours()
    yield from compared()
    yield from boxed()
    yield from by_seed()


def moved() -> Iterator[Case]:
    """Mirrors, turns, crops, borders."""
    for name in ("flip_left_right", "flip_up_down", "transpose"):
        yield call(f"image.{name}", BATCH)
    for k in (1, 2, 3):
        yield call("image.rot90", T((3, 4, 2)), k=k)
    yield call("image.central_crop", BATCH, central_fraction=0.5)
    box = {"offset_height": 1, "offset_width": 2, "target_height": 3, "target_width": 2}
    yield call("image.crop_to_bounding_box", BATCH, **box)
    frame = {"offset_height": 1, "offset_width": 2, "target_height": 7, "target_width": 8}
    yield call("image.pad_to_bounding_box", BATCH, **frame)
    for height, width in ((3, 7), (7, 3), (8, 8)):
        size = {"target_height": height, "target_width": width}
        yield call("image.resize_with_crop_or_pad", BATCH, **size)
        case = call("image.resize_with_pad", BATCH, **size)
        yield replace(case, dtypes=("float32",), order=1)


def sizes() -> Iterator[Case]:
    """Larger and smaller; boxes, one of them turned over, one beyond the image.

    Of the curved methods TensorFlow reads its weights from short tables: see core/test_image.py.
    """
    for method in ("bilinear", "nearest", "area", "gaussian"):
        for size in ([7, 9], [3, 2]):
            for antialias in (False, True):
                settings = {"size": size, "method": method, "antialias": antialias}
                case = call("image.resize", BATCH, **settings)
                order = 0 if method == "area" else 1  # TensorFlow has no gradient of it
                yield replace(case, dtypes=("float32",), order=order)
    boxes = literal((3, 4), 0, 0, 1, 1, 0.75, 0.25, 0.25, 0.5, -0.5, 0.5, 0.5, 1.5)
    which = literal((3,), 0, 1, 1, dtype="int32")
    for method in ("bilinear", "nearest"):
        tensors = (BATCH, replace(boxes, constant=True), which)
        case = call("image.crop_and_resize", *tensors, crop_size=[3, 4], method=method)
        yield replace(case, dtypes=("float32",), order=1)


def boxed() -> Iterator[Case]:
    """Boxes that hide one another, and boxes drawn."""
    boxes = literal((4, 4), 0, 0, 1, 1, 0, 0.125, 1, 1, 0, 0.75, 1, 2, 0.5, 0.5, 0.25, 0.75)
    scores, most = literal((4,), 0.75, 0.875, 0.5, 0.25), {"max_output_size": 4}
    for case in (
        call("image.non_max_suppression", boxes, scores, **most),
        call("image.non_max_suppression", boxes, scores, **most, score_threshold=0.375),
        call("image.non_max_suppression_with_scores", boxes, scores, **most, soft_nms_sigma=0.5),
        call("image.non_max_suppression_padded", boxes, scores, **most,
             pad_to_max_output_size=True),
        call("image.draw_bounding_boxes", T((1, 8, 8, 3), "share"),
             literal((1, 2, 4), 0.125, 0.25, 0.75, 0.875, 0, 0, 0.5, 0.5),
             literal((1, 3), 0.25, 0.5, 0.75)),
    ):  # fmt: skip
        yield replace(case, dtypes=("float32",), order=0)


def by_seed() -> Iterator[Case]:
    """What two numbers decide: TensorFlow draws the same."""
    between = {"lower": 0.5, "upper": 2.0}
    for name, settings in (
        ("brightness", {"max_delta": 0.5}),
        ("contrast", between),
        ("crop", {"size": [2, 2, 3, 3]}),
        ("flip_left_right", {}),
        ("flip_up_down", {}),
        ("hue", {"max_delta": 0.25}),
        ("saturation", between),
    ):
        case = call(f"image.stateless_random_{name}", RGB, **settings, seed=[3, 5])
        yield replace(case, dtypes=("float32",), order=0)


def colours() -> Iterator[Case]:
    """Brightness, contrast, the wheel, light; elements of other types."""
    for name in ("rgb_to_hsv", "hsv_to_rgb"):
        yield replace(call(f"image.{name}", RGB), order=1)
    for name in ("rgb_to_yiq", "yiq_to_rgb", "rgb_to_yuv", "yuv_to_rgb"):
        yield call(f"image.{name}", RGB)
    yield call("image.grayscale_to_rgb", T((2, 3, 4, 1), "share"))
    yield call("image.adjust_brightness", RGB, delta=0.25)
    for case in (
        call("image.rgb_to_grayscale", RGB),
        call("image.adjust_contrast", RGB, contrast_factor=1.75),
        call("image.adjust_gamma", RGB, gamma=2.0, gain=0.75),
        call("image.per_image_standardization", BATCH),
        replace(call("image.adjust_hue", RGB, delta=0.25), order=1),
        replace(call("image.adjust_saturation", RGB, saturation_factor=1.5), order=1),
    ):
        yield replace(case, dtypes=("float32",))
    for source in (*FLOATS, "uint8", "int32"):
        pixels = RGB if source in FLOATS else T((2, 3), "below", high=127)
        for target in ("float32", "uint8", "uint16"):
            case = call("image.convert_image_dtype", pixels, dtype=target, saturate=True)
            yield replace(case, dtypes=(source,), order=0)


def compared() -> Iterator[Case]:
    """Edges, and how alike two images are."""
    yield call("image.total_variation", BATCH)
    yield call("image.image_gradients", BATCH)
    yield replace(call("image.sobel_edges", BATCH), order=1)
    large = T((1, 13, 12, 2), "share")
    for case in (
        call("image.psnr", RGB, RGB, max_val=1.0),
        call("image.ssim", large, large, max_val=1.0),
        call("image.ssim", large, large, max_val=1.0, filter_size=5, k1=0.02),
        call("image.ssim_multiscale", large, large, max_val=1.0, power_factors=[1.0, 2.0],
             filter_size=3),
    ):  # fmt: skip
        yield replace(case, dtypes=("float32",), order=1)
