"""Images as files: PNG, JPEG, BMP and GIF, unpacked and packed by Pillow.

A file of a few bytes can promise an image of gigabytes: what is larger than MOST_PIXELS is refused
before anything is unpacked. JPEG pixels are TensorFlow's with dct_method="INTEGER_ACCURATE"; its
default is faster and differs by a few levels.

For all of them:
    Args: `contents`: bytes of a file, or a string tensor of them. `channels`: 1 gray, 2 gray and
        alpha, 3 colour, 4 colour and alpha; None or 0 as in the file. `dtype`: uint8, if nothing
        else is said. `name`: ignored.
    Returns: a string tensor, if the name says encode.
    Raises: ImportError where Pillow is missing. TypeError where `contents` are no bytes, or for
        another dtype. ValueError where they are no such file, damaged, or more than MOST_PIXELS;
        for another number of axes or channels.
    Source: tf.image, under the same name.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from minitensor.autograd import Tensor, to_device_of
from minitensor.backend import text
from minitensor.dtypes import as_dtype, uint8
from minitensor.extras import require
from minitensor.image.color import convert_image_dtype
from minitensor.image.inputs import example, picture
from minitensor.nn import checks

if TYPE_CHECKING:
    from PIL import Image as PillowImage

MOST_PIXELS = 1 << 26  # in all frames together
_FORMATS = ("PNG", "JPEG", "BMP", "GIF")
_BRIGHTNESS = np.array([[299], [587], [114]], np.uint32)
_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


def decode_image(
    contents: Any,
    channels: Any = None,
    dtype: Any = uint8,
    name: str | None = None,
    expand_animations: bool = True,
) -> Tensor:
    """The image in the bytes of a PNG, JPEG, BMP or GIF file.

    Args:
        dtype: of the result; floats are from 0 to 1.
        expand_animations: give all frames of a GIF; else the first one.

    Returns:
        (H, W, C), or (frames, H, W, C) for a GIF.

    Example:
        >>> import minitensor as tf
        >>> packed = tf.image.encode_png(tf.constant([[[7], [9]]], "uint8"))
        >>> tf.image.decode_image(packed).numpy().ravel().tolist()
        [7, 9]
    """
    kind = as_dtype(dtype)
    data = _bytes("decode_image", contents)
    frames = _frames("decode_image", data, 0 if channels is None else channels)
    animated = expand_animations and data[:3] == b"GIF"
    pixels = np.stack(frames) if animated else frames[0]  # (frames, H, W, C) or (H, W, C)
    if kind.kind in "iu" and kind != uint8:
        pixels = pixels.astype(np.uint16) * np.uint16(257)  # 255 becomes 65535
    return convert_image_dtype(to_device_of(pixels), kind)


def read_image(path: Any, channels: int) -> Tensor:
    """The first image of a file, (H, W, channels) uint8; an error names the file."""
    file = Path(os.fsdecode(path.numpy() if isinstance(path, Tensor) else path))
    try:
        return decode_image(file.read_bytes(), channels, expand_animations=False)
    except ValueError as problem:
        raise ValueError(f"{file}: {problem}") from None


@example(
    'decode_png(tf.image.encode_png(tf.zeros([4, 5, 3], "uint8"))).shape', "TensorShape([4, 5, 3])"
)
def decode_png(
    contents: Any, channels: int = 0, dtype: Any = uint8, name: str | None = None
) -> Tensor:
    """The image in the bytes of a PNG file; JPEG, BMP and the first frame of a GIF are read too.

    Args:
        dtype: uint8, where levels of 16 bits lose their lower 8; or uint16, where 255 of 8 bits
            becomes 65535.

    Returns:
        (H, W, C)
    """
    kind = as_dtype(dtype)
    if kind.name not in ("uint8", "uint16"):
        raise TypeError(
            f"decode_png: dtype must be uint8 or uint16, got {dtype}; convert_image_dtype follows"
        )
    read = pixels if kind == uint8 else pixels_of_16_bits
    return to_device_of(_frames("decode_png", contents, channels, read)[0])


@example(
    'decode_jpeg(tf.image.encode_jpeg(tf.ones([4, 5, 3], "uint8"))).shape', "TensorShape([4, 5, 3])"
)
def decode_jpeg(
    contents: Any,
    channels: int = 0,
    ratio: int = 1,
    fancy_upscaling: bool = True,
    try_recover_truncated: bool = False,
    acceptable_fraction: float = 1,
    dct_method: str = "",
    name: str | None = None,
) -> Tensor:
    """The image in the bytes of a JPEG file; PNG, BMP and the first frame of a GIF are read too.

    Args:
        ratio: 1; resize the result instead.
        fancy_upscaling, try_recover_truncated, acceptable_fraction, dct_method, name: ignored.

    Returns:
        (H, W, C) uint8.
    """
    if ratio != 1:
        raise ValueError(f"decode_jpeg: ratio must be 1, got {ratio}; resize the result instead")
    return to_device_of(_frames("decode_jpeg", contents, channels)[0])


def decode_bmp(contents: Any, channels: int = 0, name: str | None = None) -> Tensor:
    """The image in the bytes of a BMP file.

    Args:
        contents: the file's bytes.
        channels: 0 for the file's own, 1, 3 or 4.

    Returns:
        (H, W, C) uint8.

    Example:
        >>> import minitensor as tf
        >>> import io, PIL.Image
        >>> file = io.BytesIO()
        >>> PIL.Image.new("RGB", (5, 4)).save(file, "BMP")
        >>> tf.image.decode_bmp(file.getvalue()).shape
        TensorShape([4, 5, 3])
    """
    return _of_kind("decode_bmp", contents, channels, b"BM")[0]


def decode_gif(contents: Any, name: str | None = None) -> Tensor:
    """All images in the bytes of a GIF file.

    Args:
        contents: the file's bytes.

    Returns:
        (frames, H, W, 3) uint8.

    Example:
        >>> import minitensor as tf
        >>> import io, PIL.Image
        >>> file = io.BytesIO()
        >>> PIL.Image.new("RGB", (5, 4)).save(file, "GIF")
        >>> tf.image.decode_gif(file.getvalue()).shape
        TensorShape([1, 4, 5, 3])
    """
    return _of_kind("decode_gif", contents, 3, b"GIF")


def _of_kind(op: str, contents: Any, channels: int, begins: bytes) -> Tensor:
    data = _bytes(op, contents)
    if not data.startswith(begins):
        raise ValueError(f"{op}: the file does not begin with {begins!r}; decode_image reads more")
    return to_device_of(np.stack(_frames(op, data, channels)))  # (frames, H, W, C)


@example('encode_png(tf.zeros([4, 5, 3], "uint8")).numpy()[:4]', "b'\\x89PNG'")
def encode_png(image: Any, compression: int = -1, name: str | None = None) -> Tensor:
    """The bytes of a PNG file with this image.

    Args:
        image: (H, W, C) uint8 or uint16 with 1 to 4 channels.
        compression: 0 to 9, or -1 for zlib's default.
    """
    level = checks.number("encode_png", "compression", compression, -1)
    x = picture("encode_png", "image", image, (3,))
    if x.dtype == np.uint16 and x.shape[-1] <= 4:
        return Tensor(text.of(_png_of_16_bits(x.numpy(), min(level, 9))))
    return _packed("encode_png", image, (1, 2, 3, 4), "PNG", compress_level=level % 10)


@example('encode_jpeg(tf.zeros([4, 5, 3], "uint8")).numpy()[:2]', "b'\\xff\\xd8'")
def encode_jpeg(
    image: Any,
    format: str = "",
    quality: int = 95,
    progressive: bool = False,
    optimize_size: bool = False,
    chroma_downsampling: bool = True,
    density_unit: str = "in",
    x_density: int = 300,
    y_density: int = 300,
    xmp_metadata: str = "",
    name: str | None = None,
) -> Tensor:
    """The bytes of a JPEG file with this image.

    Args:
        image: (H, W, C) uint8 with 1 or 3 channels.
        quality: 1 to 100.
        progressive, optimize_size, chroma_downsampling: how it is packed.
        format, density_unit, x_density, y_density, xmp_metadata, name: ignored.
    """
    how = {"progressive": progressive, "optimize": optimize_size}
    sampling = "4:2:0" if chroma_downsampling else "4:4:4"
    return _packed(
        "encode_jpeg", image, (1, 3), "JPEG", quality=quality, subsampling=sampling, **how
    )


@example("adjust_jpeg_quality(tf.ones([8, 8, 3]), 75).shape", "TensorShape([8, 8, 3])")
def adjust_jpeg_quality(
    image: Any, jpeg_quality: Any, dct_method: str = "", name: str | None = None
) -> Tensor:
    """What is left of an image after it has been a JPEG file; no gradient.

    Args:
        image: (H, W, C) with 1 or 3 channels; floats are from 0 to 1.
        jpeg_quality: 0 to 100.
        dct_method: ignored.

    Returns:
        The shape and dtype of `image`.
    """
    quality = checks.number("adjust_jpeg_quality", "jpeg_quality", jpeg_quality, 0)
    if quality > 100:
        raise ValueError(f"adjust_jpeg_quality: jpeg_quality must be at most 100, got {quality}")
    x = picture("adjust_jpeg_quality", "image", image, (3,))
    file = encode_jpeg(convert_image_dtype(x, uint8, saturate=True), quality=max(quality, 1))
    return convert_image_dtype(decode_jpeg(file, x.shape[-1]), x.dtype, saturate=True)


def _packed(op: str, image: Any, legal: tuple[int, ...], kind: str, **settings: Any) -> Tensor:
    require(op, "PIL", extra="keras")
    from PIL import Image

    x = picture(op, "image", image, (3,))
    if x.dtype != uint8 or x.shape[-1] not in legal:
        raise (TypeError if x.dtype != uint8 else ValueError)(
            f"{op}: image must be (H, W, C) uint8 with {legal} channels, got {x.dtype} {x.shape}"
        )
    pixels, out = x.numpy(), BytesIO()
    flat = pixels[..., 0] if pixels.shape[-1] == 1 else pixels
    Image.fromarray(np.ascontiguousarray(flat)).save(out, kind, **settings)
    return Tensor(text.of(out.getvalue()))


def _png_of_16_bits(levels: np.ndarray, compression: int) -> bytes:
    """A PNG file, which Pillow cannot write in colour: rows unfiltered, high bytes first."""
    height, width, channels = levels.shape
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    rows = levels.astype(">u2").view(np.uint8).reshape(height, -1)
    data = np.pad(rows, ((0, 0), (1, 0))).tobytes()  # a 0 in front of each row: no filter
    head = struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)
    file = b"\x89PNG\r\n\x1a\n"
    packed = zlib.compress(data, compression)
    for name, body in ((b"IHDR", head), (b"IDAT", packed), (b"IEND", b"")):
        check = struct.pack(">I", zlib.crc32(name + body))
        file += struct.pack(">I", len(body)) + name + body + check
    return file


def _frames(
    op: str, contents: Any, channels: Any, read: Callable[..., np.ndarray] | None = None
) -> list[np.ndarray]:
    """(H, W, C), one for each frame: uint8, if it is not `read` otherwise."""
    require(op, "PIL", extra="keras")
    count = checks.number(op, "channels", channels, 0)
    if count > 4:
        raise ValueError(f"{op}: channels must be 0 to 4, got {count}")
    data = _bytes(op, contents)
    from PIL import Image, ImageSequence

    try:
        with Image.open(BytesIO(data), formats=_FORMATS) as image:
            total = image.width * image.height * getattr(image, "n_frames", 1)
            if total > MOST_PIXELS:
                raise ValueError(f"{total} pixels are promised; at most {MOST_PIXELS} are read")
            if count == 1:
                image.draft("L", image.size)  # the brightness that a JPEG file holds as it is
            return [(read or pixels)(frame, count) for frame in ImageSequence.Iterator(image)]
    except Exception as problem:  # on damaged files Pillow raises many kinds, even AssertionError
        raise ValueError(f"{op}: no readable PNG, JPEG, BMP or GIF image: {problem}") from None


def _bytes(op: str, contents: Any) -> bytes:
    """The bytes of a file, whatever holds them."""
    found = contents.numpy() if isinstance(contents, Tensor) else contents
    if not isinstance(found, bytes | bytearray):
        raise TypeError(
            f"{op}: contents must be the bytes of a file, as io.read_file gives them, "
            f"got {type(found).__name__}"
        )
    return bytes(found)


def pixels(image: PillowImage.Image, channels: int) -> np.ndarray:
    """(H, W, C) uint8 with so many channels; 0 keeps those of the file."""
    from PIL import Image

    if image.mode.startswith("I;16") or image.mode == "I":  # 16 bits a level
        image = Image.fromarray((np.asarray(image).astype(np.uint32) >> 8).astype(np.uint8))
    if channels:
        mode = _MODES[channels]
    elif image.mode in _MODES.values():
        mode = image.mode
    elif image.mode == "1":
        mode = "L"
    else:
        mode = "RGBA" if image.has_transparency_data and image.format != "GIF" else "RGB"
    if mode == "L" and image.mode not in ("L", "LA", "1") and image.format != "JPEG":
        levels = np.asarray(image.convert("RGB")) @ _BRIGHTNESS // 1000  # cut off, as by libpng
        return levels.astype(np.uint8)  # (H, W, 1)
    found = np.array(image.convert(mode))
    return found if found.ndim == 3 else found[..., np.newaxis]  # (H, W, C)


def pixels_of_16_bits(image: PillowImage.Image, channels: int) -> np.ndarray:
    """(H, W, C) uint16 with so many channels; 0 keeps those of the file."""
    full = _levels(image)
    found = full.shape[-1]
    if not channels or channels == found:
        return full
    color, alpha = full[..., : 3 - 2 * (found < 3)], full[..., found - 1 + found % 2 :]
    if channels < 3 <= found:  # brightness, cut off
        bright = color.astype(np.uint32) @ _BRIGHTNESS // 1000
        color = bright.astype(np.uint16)
    elif channels >= 3 > found:
        color = np.repeat(color, 3, axis=-1)
    if channels % 2:
        return color
    opaque = np.full((*full.shape[:2], 1), 65535, np.uint16)
    return np.concatenate([color, alpha if alpha.size else opaque], -1)


def _levels(image: PillowImage.Image) -> np.ndarray:
    """(H, W, C) uint16; 8 bits are widened."""
    from PIL import Image

    if image.mode.startswith("I"):  # gray, 16 bits
        return np.asarray(image).astype(np.uint16)[..., np.newaxis]
    tiles: Any = getattr(image, "tile", None)
    raw = tiles[0].args if tiles else ""
    if raw == "LA;16B":
        raise ValueError("gray of 16 bits with alpha is read with dtype uint8 alone")
    if raw not in ("RGB;16B", "RGBA;16B"):
        return pixels(image, 0).astype(np.uint16) * np.uint16(257)
    # Of each two bytes Pillow keeps the high one; of a copy, told that the low one comes first, the
    # low one.
    other: Any = Image.open(BytesIO(image.fp.getvalue()))  # type: ignore[attr-defined]
    other.tile = [tiles[0]._replace(args=raw[:-1] + "L")]
    high, low = np.asarray(image).astype(np.uint16), np.asarray(other)
    return high << np.uint16(8) | low
