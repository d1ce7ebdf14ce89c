"""minitensor.image against TensorFlow as it runs: files, measures, and what takes two images."""

import inspect
import io

import numpy as np
import pytest
from PIL import Image

import minitensor as mt
from minitensor import image
from minitensor.image import codec

RNG = np.random.default_rng(3)
PIXELS = RNG.integers(0, 256, (14, 19, 3), dtype=np.uint8)
SMOOTH = np.kron(PIXELS[:4, :4], np.ones((8, 8, 1), np.uint8))


def close(ours, theirs, rtol=1e-5):
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
    size = np.abs(theirs[np.isfinite(theirs)]).max(initial=1e-3)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=rtol * size)


# ----- measures -----

FIRST, SECOND = (RNG.uniform(size=(2, 13, 12, 3)).astype(np.float32) for _ in range(2))
MEASURES = {
    "psnr": lambda i, a, b: i.psnr(a, b, 1.0),
    "psnr of other images alike": lambda i, a, b: i.psnr(a, a[:1], 1.0),
    "psnr of bytes": lambda i, a, b: i.psnr(*(np.uint8(x * 255) for x in (a, b)), 255),
    "ssim": lambda i, a, b: i.ssim(a, b, 1.0),
    "ssim of one image": lambda i, a, b: i.ssim(a[0], b[0], 1.0),
    "ssim of bytes": lambda i, a, b: i.ssim(*(np.uint8(x * 255) for x in (a, b)), 255),
    "ssim of equals": lambda i, a, b: i.ssim(a, a, 1.0),
    "ssim in another window": lambda i, a, b: i.ssim(a, b, 1.0, 7, 0.8, 0.02, 0.05),
    "map of ssim": lambda i, a, b: i.ssim(a, b, 1.0, return_index_map=True),
    "total variation": lambda i, a, b: i.total_variation(a),
    "sobel": lambda i, a, b: i.sobel_edges(a),
    "gradient down": lambda i, a, b: i.image_gradients(a)[0],
    "gradient right": lambda i, a, b: i.image_gradients(a)[1],
}


@pytest.mark.parametrize("name", MEASURES)
def test_measures_are_tensorflows(name, tf):
    ours = MEASURES[name](image, FIRST, SECOND)
    tensors = (tf.constant(x) for x in (FIRST, SECOND))
    close(ours.numpy(), MEASURES[name](tf.image, *tensors).numpy(), rtol=2e-5)


@pytest.mark.parametrize("name", [n for n in MEASURES if "bytes" not in n and "equals" not in n])
def test_gradients_of_measures_are_tensorflows(name, tf):
    def gradient(library, images):
        a, b = (library.constant(x) for x in (FIRST, SECOND))
        with library.GradientTape() as tape:
            tape.watch(a)
            y = MEASURES[name](images, a, b)
            value = library.reduce_sum(y * library.cos(y))
        return tape.gradient(value, a).numpy()

    close(gradient(mt, image), gradient(tf, tf.image), rtol=1e-4)


def test_equal_images_have_infinite_psnr():
    assert np.isinf(image.psnr(FIRST, FIRST, 1.0).numpy()).all()


def test_gradients_of_crops_reach_the_image_as_in_tensorflow(tf):
    boxes, owners = [[0.1, 0.0, 0.9, 0.7], [0.8, -0.2, 0.1, 1.3]], [1, 0]

    def gradient(library):
        x = library.constant(FIRST)
        with library.GradientTape() as tape:
            tape.watch(x)
            y = library.image.crop_and_resize(x, boxes, owners, [5, 4])
            value = library.reduce_sum(y * y)
        return tape.gradient(value, x).numpy()

    close(gradient(mt), gradient(tf))


def test_random_saturation_keeps_hue_and_value():
    x = RNG.uniform(0.2, 0.9, (4, 4, 3)).astype(np.float32)
    hsv = image.rgb_to_hsv(x).numpy()
    factors = []
    for _ in range(20):
        other = image.rgb_to_hsv(image.random_saturation(x, 0.5, 1.0)).numpy()
        np.testing.assert_allclose(other[..., 0], hsv[..., 0], atol=1e-5)
        np.testing.assert_allclose(other[..., 2], hsv[..., 2], atol=1e-6)
        ratio = other[..., 1] / hsv[..., 1]
        assert np.ptp(ratio) < 1e-4
        factors.append(ratio.mean())
    assert 0.5 <= min(factors) < 0.7
    assert 0.8 < max(factors) <= 1


# ----- files -----


def packed(pixels, kind, **settings):
    out = io.BytesIO()
    picture = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    picture.save(out, kind, **settings)
    return out.getvalue()


def frames():
    parts = [Image.fromarray(PIXELS[k : k + 5]) for k in (0, 4, 8)]
    return packed(parts[0], "GIF", save_all=True, append_images=parts[1:])


MODES = {
    **{mode: Image.fromarray(PIXELS).convert(mode) for mode in ("1", "L", "LA", "RGB", "RGBA")},
    "P": Image.fromarray(PIXELS).quantize(8),
    "16 bits": Image.fromarray((np.arange(240, dtype=np.uint16) * 270).reshape(12, 20)),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("channels", [0, 1, 3, 4])
def test_png_files_are_decoded_as_by_tensorflow(mode, channels, tf):
    data = packed(MODES[mode], "PNG")
    ours, theirs = (i.decode_png(data, channels).numpy() for i in (image, tf.image))
    assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
    if channels == 4 and mode in ("1", "P"):
        assert (ours[..., 3] == 255).all()  # TensorFlow forgets how many bits an opaque pixel has
        ours, theirs = ours[..., :3], theirs[..., :3]
    off_by_one = channels == 1 and mode in ("RGB", "RGBA", "P")  # 15 bits there, decimals here
    assert np.abs(ours.astype(int) - theirs).max() <= off_by_one
    assert (ours != theirs).mean() < 0.02


@pytest.mark.parametrize("channels", [0, 1, 3])
@pytest.mark.parametrize("pixels", [SMOOTH, SMOOTH[..., 0]], ids=["colour", "gray"])
def test_jpeg_files_are_decoded_as_by_tensorflows_accurate_method(channels, pixels, tf):
    data = packed(pixels, "JPEG", quality=90)
    ours = image.decode_jpeg(data, channels).numpy()
    theirs = tf.image.decode_jpeg(data, channels, dct_method="INTEGER_ACCURATE").numpy()
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32", "float32", "float64"])
def test_images_are_decoded_into_other_types_as_by_tensorflow(dtype, tf):
    data = packed(PIXELS, "PNG")
    close(
        image.decode_image(data, dtype=dtype).numpy(),
        tf.image.decode_image(data, dtype=dtype).numpy(),
        rtol=1e-6,
    )


def test_white_is_1_in_half_precision_too():
    """TensorFlow goes by way of 65535, which is infinite there."""
    white = image.encode_png(np.full((1, 1, 1), 255, np.uint8))
    assert image.decode_image(white, dtype="float16").numpy().item() == 1


@pytest.mark.parametrize("data", [packed(PIXELS, "BMP"), frames()], ids=["BMP", "GIF"])
@pytest.mark.parametrize("expand", [True, False])
def test_other_files_are_decoded_as_by_tensorflow(data, expand, tf):
    ours, theirs = (
        i.decode_image(data, expand_animations=expand).numpy() for i in (image, tf.image)
    )
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_encoded_png_files_are_read_by_tensorflow(channels, tf):
    pixels = RNG.integers(0, 256, (7, 5, channels), dtype=np.uint8)
    for level in (-1, 0, 9):
        data = image.encode_png(pixels, level)
        np.testing.assert_array_equal(tf.image.decode_png(data).numpy(), pixels)
        np.testing.assert_array_equal(image.decode_image(data).numpy(), pixels)


@pytest.mark.parametrize("channels", [1, 3])
def test_encoded_jpeg_files_are_read_by_tensorflow(channels, tf):
    pixels = SMOOTH[..., :channels]
    found = tf.image.decode_jpeg(image.encode_jpeg(pixels, quality=100)).numpy()
    assert np.abs(found.astype(int) - pixels).mean() < (1 if channels == 1 else 20)
    worse, better = (len(image.encode_jpeg(pixels, quality=q).numpy()) for q in (20, 95))
    assert worse < better


def test_files_are_written_and_read_as_bytes(tmp_path):
    mt.io.write_file(str(tmp_path / "new/x.png"), mt.io.encode_png(PIXELS))
    data = mt.io.read_file(str(tmp_path / "new/x.png").encode())
    np.testing.assert_array_equal(mt.io.decode_image(data).numpy(), PIXELS)
    with pytest.raises(FileNotFoundError):
        mt.io.read_file(tmp_path / "nowhere")


def test_a_file_of_paths_is_a_pipeline(tmp_path):
    paths = [str(tmp_path / f"{k}.png") for k in range(3)]
    for k, path in enumerate(paths):
        mt.io.write_file(path, mt.io.encode_png(PIXELS[k : k + 4]))
    dataset = mt.data.Dataset.from_tensor_slices(paths)
    dataset = dataset.map(lambda path: mt.io.decode_png(mt.io.read_file(path))).batch(3)
    expected = np.stack([PIXELS[k : k + 4] for k in range(3)])
    np.testing.assert_array_equal(next(iter(dataset)).numpy(), expected)


NAMES = ["decode_image", "decode_jpeg", "decode_png", "encode_jpeg", "encode_png"]


@pytest.mark.parametrize("name", [*NAMES, "read_file", "write_file"])
def test_io_has_tensorflows_arguments(name, tf):
    ours, theirs = (inspect.signature(getattr(m.io, name)).parameters for m in (mt, tf))
    assert list(ours) == list(theirs)
    defaults = [(p.default, q.default) for p, q in zip(ours.values(), theirs.values(), strict=True)]
    assert all(a == b or getattr(b, "name", None) == str(a) for a, b in defaults)


# ----- errors -----


def header(width, height):
    """A PNG file that promises so many pixels and holds none."""
    import struct
    import zlib

    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


ERRORS = {
    "no readable PNG": lambda: image.decode_png(b"words"),
    "no readable": lambda: image.decode_image(packed(PIXELS, "PNG")[:-60]),
    "no readable PNG, JPEG, BMP or GIF": lambda: image.decode_image(packed(PIXELS, "TIFF")),
    "pixels are promised; at most": lambda: image.decode_image(header(9000, 9000)),
    "channels must be 0 to 4": lambda: image.decode_png(packed(PIXELS, "PNG"), 5),
    "ratio must be 1": lambda: image.decode_jpeg(packed(PIXELS, "JPEG"), ratio=2),
    "with .1, 2, 3, 4. channels": lambda: image.encode_png(np.zeros((2, 2, 5), np.uint8)),
    "with .1, 3. channels": lambda: image.encode_jpeg(np.zeros((2, 2, 2), np.uint8)),
    "gamma must not be negative": lambda: image.adjust_gamma(FIRST, -1),
    "1 channel": lambda: image.grayscale_to_rgb(FIRST),
    "adjust_saturation: image must have 3 channels": lambda: image.adjust_saturation(
        FIRST[..., :2], 1
    ),
    "random_saturation: lower": lambda: image.random_saturation(FIRST, 1, 0.5),
    "smaller than the window 15": lambda: image.ssim(FIRST, SECOND, 1.0, filter_size=15),
    "two images of one shape": lambda: image.psnr(FIRST, SECOND[:, :4], 1.0),
    "2 by 2 pixels": lambda: image.sobel_edges(FIRST[:, :1]),
    "image must have 4 axes": lambda: image.image_gradients(FIRST[0]),
    "boxes must be": lambda: image.crop_and_resize(FIRST, [[0, 0, 1]], [0], [2, 2]),
    "box_indices must lie in 0 ... 1": lambda: image.crop_and_resize(
        FIRST, [[0, 0, 1, 1]], [2], [2, 2]
    ),
    "'bilinear' or 'nearest'": lambda: image.crop_and_resize(
        FIRST, [[0, 0, 1, 1]], [0], [2, 2], "area"
    ),
    "target_height must be at least 1": lambda: image.resize_with_pad(FIRST, 0, 3),
}
TYPE_ERRORS = {
    "contents must be the bytes": lambda: image.decode_image("picture.png"),
    "dtype must be uint8": lambda: image.decode_png(packed(PIXELS, "PNG"), dtype="float32"),
    "encode_png: image must be": lambda: image.encode_png(FIRST[0]),
    "rot90: k": lambda: image.rot90(FIRST, 1.5),
    "total_variation": lambda: image.total_variation(PIXELS),
}


@pytest.mark.parametrize("words", ERRORS)
def test_illegal_values_are_value_errors(words):
    with pytest.raises(ValueError, match=words):
        ERRORS[words]()


@pytest.mark.parametrize("words", TYPE_ERRORS)
def test_wrong_kinds_are_type_errors(words):
    with pytest.raises(TypeError, match=words):
        TYPE_ERRORS[words]()


def test_all_frames_together_are_counted(monkeypatch):
    monkeypatch.setattr(codec, "MOST_PIXELS", 2 * 5 * 19)
    with pytest.raises(ValueError, match="285 pixels are promised"):
        image.decode_image(frames())


# ----- other devices -----

EVERYWHERE = {
    "rot90": image.rot90,
    "transpose": image.transpose,
    "resize_with_pad": lambda x: image.resize_with_pad(x, 7, 20),
    "crop_and_resize": lambda x: image.crop_and_resize(x, [[0.1, -0.2, 0.9, 1]], [1], [4, 5]),
    "adjust_saturation": lambda x: image.adjust_saturation(x, 0.4),
    "adjust_gamma": lambda x: image.adjust_gamma(x, 2.2),
    "grayscale_to_rgb": lambda x: image.grayscale_to_rgb(x[..., :1]),
    "total_variation": image.total_variation,
    "sobel_edges": image.sobel_edges,
    "image_gradients": lambda x: image.image_gradients(x)[1],
    "ssim": lambda x: image.ssim(x, x * x, 1.0, filter_size=5),
    "psnr": lambda x: image.psnr(x, x * x, 1.0),
    "roll": lambda x: mt.roll(x, 2, 1),
    "repeat": lambda x: mt.repeat(x, 2, axis=2),
    "gather_nd": lambda x: mt.gather_nd(x, [[0, 1], [1, 2]]),
    "meshgrid": lambda x: mt.meshgrid(x[0, 0, 0], x[0, 0, 1])[0],
    "unique": lambda x: mt.unique(x[0, 0, 0])[0],
    "map_fn": lambda x: mt.map_fn(lambda row: row * 2, x),
}


@pytest.mark.parametrize("name", EVERYWHERE)
def test_the_emulator_answers_as_numpy_does(name):
    from minitensor.backend import devices

    if lack := devices.lack_of("EMULATOR"):
        pytest.skip(lack)
    with mt.device("/EMULATOR:0"):
        x = mt.constant(FIRST)
        with mt.GradientTape() as tape:
            tape.watch(x)
            y = EVERYWHERE[name](x)
        g = tape.gradient(y, x)
    assert "EMULATOR" in y.device
    z = mt.constant(FIRST)
    with mt.GradientTape() as tape:
        tape.watch(z)
        expected = EVERYWHERE[name](z)
    close(y.numpy(), expected.numpy())
    if name != "unique":
        close(mt.convert_to_tensor(g).numpy(), tape.gradient(expected, z).numpy(), rtol=1e-4)


def test_light_and_differences_of_colour_are_televisions_and_come_back() -> None:
    x = np.array([[[1.0, 2.0, 3.0], [0.2, 0.5, 0.1]]], np.float32)
    yiq, yuv = image.rgb_to_yiq(x).numpy(), image.rgb_to_yuv(x).numpy()
    light = x @ np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601
    np.testing.assert_allclose(yiq[..., 0], light, rtol=1e-6)
    np.testing.assert_allclose(yuv[..., 0], light, rtol=1e-6)
    np.testing.assert_allclose(yuv[..., 1], 0.492111 * (x[..., 2] - light), atol=2e-5)
    np.testing.assert_allclose(yuv[..., 2], 0.877283 * (x[..., 0] - light), atol=2e-5)
    np.testing.assert_allclose(yiq[0, 0], [1.815, -0.91724455, 0.09962624], rtol=1e-5)
    np.testing.assert_allclose(image.yuv_to_rgb(yuv), x, atol=1e-4)
    np.testing.assert_allclose(image.yiq_to_rgb(yiq), x, atol=1e-4)
    with pytest.raises(TypeError, match="images must hold floats"):
        image.rgb_to_yuv(np.zeros((2, 2, 3), np.uint8))
