"""Images as arrays, as Pillow's images, and as files.

Args of all: data_format, "channels_last" or "channels_first", by default that of keras.config;
dtype, what is computed in, by default the float type. Returns of load_img and array_to_img: a
PIL.Image.Image. Raises: without Pillow, an ImportError that says how to install it.
Source: keras.utils, under the same name.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from minitensor.extras import require
from minitensor.image.codec import MOST_PIXELS
from minitensor.keras.engine import defaults

if TYPE_CHECKING:
    from PIL import Image as PillowImage

_MODES = {"rgb": "RGB", "rgba": "RGBA", "grayscale": "L"}
_FILTERS = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")
_FORMATS = ("PNG", "JPEG", "BMP", "GIF")


def load_img(
    path: Any,
    color_mode: str = "rgb",
    target_size: tuple[int, int] | None = None,
    interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
) -> PillowImage.Image:
    """An image file as Pillow's image.

    Args:
        path: of a PNG, JPEG, BMP or GIF file, or a BytesIO with its bytes.
        color_mode: "rgb", "rgba" or "grayscale".
        target_size: (height, width) in pixels; None keeps the size.
        interpolation: "nearest", "bilinear", "bicubic", "hamming", "box" or "lanczos".
        keep_aspect_ratio: crop the middle instead of stretching.

    Raises:
        ValueError: the file is damaged or too large, or an argument is unknown.
        OSError: it cannot be opened.
    """
    require("load_img", "PIL", extra="keras")
    if color_mode not in _MODES:
        raise ValueError('color_mode must be "grayscale", "rgb", or "rgba"')
    if not isinstance(path, BytesIO | Path | bytes | str):
        raise TypeError(f"path should be path-like or io.BytesIO, not {type(path)}")
    if isinstance(path, BytesIO):
        data = path.getvalue()
    else:
        data = Path(path.decode() if isinstance(path, bytes) else path).read_bytes()
    image = _opened(data, path)
    if color_mode != "grayscale" or image.mode not in ("L", "I;16", "I"):
        image = image.convert(_MODES[color_mode])
    if target_size is None:
        return image
    return _resized(image, (target_size[1], target_size[0]), interpolation, keep_aspect_ratio)


def _opened(data: bytes, path: Any) -> PillowImage.Image:
    from PIL import Image

    try:
        image = Image.open(BytesIO(data), formats=_FORMATS)
        if image.width * image.height > MOST_PIXELS:
            raise ValueError(f"{image.size} pixels are promised; at most {MOST_PIXELS} are read")
        image.load()
    except Exception as problem:  # on damaged files Pillow raises many kinds, even AssertionError
        raise ValueError(f"{path}: no readable PNG, JPEG, BMP or GIF image: {problem}") from None
    return image


def _resized(
    image: PillowImage.Image, size: tuple[int, int], interpolation: str, keep_aspect_ratio: bool
) -> PillowImage.Image:
    from PIL import Image

    if interpolation not in _FILTERS:
        raise ValueError(
            f"Invalid interpolation method {interpolation} specified. Supported methods are "
            f"{', '.join(_FILTERS)}"
        )
    if image.size == size:
        return image
    box = None
    if keep_aspect_ratio:
        width = min(image.width, image.height * size[0] // size[1])
        height = min(image.height, image.width * size[1] // size[0])
        left, top = (image.width - width) // 2, (image.height - height) // 2
        box = (left, top, left + width, top + height)
    return image.resize(size, Image.Resampling[interpolation.upper()], box=box)


def img_to_array(img: Any, data_format: str | None = None, dtype: Any = None) -> np.ndarray:
    """Pillow's image as an array.

    Args:
        img: the image.

    Returns:
        (H, W, C) or (C, H, W); C is 1 for gray.

    Raises:
        ValueError: it has another number of axes, or an unknown data_format.

    Example:
        >>> import minitensor as tf
        >>> import numpy as np
        >>> tf.keras.utils.img_to_array(np.zeros((4, 5))).shape
        (4, 5, 1)
    """
    first = defaults.layout(data_format) == "channels_first"
    x = np.asarray(img, dtype or defaults.floatx())
    if x.ndim not in (2, 3):
        raise ValueError(f"Unsupported image shape: {x.shape}")
    x = x[..., np.newaxis] if x.ndim == 2 else x  # (H, W, C)
    return x.transpose(2, 0, 1) if first else x


def array_to_img(
    x: Any, data_format: str | None = None, scale: bool = True, dtype: Any = None
) -> PillowImage.Image:
    """An array as Pillow's image.

    Args:
        x: (H, W, C) or (C, H, W) with 1, 3 or 4 channels.
        scale: stretch the values to 0 ... 255.

    Raises:
        ValueError: another number of axes or channels.
    """
    require("array_to_img", "PIL", extra="keras")
    from PIL import Image

    first = defaults.layout(data_format) == "channels_first"
    pixels = np.asarray(x, dtype or defaults.floatx())
    if pixels.ndim != 3:
        raise ValueError(
            "Expected image array to have rank 3 (single image). "
            f"Got array with shape: {pixels.shape}"
        )
    if first:
        pixels = pixels.transpose(1, 2, 0)  # (H, W, C)
    if scale:
        pixels = pixels - pixels.min()
        top = pixels.max()
        pixels = (pixels / top if top else pixels) * 255
    if pixels.shape[-1] not in (1, 3, 4):
        raise ValueError(f"Unsupported channel number: {pixels.shape[-1]}")
    if pixels.shape[-1] == 1:
        deep = pixels.max() > 255
        return Image.fromarray(pixels[..., 0].astype(np.int32 if deep else np.uint8))
    return Image.fromarray(np.ascontiguousarray(pixels.astype(np.uint8)))


def save_img(
    path: Any,
    x: Any,
    data_format: str | None = None,
    file_format: str | None = None,
    scale: bool = True,
    **kwargs: Any,
) -> None:
    """Writes an array as an image file.

    Args:
        path: where; its ending decides the format unless file_format is given.
        x, scale: as in `array_to_img`.
        file_format: "png", "jpeg", ...
        **kwargs: what Pillow takes besides.

    Raises:
        ValueError: the array is no image, or the format is unknown.
    """
    kind = file_format or (Path(path).suffix[1:] if isinstance(path, str | Path) else None)
    kind = "jpeg" if kind and kind.lower() == "jpg" else kind
    image = array_to_img(x, data_format, scale)
    if image.mode == "RGBA" and kind == "jpeg":
        image = image.convert("RGB")
    image.save(path, kind, **kwargs)
