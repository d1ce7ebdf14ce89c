"""minitensor.image against TensorFlow: boxes, chance by a seed, scales, 16 bits."""

import io

import numpy as np
import pytest
from cuda_fixtures import compiler, gpu  # noqa: F401 -- fixtures
from PIL import Image

import minitensor as mt

RNG = np.random.default_rng(5)
IMAGES = RNG.uniform(size=(2, 9, 11, 3)).astype(np.float32)
BYTES = np.uint8(IMAGES * 255)
SEEDS = [[1, 2], [3, -4], [2**40, 5]]


def close(ours, theirs, rtol=1e-5):
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
    np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=rtol)


# ----- boxes cut out -----

BOXES = np.float32(
    [[0.1, 0.0, 0.9, 0.7], [0.8, -0.2, 0.1, 1.3], [0.3, 0.2, 0.35, 0.9], [-1, 0, 2, 1]]
)


@pytest.mark.parametrize("method", ["bilinear", "nearest"])
@pytest.mark.parametrize("size", [[5, 4], [1, 3], [1, 1], [2, 7]])
@pytest.mark.parametrize("boxes", [BOXES, BOXES.clip(0, 1), BOXES[:0]], ids=["out", "in", "none"])
def test_crops_and_their_gradients_to_image_and_boxes_are_tensorflows(method, size, boxes, tf):
    owners = np.int32([1, 0, 1, 0])[: len(boxes)]
    cotangent = np.random.default_rng(1).normal(size=(len(boxes), *size, 3)).astype(np.float32)

    def answers(library):
        x, b = library.constant(IMAGES), library.constant(boxes)
        with library.GradientTape() as tape:
            tape.watch([x, b])
            y = library.image.crop_and_resize(x, b, owners, size, method, extrapolation_value=7.0)
            value = library.reduce_sum(y * cotangent)
        of_image, of_boxes = tape.gradient(value, [x, b])
        if method == "nearest":  # TensorFlow's gradient is that of bilinear there: not the slope
            of_boxes = library.zeros_like(b)
        return [part.numpy() for part in (y, of_image, of_boxes)]

    for ours, theirs in zip(answers(mt), answers(tf), strict=True):
        close(ours, theirs, 2e-5)


# ----- suppression -----


def candidates(count, seed=0, ordered=False):
    rng = np.random.default_rng(seed)
    corner, size = rng.uniform(0, 8, (count, 2)), rng.uniform(0, 5, (count, 2))
    boxes = np.concatenate([corner, corner + size], 1).astype(np.float32)
    if not ordered:
        boxes[::3] = boxes[::3][:, [2, 3, 0, 1]]  # the other corner first
    return boxes, (rng.integers(0, 12, count) / 12).astype(np.float32)  # with ties


@pytest.mark.parametrize("count", [0, 1, 7, 60])
@pytest.mark.parametrize("most", [0, 3, 100])
@pytest.mark.parametrize("overlap", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("least", [-np.inf, 0.25])
def test_suppression_chooses_what_tensorflow_chooses(count, most, overlap, least, tf):
    for padded, call in (
        (False, lambda i, *x: [i.non_max_suppression(*x, most, overlap, least)]),
        (True, lambda i, *x: i.non_max_suppression_padded(*x, most, overlap, least, True)),
        (True, lambda i, *x: i.non_max_suppression_padded(*x, most, overlap, least)),
        (False, lambda i, *x: i.non_max_suppression_with_scores(*x, most, overlap, least)),
    ):
        if padded and (overlap == 0 or not count):
            continue  # TensorFlow suppresses nothing at 0, and crashes without boxes
        corners, points = candidates(count, ordered=padded)  # TensorFlow looks at the first box
        answers = [call(t.image, t.constant(corners), t.constant(points)) for t in (mt, tf)]
        for ours, theirs in zip(*answers, strict=True):
            close(ours.numpy(), theirs.numpy())


@pytest.mark.parametrize("sigma", [0.1, 0.5, 2.0])
def test_soft_suppression_is_tensorflows(sigma, tf):
    for seed in range(5):
        boxes, scores = candidates(40, seed)
        scores = np.random.default_rng(seed).permutation(40).astype(np.float32) / 40
        ours, theirs = (
            t.image.non_max_suppression_with_scores(boxes, scores, 20, 0.5, 0.01, sigma)
            for t in (mt, tf)
        )
        close(ours[0].numpy(), theirs[0].numpy())
        close(ours[1].numpy(), theirs[1].numpy())


def test_a_batch_is_suppressed_image_by_image(tf):
    boxes = np.stack([candidates(20, seed, ordered=True)[0] for seed in (1, 2)])
    scores = np.float32([np.random.default_rng(k).permutation(20) / 20 + 0.01 for k in (0, 1)])
    (chosen, counts), (others, valid) = (
        t.image.non_max_suppression_padded(boxes, scores, 6, 0.4, pad_to_max_output_size=True)
        for t in (mt, tf)
    )
    close(counts.numpy(), valid.numpy())
    close(chosen.numpy(), others.numpy())


# ----- boxes drawn -----


@pytest.mark.parametrize("depth", [1, 3, 4])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_boxes_are_drawn_as_by_tensorflow(depth, dtype, tf):
    x = RNG.uniform(size=(2, 9, 12, depth)).astype(dtype)
    boxes = RNG.uniform(-0.3, 1.3, (2, 13, 4)).astype(np.float32)
    boxes[0, :4] = [[0, 0, 1, 1], [0.5, 0.5, 0.5, 0.5], [-0.05, -0.05, 0.4, 0.4], [0.4, 0.4, 2, 2]]
    for colors in (
        None,
        RNG.uniform(size=(3, depth)).astype(np.float32),
        np.ones((1, 4), np.float32),
    ):
        ours, theirs = (t.image.draw_bounding_boxes(x, boxes, colors).numpy() for t in (mt, tf))
        assert (ours.shape, ours.dtype) == (x.shape, x.dtype)
        np.testing.assert_array_equal(ours, theirs.astype(dtype))  # float32 there without colours


def test_pixels_under_a_box_have_no_gradient():
    x = mt.zeros([1, 4, 4, 1])
    with mt.GradientTape() as tape:
        tape.watch(x)
        y = mt.image.draw_bounding_boxes(x, [[[0, 0, 0.7, 1]]], [[2.0]])
    slope = tape.gradient(y, x).numpy()[0, ..., 0]
    np.testing.assert_array_equal(slope, [[0] * 4, [0, 1, 1, 0], [0] * 4, [1] * 4])


# ----- by chance, from a seed -----

CHANCE = {
    "brightness": lambda i, x, s: i.stateless_random_brightness(x, 0.3, s),
    "contrast": lambda i, x, s: i.stateless_random_contrast(x, 0.3, 1.6, s),
    "hue": lambda i, x, s: i.stateless_random_hue(x, 0.4, s),
    "saturation": lambda i, x, s: i.stateless_random_saturation(x, 0.3, 1.6, s),
    "left_right": lambda i, x, s: i.stateless_random_flip_left_right(x, s),
    "up_down": lambda i, x, s: i.stateless_random_flip_up_down(x, s),
    "left_right alone": lambda i, x, s: i.stateless_random_flip_left_right(x[0], s),
    "crop": lambda i, x, s: i.stateless_random_crop(x, [1, 4, 5, 3], s),
}


@pytest.mark.parametrize("name", CHANCE)
@pytest.mark.parametrize("seed", SEEDS)
def test_chance_by_a_seed_is_tensorflows(name, seed, tf):
    ours, theirs = (CHANCE[name](t.image, IMAGES, seed).numpy() for t in (mt, tf))
    close(ours, theirs, 2e-5)


def test_gradients_of_chance_by_a_seed_are_tensorflows(tf):
    for call in (CHANCE["brightness"], CHANCE["left_right"], CHANCE["crop"]):
        slopes = []
        for t in (mt, tf):
            x = t.constant(IMAGES)
            with t.GradientTape() as tape:
                tape.watch(x)
                y = call(t.image, x, [1, 2])
                value = t.reduce_sum(y * y * y)
            slopes.append(tape.gradient(value, x).numpy())
        close(*slopes, 1e-4)


def test_jpeg_quality_by_a_seed_is_tensorflows_but_for_the_rounding_of_its_cosines(tf):
    smooth = np.kron(BYTES[0, :4, :4], np.ones((8, 8, 1), np.uint8))
    for seed in SEEDS:
        for x in (smooth, np.float32(smooth / 255), smooth[..., :1]):
            ours, theirs = (
                t.image.stateless_random_jpeg_quality(x, 40, 95, seed).numpy() for t in (mt, tf)
            )
            scale = 1 if x.dtype == np.uint8 else 255
            assert ours.shape == theirs.shape and ours.dtype == theirs.dtype  # noqa: PT018
            assert np.abs(ours.astype(float) - theirs).max() * scale < 12
            assert np.abs(ours.astype(float) - theirs).mean() * scale < 1.5
    assert mt.image.random_jpeg_quality(BYTES[0], 10, 20).shape == BYTES[0].shape


@pytest.mark.parametrize("seed", [[k, k * k] for k in range(8)])
def test_a_box_sampled_by_a_seed_is_tensorflows(seed, tf):
    objects = np.float32([[[0.1, 0.1, 0.5, 0.6], [0.7, 0.6, 0.9, 0.95]]])
    for size, settings in (
        ([100, 120, 3], {}),
        ([37, 20, 3], {"min_object_covered": 0.7, "aspect_ratio_range": [0.3, 2.5]}),
        ([64, 64, 1], {"area_range": [0.4, 0.6], "max_attempts": 2, "min_object_covered": 0.9}),
        ([5, 4, 3], {"area_range": (0.9, 1.0)}),
    ):
        call = "stateless_sample_distorted_bounding_box"
        ours, theirs = (getattr(t.image, call)(size, objects, seed, **settings) for t in (mt, tf))
        assert ours._fields == theirs._fields
        for a, b in zip(ours, theirs, strict=True):
            close(a.numpy(), b.numpy(), 1e-6)
    none = np.zeros((1, 0, 4), np.float32)
    ours, theirs = (
        getattr(t.image, call)([30, 30, 3], none, seed, use_image_if_no_bounding_boxes=True)
        for t in (mt, tf)
    )
    np.testing.assert_array_equal(ours.begin.numpy(), theirs.begin.numpy())


def test_boxes_sampled_by_chance_repeat_with_their_seed():
    sample = mt.image.sample_distorted_bounding_box
    objects = [[[0.1, 0.1, 0.5, 0.6]]]
    first, second = (sample([100, 120, 3], objects, seed=3).bboxes.numpy() for _ in range(2))
    np.testing.assert_array_equal(first, second)
    several = {sample([100, 120, 3], objects).bboxes.numpy().tobytes() for _ in range(5)}
    assert len(several) > 1


# ----- scales -----


@pytest.mark.parametrize("size", [(48, 64), (47, 51)])
@pytest.mark.parametrize("powers", [(0.5, 0.3, 0.2), (1.0,)])
def test_similarity_at_several_scales_and_its_gradient_are_tensorflows(size, powers, tf):
    a = RNG.uniform(size=(2, *size, 3)).astype(np.float32)
    b = np.clip(a + RNG.normal(0, 0.2, a.shape), 0, 1).astype(np.float32)
    answers = []
    for t in (mt, tf):
        x = t.constant(a)
        with t.GradientTape() as tape:
            tape.watch(x)
            y = t.image.ssim_multiscale(x, t.constant(b), 1.0, powers, filter_size=7)
            value = t.reduce_sum(y * [1.0, -2.0])
        answers.append([y.numpy(), tape.gradient(value, x).numpy() * 1e3])
    close(answers[0][0], answers[1][0], 2e-5)
    close(answers[0][1], answers[1][1], 1e-3)


def test_similarity_of_bytes_at_tensorflows_five_scales(tf):
    a = RNG.integers(0, 256, (180, 190, 1), dtype=np.uint8)
    b = np.uint8(np.clip(a + RNG.normal(0, 20, a.shape), 0, 255))
    close(*(t.image.ssim_multiscale(t.constant(a), t.constant(b), 255).numpy() for t in (mt, tf)))


# ----- 16 bits -----


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_files_of_16_bits_are_written_and_read_as_by_tensorflow(channels, tf):
    levels = RNG.integers(0, 65536, (6, 5, channels), dtype=np.uint16)
    data = mt.image.encode_png(levels).numpy()
    np.testing.assert_array_equal(tf.image.decode_png(data, dtype="uint16").numpy(), levels)
    theirs = tf.image.encode_png(levels).numpy()
    if channels == 2:
        with pytest.raises(ValueError, match="alpha"):
            mt.image.decode_png(theirs, dtype="uint16")
        return
    for file in (data, theirs):
        np.testing.assert_array_equal(mt.image.decode_png(file, dtype=mt.uint16).numpy(), levels)
        close(mt.image.decode_png(file).numpy(), tf.image.decode_png(file).numpy())
    for wanted in (1, 3, 4):
        ours, other = (t.image.decode_png(data, wanted, "uint16").numpy() for t in (mt, tf))
        assert (ours.shape, ours.dtype) == (other.shape, other.dtype)
        assert np.abs(ours.astype(int) - other).max() <= (8 if wanted < 3 <= channels else 0)


def test_files_of_8_bits_are_widened_as_by_tensorflow(tf):
    for mode in ("L", "LA", "RGB", "RGBA"):
        out = io.BytesIO()
        Image.fromarray(BYTES[0]).convert(mode).save(out, "PNG")
        ours, theirs = (
            t.image.decode_png(out.getvalue(), dtype="uint16").numpy() for t in (mt, tf)
        )
        np.testing.assert_array_equal(ours, theirs)


# ----- bad input -----

ONE = np.float32([[0, 0, 1, 1]])
BAD = {
    "scores of another length": lambda i: i.non_max_suppression(ONE, [1.0, 2.0], 3),
    "an overlap above 1": lambda i: i.non_max_suppression(ONE, [1.0], 3, 2.0),
    "a negative count": lambda i: i.non_max_suppression(ONE, [1.0], -3),
    "a negative sigma": lambda i: i.non_max_suppression_with_scores(
        ONE, [1.0], 3, soft_nms_sigma=-1
    ),
    "a batch without padding": lambda i: i.non_max_suppression_padded(ONE[None], [[1.0]], 3),
    "bytes to draw on": lambda i: i.draw_bounding_boxes(BYTES, [ONE, ONE], None),
    "too few colours": lambda i: i.draw_bounding_boxes(IMAGES, [ONE, ONE], [[1.0]]),
    "boxes of one image": lambda i: i.draw_bounding_boxes(IMAGES, [ONE], None),
    "limits in reverse": lambda i: i.stateless_random_contrast(IMAGES, 2, 1, [1, 2]),
    "no seed": lambda i: i.stateless_random_saturation(IMAGES, 1, 2),
    "one seed": lambda i: i.stateless_random_hue(IMAGES, 0.1, 1),
    "too much brightness": lambda i: i.stateless_random_brightness(IMAGES, -1, [1, 2]),
    "a crop too large": lambda i: i.stateless_random_crop(IMAGES, [3, 1, 1, 1], [1, 2]),
    "qualities above 100": lambda i: i.stateless_random_jpeg_quality(BYTES[0], 1, 101, [1, 2]),
    "no objects": lambda i: i.sample_distorted_bounding_box([9, 9, 3], np.zeros((1, 0, 4))),
    "objects outside": lambda i: i.sample_distorted_bounding_box([9, 9, 3], [[[0, 0, 2, 1]]]),
    "an area of 0": lambda i: i.sample_distorted_bounding_box([9, 9, 3], [ONE], area_range=(0, 1)),
    "no scales": lambda i: i.ssim_multiscale(IMAGES, IMAGES, 1.0, []),
    "scales too small": lambda i: i.ssim_multiscale(IMAGES, IMAGES, 1.0),
    "floats to pack": lambda i: i.encode_png(IMAGES[0]),
    "unpacked as floats": lambda i: i.decode_png(i.encode_png(BYTES[0]), dtype="float32"),
}


@pytest.mark.parametrize("what", BAD)
def test_what_is_wrong_is_refused(what):
    with pytest.raises((ValueError, TypeError), match=r"\w+: "):
        BAD[what](mt.image)


# ----- on the GPU or its stand-in -----


def there(array):
    return mt.to_device(mt.constant(array), "gpu")


def brought(tensor):
    """Back to NumPy, from the GPU and from nowhere else."""
    assert type(tensor.array).__module__ == "cupy"
    return tensor.numpy()


THERE = {
    **{name: lambda x, call=call: call(mt.image, x, [1, 2]) for name, call in CHANCE.items()},
    "crop": lambda x: mt.image.crop_and_resize(x, BOXES, [1, 0, 1, 0], [5, 4]),
    "drawn": lambda x: mt.image.draw_bounding_boxes(x, np.stack([BOXES, BOXES]), None),
    "scales": lambda x: mt.image.ssim_multiscale(x, x * 0.5, 1.0, [0.5, 0.5], filter_size=3),
    "categories": lambda x: mt.random.stateless_categorical(x[0, 0], 4, [1, 2]),
}


@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize("name", THERE)
def test_what_is_computed_there_is_what_is_computed_here(name):
    def answers(x):
        with mt.GradientTape() as tape:
            tape.watch(x)
            y = THERE[name](x)
        return y, None if name == "categories" else tape.gradient(y, x)

    ours, slope = answers(there(IMAGES))
    plain, plain_slope = answers(mt.constant(IMAGES))
    found = ours.numpy() if name == "categories" else brought(ours)
    np.testing.assert_allclose(found, plain.numpy(), rtol=1e-4, atol=1e-5)
    if slope is not None:
        np.testing.assert_allclose(brought(slope), plain_slope.numpy(), rtol=1e-3, atol=1e-4)


@pytest.mark.usefixtures("gpu")
def test_gradients_reach_boxes_there():
    boxes = there(BOXES.clip(0, 1))
    with mt.GradientTape() as tape:
        tape.watch(boxes)
        y = mt.image.crop_and_resize(there(IMAGES), boxes, [1, 0, 1, 0], [5, 4])
    assert brought(tape.gradient(y, boxes)).any()


@pytest.mark.usefixtures("gpu")
def test_random_numbers_are_made_there():
    with mt.device("gpu"):
        g = mt.random.Generator.from_seed(1)
        assert brought(g.normal([3])).shape == (3,)
        assert brought(mt.random.stateless_uniform([3], [1, 2])).shape == (3,)
        boxes, scores = there(BOXES), there(np.float32([1, 2, 3, 4]))
        assert brought(mt.image.non_max_suppression(boxes, scores, 2)).dtype == np.int32
