"""Windowed ops in plain loops over outputs: slow, and written without looking at the package.

The loops take integers and arrays of any number of spatial axes, channels last. `Words` reads a
user's arguments for two spatial axes by the rules of the documentation, so that a fuzz test can
ask both "is it right" and "was it right to refuse". Nothing here imports minitensor.
"""

from dataclasses import dataclass

import numpy as np


class IllegalError(Exception):
    """The arguments are not legal; says why."""


def same_pads(size, taps, stride, dilation):
    """Pads per axis such that ceil(n / s) outputs fit, the odd pixel after."""
    pads = []
    for n, k, s, d in zip(size, taps, stride, dilation, strict=True):
        outputs = (n + s - 1) // s
        missing = max((outputs - 1) * s + (k - 1) * d + 1 - n, 0)
        pads.append((missing // 2, missing - missing // 2))
    return pads


def output_sizes(size, taps, stride, dilation, pads):
    """How many windows start on the padded image and end on it, by counting."""
    return tuple(
        sum(start + (k - 1) * d < n + sum(p) for start in range(0, n + sum(p), s))
        for n, k, s, d, p in zip(size, taps, stride, dilation, pads, strict=True)
    )


def _pixels(position, taps, stride, dilation):
    """The pixels that the window at `position` touches, as slices over the padded image."""
    return tuple(
        slice(i * s, i * s + (k - 1) * d + 1, d)
        for i, k, s, d in zip(position, taps, stride, dilation, strict=True)
    )


def _padded(x, pads, value=0):
    return np.pad(x, [(0, 0), *pads, (0, 0)], constant_values=value)


def conv(x, kernel, stride, dilation, pads, groups=1):
    """Cross-correlation of (N, sizes, C) with (taps, C/G, O)."""
    taps = kernel.shape[:-2]
    size, inner, outer = x.shape[1:-1], kernel.shape[-2], kernel.shape[-1] // groups
    image, axes = _padded(x, pads), len(taps) + 1
    y = np.zeros(
        (len(x), *output_sizes(size, taps, stride, dilation, pads), kernel.shape[-1]), x.dtype
    )
    for position in np.ndindex(*y.shape[1:-1]):
        window = image[:, *_pixels(position, taps, stride, dilation)]
        for g in range(groups):
            seen = window[..., g * inner : (g + 1) * inner]
            bank = kernel[..., g * outer : (g + 1) * outer]
            y[:, *position, g * outer : (g + 1) * outer] = np.tensordot(seen, bank, axes)
    return y


def conv_transpose(y, kernel, size, stride, dilation, pads, groups=1):
    """What `conv` would have read: every position adds kernel times y to the pixels it touches."""
    taps = kernel.shape[:-2]
    inner, outer = kernel.shape[-2], kernel.shape[-1] // groups
    image = _padded(np.zeros((len(y), *size, inner * groups), y.dtype), pads)
    for position in np.ndindex(*y.shape[1:-1]):
        window = image[:, *_pixels(position, taps, stride, dilation)]
        for g in range(groups):
            came = y[:, *position, g * outer : (g + 1) * outer]
            bank = kernel[..., g * outer : (g + 1) * outer]
            window[..., g * inner : (g + 1) * inner] += np.tensordot(came, bank, (1, -1))
    inside = (slice(p[0], p[0] + n) for n, p in zip(size, pads, strict=True))
    return image[:, *inside]


def depthwise(x, kernel, stride, dilation, pads):
    """Channel c of (N, H, W, C) with filters (kh, kw, C, M), one conv of one channel at a time."""
    parts = [
        conv(x[..., [c]], kernel[:, :, [c], :], stride, dilation, pads) for c in range(x.shape[-1])
    ]
    return np.concatenate(parts, axis=-1)


def pool(x, taps, stride, dilation, pads, kind):
    """Maximum or mean of the real pixels of each window; 0 where a window has none."""
    size = x.shape[1:-1]
    image, real = _padded(x, pads), _padded(np.ones((1, *size, 1), bool), pads, False)
    y = np.zeros((len(x), *output_sizes(size, taps, stride, dilation, pads), x.shape[-1]), x.dtype)
    for position in np.ndindex(*y.shape[1:-1]):
        window = _pixels(position, taps, stride, dilation)
        seen = image[:, *window][:, real[0, *window, 0]]  # (N, real pixels, C)
        if seen.shape[1]:
            y[:, *position] = seen.max(1) if kind == "MAX" else seen.mean(1)
    return y


# ----- a user's words, for two spatial axes -----


@dataclass
class Words:
    """Arguments of a windowed op over images, read by the documented rules."""

    data_format: object
    strides: object
    padding: object
    dilations: object = None

    def read(self, stride_forms=(0, 1, 2, 4), dilation_forms=(0, 1, 2, 4), explicit=True):
        """Sets last, stride, dilation and pads (a word or two pairs), or refuses."""
        if self.data_format not in (None, "NHWC", "NCHW"):
            raise IllegalError("data_format")
        self.last = self.data_format != "NCHW"
        self.stride = self._numbers(self.strides, stride_forms)
        self.dilation = self._numbers(self.dilations, dilation_forms)
        self.pads = self._pads(explicit)
        return self

    def _spatial(self, four):
        return four[1:3] if self.last else four[2:4]

    def _outer(self, four):
        return (four[0], four[3]) if self.last else (four[0], four[1])

    def _numbers(self, value, forms):
        if value is None:
            return 1, 1
        listed = isinstance(value, list | tuple | np.ndarray)
        items = list(value) if listed else [value]
        if (len(items) or None if listed else 0) not in forms:
            raise IllegalError("length")
        if not all(is_integer(item) and item >= 1 for item in items):
            raise IllegalError("not positive integers")
        if len(items) == 4:
            if self._outer(items) != (1, 1):
                raise IllegalError("batch or channels")
            items = self._spatial(items)
        return tuple(int(i) for i in (items * 2)[:2])

    def _pads(self, explicit):
        value = self.padding
        if isinstance(value, str | bytes):
            word = value.decode() if isinstance(value, bytes) else value
            if word not in ("SAME", "VALID"):
                raise IllegalError("word")
            return word
        if not explicit or not isinstance(value, list | tuple) or len(value) != 4:
            raise IllegalError("padding")
        for pair in value:
            if not isinstance(pair, list | tuple) or len(pair) != 2:
                raise IllegalError("pair")
            if not all(is_integer(p) and p >= 0 for p in pair):
                raise IllegalError("pad")
        if any(sum(pair) for pair in self._outer(value)):
            raise IllegalError("batch or channel pads")
        return [tuple(pair) for pair in self._spatial(value)]

    def pads_for(self, size, taps):
        """The pairs, once the image size is known."""
        if self.pads == "SAME":
            return same_pads(size, taps, self.stride, self.dilation)
        return [(0, 0), (0, 0)] if self.pads == "VALID" else self.pads

    def fitting_pads(self, size, taps):
        """`pads_for`, refusing a kernel without taps or longer than the padded image."""
        if 0 in taps:
            raise IllegalError("no taps")
        pads = self.pads_for(size, taps)
        extent = [(k - 1) * d + 1 for k, d in zip(taps, self.dilation, strict=True)]
        padded = [n + sum(p) for n, p in zip(size, pads, strict=True)]
        if self.pads != "SAME" and any(r > n for r, n in zip(extent, padded, strict=True)):
            raise IllegalError("kernel does not fit")
        return pads

    def in_last(self, x):
        """Channels moved to the end."""
        return x if self.last else np.moveaxis(x, 1, -1)

    def out_last(self, y):
        """The user's layout again."""
        return y if self.last else np.moveaxis(y, -1, 1)


def is_integer(value):
    """Python and NumPy integers, but no truth values."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool | np.bool_)


def same_dtype(*arrays, legal):
    """Refuses unlike dtypes, or one outside `legal`."""
    if len({a.dtype for a in arrays}) > 1 or arrays[0].dtype.name not in legal:
        raise IllegalError("dtype")


FLOATS = ("float16", "float32", "float64")


def user_conv2d(x, kernel, words):
    """tf.nn.conv2d, with extra leading axes."""
    words.read()
    same_dtype(x, kernel, legal=(*FLOATS, "int32"))
    if x.ndim < 4 or kernel.ndim != 4:
        raise IllegalError("rank")
    batched = words.in_last(x.reshape(int(np.prod(x.shape[:-3])), *x.shape[-3:]))
    groups = _groups(batched.shape[-1], kernel)
    pads = words.fitting_pads(batched.shape[1:3], kernel.shape[:2])
    y = words.out_last(conv(batched, kernel, words.stride, words.dilation, pads, groups))
    return y.reshape(*x.shape[:-3], *y.shape[1:])


def user_conv2d_transpose(y, kernel, output_shape, words):
    """tf.nn.conv2d_transpose."""
    words.read()
    same_dtype(y, kernel, legal=(*FLOATS, "int32"))
    if y.ndim != 4 or kernel.ndim != 4 or 0 in kernel.shape[:2]:
        raise IllegalError("rank or taps")
    size, channels = _asked(y, kernel, output_shape, words)
    came = words.in_last(y)
    groups = _groups(channels, kernel)
    if came.shape[-1] != kernel.shape[-1]:
        raise IllegalError("channels")
    pads, taps = words.pads_for(size, kernel.shape[:2]), kernel.shape[:2]
    if output_sizes(size, taps, words.stride, words.dilation, pads) != came.shape[1:3]:
        raise IllegalError("no convolution maps this size to the input")
    return words.out_last(
        conv_transpose(came, kernel, size, words.stride, words.dilation, pads, groups)
    )


def _asked(y, kernel, output_shape, words):
    if not isinstance(output_shape, list | tuple):
        raise IllegalError("output_shape")
    if not all(is_integer(n) and n >= 0 for n in output_shape):
        raise IllegalError("output_shape entries")
    if len(output_shape) == 2:
        return tuple(output_shape), kernel.shape[2]
    if len(output_shape) != 4 or output_shape[0] != len(y):
        raise IllegalError("output_shape length or batch")
    return tuple(words._spatial(output_shape)), words._outer(output_shape)[1]


def _groups(channels, kernel):
    inner, outer = kernel.shape[2:]
    if not inner or not channels or channels % inner or outer % (channels // inner):
        raise IllegalError("groups")
    return channels // inner


def user_depthwise_conv2d(x, kernel, words):
    """tf.nn.depthwise_conv2d."""
    if words.strides is None:
        raise IllegalError("strides")
    words.read(stride_forms=(4,), dilation_forms=(1, 2))
    same_dtype(x, kernel, legal=FLOATS)
    if x.ndim != 4 or kernel.ndim != 4:
        raise IllegalError("rank")
    image = words.in_last(x)
    if 0 in kernel.shape or kernel.shape[2] != image.shape[-1]:
        raise IllegalError("filter")
    pads = words.fitting_pads(image.shape[1:3], kernel.shape[:2])
    return words.out_last(depthwise(image, kernel, words.stride, words.dilation, pads))


def user_pool(x, taps, strides, padding, data_format, kind, dilations=None, name="max_pool2d"):
    """tf.nn.max_pool2d, avg_pool2d or, with a kind, pool over two axes."""
    general = name == "pool"
    words = Words(data_format, strides, padding, dilations)
    if general and not (isinstance(taps, list | tuple) and len(taps) == 2):
        raise IllegalError("window_shape")
    forms = (1, 2) if general else (0, 1, 2, 4)
    words.read(forms, forms, explicit=general or kind == "MAX")
    taps = words._numbers(taps, forms)
    ints = ("int8", "int32", "int64", "uint8") if kind == "MAX" else ()
    same_dtype(x, legal=(*FLOATS, *ints))
    if x.ndim != 4:
        raise IllegalError("rank")
    image = words.in_last(x)
    pads = words.fitting_pads(image.shape[1:3], taps)
    extent = [(k - 1) * d + 1 for k, d in zip(taps, words.dilation, strict=True)]
    if not isinstance(words.pads, str) and any(
        max(p) >= r for p, r in zip(pads, extent, strict=True)
    ):
        raise IllegalError("a pad as long as the window")
    if sees_nothing(image.shape[1:3], taps, words.stride, words.dilation, pads):
        raise IllegalError("a window of padding only")
    return words.out_last(pool(image, taps, words.stride, words.dilation, pads, kind))


def sees_nothing(size, taps, stride, dilation, pads):
    """Whether along some axis a window has no real pixel."""
    for n, k, s, d, p in zip(size, taps, stride, dilation, pads, strict=True):
        (count,) = output_sizes((n,), (k,), (s,), (d,), (p,))
        for i in range(count):
            if not any(p[0] <= i * s + t * d < p[0] + n for t in range(k)):
                return True
    return False
