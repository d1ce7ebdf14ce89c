"""Wrong answers as students give them, and words that the verdict on them must have.

Each: the answer, what must be said in English. Written here beside the exercises' own known
mistakes, so that a verdict is judged by somebody else than the exercise.
"""

import time
from itertools import pairwise

import numpy as np


def no_return(*arguments):
    sum(map(np.size, arguments))


def raises(*arguments):
    return arguments[99]


def endless(*arguments):
    while True:
        sum(map(np.size, arguments))


def stubborn(*arguments):
    until = time.monotonic() + 3
    while time.monotonic() < until:
        try:
            sum(map(np.size, arguments))
        except:  # noqa: E722 - as students write
            arguments = ()


def leaves(*arguments):
    raise SystemExit(3)


def signal(x, w):
    """Slides w over x, without padding."""
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape)
    return np.einsum("ijab,ab->ij", windows, w)


def windows(x, k):
    """All k x k windows."""
    return np.lib.stride_tricks.sliding_window_view(x, (k, k))


def padded(g, w):
    """With zeros all around, one less than the kernel has rows and columns."""
    return np.pad(g, np.array(w.shape)[:, None] - 1)


def stamped(y, w, stride):
    """A transposed convolution without the sum."""
    x = np.zeros(stride * np.array(y.shape) - stride + w.shape)
    for i, j in np.ndindex(*y.shape):
        x[i * stride :, j * stride :][: w.shape[0], : w.shape[1]] = y[i, j] * w
    return x


def rolled(w, n):
    """W' as if the windows of all outputs followed each other."""
    image = np.zeros((n, n))
    image[: w.shape[0], : w.shape[1]] = w
    outputs = (n - w.shape[0] + 1) * (n - w.shape[1] + 1)
    return np.array([np.roll(image.ravel(), row) for row in range(outputs)])


def dense_layers(sizes):
    """Parameters of dense layers, with biases."""
    return sum((a + 1) * b for a, b in pairwise(sizes))


def convolutions(blocks, channels):
    """Parameters of blocks of 3 x 3, with biases."""
    wide = [channels, *(f for n, f in blocks for _ in range(n))]
    return sum((9 * a + 1) * b for a, b in pairwise(wide))


def softmax(logits):
    return np.exp(logits) / np.exp(logits).sum()


def rms(values):
    return np.sqrt(np.mean(values**2))


def one_hot(logits, label):
    return np.eye(len(logits))[label]


def adam_without(w, gradients, rate):
    """The means as they come, from 0."""
    m = v = 0
    for g in gradients:
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        w = w - rate * m / (v**0.5 + 1e-7)
    return w


WRONG = {
    "dense_parameters": [
        (
            lambda sizes: sum(a * b for a, b in pairwise(sizes)),
            "is 6, it should be 8: .*3 x 2 \\+ 2",
        ),
        (
            lambda sizes: sum((a + 1) * b for a, b in pairwise(sizes[:3])),
            "answer is 266752, it should be 335114: layer by layer 784 x 256 .*256 x 10",
        ),
        (lambda sizes: sum(sizes[:-1]) * sizes[-1] + sizes[-1], "is 15530, it should be 335114"),
        (lambda sizes: sizes, r"has the shape \(2,\); it should be \(\)"),
    ],
    "count_weights": [
        (lambda n, k: (n**4, n * n * k * k, k * k), "counts as many outputs as pixels"),
        (
            lambda n, k: (n * n * (n - k + 1) ** 2, k * k, k * k),
            r"element \[1\]: your answer is 9, it should be 36: .*2 x 2 outputs.* 3 x 3 = 9 pixels",
        ),
        (
            lambda n, k: ((n * (n - k + 1)) ** 2, (k * (n - k + 1)) ** 2, n * n),
            r"element \[2\]: your answer is 16, it should be 9: all outputs use the same 3 x 3",
        ),
    ],
    "window_mask": [
        (lambda n, k: np.ones(((n - k + 1) ** 2, n * n)), "columns 0 to 2; pixel 3 is in row 0"),
        (lambda n, k: rolled(np.ones((k, k)), n), "each window lies one pixel further"),
        (lambda n, k: np.eye(n * n), r"has the shape \(16, 16\); it should be \(4, 16\)"),
    ],
    "output_size": [
        (lambda n, k, stride, dilation, pad: n - k + 1, "your answer is 3, it should be 2"),
        (
            lambda n, k, stride, dilation, pad: (n + pad - (k - 1) * dilation - 1) / stride + 1,
            "n=6, k=3, stride=2.*your answer is 2.5, it should be 2",
        ),
        (
            lambda n, k, stride, dilation, pad: (n + pad - k * dilation) // stride + 1,
            "n=7, k=3, stride=1, dilation=2.*a window spans 5 pixels; .*only k - 1 gaps",
        ),
        (
            lambda n, k, stride, dilation, pad: (n - (k - 1) * dilation - 1) // stride + 1,
            r"is 3, it should be 5: .* last pixel is 6 \(the zeros are counted, too\)\. ",
        ),
        (lambda n, k, stride, dilation, pad: "two", "'two', which is no array of numbers"),
    ],
    "same_pads": [
        (lambda n, k, stride: (k // 2, k // 2), r"element \[0\].*is 1, it should be 0"),
        (lambda n, k, stride: k - 1, "returned one number; it should return 2"),
        (
            lambda n, k, stride: (-n % stride // 2, -n % stride - -n % stride // 2),
            "never looks at the kernel",
        ),
    ],
    "one_place": [
        (
            lambda window, w, b: np.einsum("abc,abco->co", window, w).sum(0) + b.sum(),
            r"element \[0\]: your answer is -2, it should be -5: filter 0 gets 7 \+ \(-11\)",
        ),
        (lambda window, w, b: np.tensordot(window, w, 3), "is -3, it should be -2: .*bias is 1"),
        (
            lambda window, w, b: window[..., 0].ravel() @ w[:, :, 0].reshape(9, -1) + b,
            "first channel",
        ),
        (
            lambda window, w, b: (window * w[..., 0]).sum() + b[0],
            "returned one number; it should return 4",
        ),
    ],
    "to_tf_kernel": [
        (
            lambda w: np.reshape(w, (w.shape[2], w.shape[3], w.shape[1], -1)),
            "only says another shape",
        ),
        (lambda w: np.swapaxes(w, 0, 3), r"is 2, it should be 4: row 0, column 0, input channel 1"),
        (
            lambda w: w.transpose(2, 3, 1, 0)[::-1, ::-1],
            r"element \[0, 0, 0, 0\]: .* PyTorch keeps",
        ),
        (lambda w: np.moveaxis(w, (0, 1), (2, 3)), "filters stand before the channels"),
    ],
    "glorot_limit": [
        (lambda kh, kw, c, o: (2 / (kh * kw * (c + o))) ** 0.5, "that is the standard deviation"),
        (
            lambda kh, kw, c, o: 6 / (kh * kw * (c + o)),
            "adds up 27 products, a pixel reaches 36 out",
        ),
        (lambda kh, kw, c, o: np.sqrt(6 / (kh * kw * c)), "that is He's initializer"),
    ],
    "im2col": [
        (
            lambda x, k: x[: -k + 1, : -k + 1].reshape(-1, 1) + np.arange(k * k),
            r"element \[0, 2\]: your answer is 3, it should be 5: .* its pixel 2 is x\[1, 0\]",
        ),
        (lambda x, k: windows(x, k).transpose(1, 0, 2, 3).reshape(-1, k * k), r"element \[1, 0\]"),
        (lambda x, k: windows(x, k), r"shape \(3, 3, 2, 2\); it should be \(9, 4\)"),
        (lambda x, k: windows(x, k).transpose(2, 3, 0, 1).reshape(k * k, -1), "it is transposed"),
    ],
    "fft_conv": [
        (lambda x, w: np.fft.ifft2(np.fft.fft2(x) * np.fft.fft2(w)), "raised ValueError: operands"),
        (lambda x, w: signal(x, w[::-1, ::-1]), "turns the kernel by 180 degrees"),
        (
            lambda x, w: np.real(np.fft.ifft2(np.fft.fft2(x) * np.conj(np.fft.fft2(w, x.shape)))),
            "come in again on the other side",
        ),
        (
            lambda x, w: signal(x, np.abs(w)),
            r"is 11, it should be -1: 1·1 \+ 2·2 \+ 5·0 \+ 6·\(-1\)",
        ),
    ],
    "winograd": [
        (lambda d, g: signal(d, g[::-1, ::-1]), "turns the kernel by 180 degrees"),
        (lambda d, g: (d @ d.T)[:2, :2] * g[0, 0], r"is 30, it should be 348: 1·1 \+ 2·2"),
        (lambda d, g: d[1:3, 1:3] * g.sum(), r"element \[0, 0\]: your answer is 270"),
        (lambda d, g: d * np.pad(g, (0, 1)), r"has the shape \(4, 4\); it should be \(2, 2\)"),
    ],
    "filter_gradient": [
        (
            lambda x, g: np.full((2, 2), x.mean()),
            r"is 4, it should be 8: 0·1 \+ 1·1 \+ 3·1 \+ 4·1 = 8",
        ),
        (
            lambda x, g: signal(x, g[::-1, ::-1]),
            r"g=\[\[1, 2\], \[3, -5\]\].*it turns g before",
        ),
        (
            lambda x, g: signal(x, g).T,
            r"element \[0, 1\].*is 20, it should be 12",
        ),
        (
            lambda x, g: signal(x, g)[:, : x.shape[0] - g.shape[0] + 1],  # as if it were square
            r"has the shape \(3, 3\); it should be \(3, 4\)",
        ),
        (lambda x, g: signal(x, g).ravel(), r"has the shape \(4,\); it should be \(2, 2\)"),
    ],
    "input_gradient": [
        (lambda g, w: signal(padded(g, w), w), "the kernel lies the wrong way round"),
        (lambda g, w: signal(g, w), r"has the shape \(1, 1\); it should be \(3, 3\)"),
        (
            lambda g, w: signal(padded(np.ones_like(g), w), w[::-1, ::-1]),
            "it leaves out g",
        ),
    ],
    "scatter": [
        (stamped, "where stamps overlap, the last one overwrites"),
        (
            lambda y, w, stride: signal(padded(y, w), w[::-1, ::-1]),
            r"shape \(4, 4\); it should be \(5, 5\).*never uses the stride",
        ),
        (
            lambda y, w, stride: np.zeros(stride * np.array(y.shape) - stride + w.shape),
            r"element \[0, 0\]: your answer is 0, it should be 67: \(-1\)·\(-67\) = 67",
        ),
    ],
    "matrix": [
        (lambda w, n: np.zeros((n, n)), r"has the shape \(3, 3\); it should be \(4, 9\)"),
        (
            lambda w, n: np.zeros(((n - len(w) + 1) * (n - w.shape[1] + 1), n * n)),
            r"answer is 0, it should be 1: row 0 of W' is y\[0, 0\], column 0 is x\[0, 0\]; in "
            r"that window it lies under w\[0, 0\] = 1",
        ),
        (
            lambda w, n: np.ones(((n - len(w) + 1) * (n - w.shape[1] + 1), n * n)),
            r"answer is 1, it should be 2: .* column 1 is x\[0, 1\]; .* under w\[0, 1\] = 2",
        ),
        (lambda w, n: rolled(w, n), "the window jumps to the next line of the image"),
    ],
    "recover_kernel": [
        (lambda y, x: x[:3, :3] / y[0, 0], "it divides by the first number of y alone"),
        (
            lambda y, x: x[-3:, -3:] / y[1, 1],
            r"element \[0, 0\].*should be -0.033857: x\[0, 0\] = 1.896 = -56·w\[0, 0\]$",
        ),
        (
            lambda y, x: np.full((3, 3), x[0, 0] / y[0, 0]),
            r"x\[0, 1\] = 26.088 = -56·w\[0, 1\] \+ \(-61\)·w\[0, 0\]$",
        ),
        (lambda y, x: np.linalg.pinv(y) @ x, "raised ValueError: matmul"),
    ],
    "conv2d": [
        (
            lambda x, w, stride: signal(x, w),
            r"stride=2\)` has the shape \(3, 3\); it should be \(2, 2\)",
        ),
        (lambda x, w, stride: signal(x, w[::-1, ::-1])[::stride, ::stride], "turns the kernel"),
        (
            lambda x, w, stride: np.maximum(signal(x, w)[::stride, ::stride], 0),
            r"element \[0, 0\].*is 0, it should be -1: 0·0 \+ 1·0 \+ 4·\(-1\)",
        ),
        (
            lambda x, w, stride: signal(x, w)[::stride, ::stride] / 9,
            r"element \[0, 0\]: your answer",
        ),
    ],
    "true_convolution": [
        (signal, "does not turn the kernel"),
        (lambda x, w: signal(x, w.T), r"element \[0, 0\]: your answer is -4, it should be -6"),
        (lambda x, w: signal(x, w[:, ::-1]), "top and bottom must change places too"),
    ],
    "batch_norm": [
        (
            lambda x, gamma, beta, eps: (x - x.mean((0, 1, 2))) / np.sqrt(x.var((0, 1, 2)) + eps),
            r"gamma=\[2, -1\].*element \[0, 0, 0, 0\].*the 12 numbers of channel 0 have mean",
        ),
        (
            lambda x, gamma, beta, eps: (
                gamma * (x - x.mean(0)) / np.sqrt(np.var(x, 0) + eps) + beta
            ),
            "over the images alone",
        ),
        (
            lambda x, gamma, beta, eps: (
                gamma * (x - x.mean((0, 1, 2))) / (np.sqrt(x.var((0, 1, 2))) + eps) + beta
            ),
            "eps is added after the root",
        ),
    ],
    "moving": [
        (
            lambda mean, variance, batch, momentum: (
                0.9 * batch.mean(0) + 0.1 * mean,
                0.9 * batch.var(0) + 0.1 * variance,
            ),
            r"element \[0, 0\]: your answer is 2.7, it should be 0.3: the old mean is 0, "
            "that of the batch 3, and of the old one 0.9 is kept",
        ),
        (
            lambda mean, variance, batch, momentum: (
                momentum * mean + (1 - momentum) * batch.mean(0),
                momentum * variance + (1 - momentum) * batch.var(0) * len(batch) / (len(batch) - 1),
            ),
            "keeps the variance of n - 1",
        ),
        (lambda mean, variance, batch, momentum: mean, r"shape \(2,\); it should be \(2, 2\)"),
    ],
    "batch_norm_gradient": [
        (lambda x, g, eps: g / np.sqrt(np.var(x) + eps), "that is inference mode"),
        (
            lambda x, g, eps: g - g.mean(),
            r"element \[0\]: your answer is -0.25.*0 comes straight through x\[0\]",
        ),
        (lambda x, g, eps: np.outer(x, g), r"shape \(4, 4\); it should be \(4,\)"),
    ],
    "max_pool": [
        (
            lambda x, k, stride: np.maximum(windows(x, k)[::stride, ::stride].max((2, 3)), 0),
            "never finds a largest number below 0",
        ),
        (
            lambda x, k, stride: windows(x, k)[::stride, ::stride].min((2, 3)),
            r"element \[0, 0\]: your answer is 1, it should be 4: the largest of 1, 3, 4, 4",
        ),
        (lambda x, k, stride: windows(x, k).max((2, 3)), r"shape \(3, 3\); it should be \(2, 2\)"),
    ],
    "average_same": [
        (
            lambda x, k, stride: (
                np.pad(x, (0, k))[: -(-len(x) // stride) * stride].reshape(-1, stride).sum(1) / k
            ),
            r"element \[2\]: your answer is 2.5, it should be 5: \(5\)/1, for 1 of the 2 places",
        ),
        (
            lambda x, k, stride: np.full(-(-len(x) // stride), x.mean()),
            r"answer is 3, it should be 1.5",
        ),
        (lambda x, k, stride: x[::stride][:2], r"has the shape \(2,\); it should be \(3,\)"),
    ],
    "max_pool_gradient": [
        (
            lambda x, g, k: (
                np.kron(g, np.ones((k, k)))
                * (x == np.kron(windows(x, k)[::k, ::k].max((2, 3)), np.ones((k, k))))
            ),
            r"element \[1, 1\]: your answer is 1, it should be 0: .*all of several equal",
        ),
        (lambda x, g, k: np.kron(g, np.ones((k, k))) / k**2, "the way back of average pooling"),
        (lambda x, g, k: g, r"has the shape \(2, 2\); it should be \(4, 4\)"),
    ],
    "vgg_parameters": [
        (
            lambda blocks, dense, channels: sum(9 * n * f * f + n * f for n, f in blocks),
            r"answer is 148, it should be 50: layer by layer 9 x 1 x 4 \+ 4, 4 x 2 \+ 2",
        ),
        (
            lambda blocks, dense, channels: (
                convolutions(blocks, channels) + dense_layers([blocks[-1][1], *dense]) - sum(dense)
            ),
            r"is 48, it should be 50",
        ),
        (
            lambda blocks, dense, channels: convolutions(blocks, channels),
            "the dense layers are missing",
        ),
        (
            lambda blocks, dense, channels: (
                convolutions([(1, f) for _, f in blocks], channels)
                + dense_layers([blocks[-1][1], *dense])
            ),
            r"is 443, it should be 591: .* 9 x 4 x 4 \+ 4",
        ),
    ],
    "inception_module": [
        (
            lambda c, w: (w[0] + w[2] + w[3] + w[5], 0),
            r"element \[0\]: .*is 11, it should be 13: .*branches end with 1, 3, 4 and 5",
        ),
        (lambda c, w: (w[0] + w[2] + w[4] + w[5], c * sum(w)), "over 2, which alone has 204"),
        (lambda c, w: sum(w), "returned one number; it should return 2"),
        (lambda c, w: (sum(w), 409), "your answer is 17, it should be 13"),
    ],
    "dense_channels": [
        (lambda start, growth, depths: [start + growth] * len(depths), "is 12, it should be 16: 8"),
        (
            lambda start, growth, depths: start + growth * np.cumsum(depths),
            r"element \[1\]: your answer is 28, it should be 20: 16 / 2 = 8 .* nothing is halved",
        ),
        (
            lambda start, growth, depths: [
                start // 2**b + d * growth for b, d in enumerate(depths)
            ],
            r"element \[1\]: your answer is 16, it should be 20",
        ),
        (lambda start, growth, depths: start, "returned one number; it should return 2"),
    ],
    "receptive_field": [
        (lambda layers: 2 * len(layers) + 1, "your answer is 7, it should be 15: .* 3, 7, 15"),
        (
            lambda layers: 1 + sum((k - 1) * d for k, s, d in layers),
            "your answer is 12, it should be 27: .*forgets the strides below",
        ),
        (lambda layers: sum(layer[0] for layer in layers), "only k - 1 pixels are new"),
    ],
    "separable_weights": [
        (lambda k, c, o: k * k * c * o, "should be 39: the layer holds 3 x 3 x 3 x 1 .* ordinary"),
        (lambda k, c, o: k * k * c + 14, "your answer is 41, it should be 39"),
        (lambda k, c, o: k**2 * c, "that mixes the channels is missing"),
    ],
    "cross_entropy_gradient": [
        (lambda logits, label: softmax(logits), "-0.33476.*nothing tells which class was right"),
        (lambda logits, label: one_hot(logits, label) - softmax(logits), "points the other way"),
        (
            lambda logits, label: one_hot(logits, label) / softmax(logits),
            r"element \[0\]: your answer is 1.5032.*its probability, and it is the right class",
        ),
        (lambda logits, label: -np.log(softmax(logits)[label]), "returned one number"),
    ],
    "adam": [
        (lambda w, gradients, rate: adam_without(w, gradients, rate), "not corrected for it"),
        (lambda w, gradients, rate: w - rate * gradients.sum(0), "this is gradient descent"),
        (
            lambda w, gradients, rate: w - rate * np.sign(gradients).sum(0),
            "the gradients are 4, 2, -1; before the last step",
        ),
    ],
    "decayed_step": [
        (
            lambda w, gradient, rate, decay: (1 - rate * decay) * w - rate * gradient,
            "the slope of 0.1·w² at w = 2 is 0.4.*as slim has it",
        ),
        (
            lambda w, gradient, rate, decay: (1 - 2 * decay) * w - rate * gradient,
            "the rate does not scale",
        ),
        (
            lambda w, gradient, rate, decay: w - rate * gradient,
            "your answer is 2, it should be 1.8",
        ),
    ],
    "output_of": [
        (lambda block, thread, shape: np.unravel_index(thread, shape), "every block begins anew"),
        (
            lambda block, thread, shape: np.unravel_index(32 * block + thread, shape),
            r"element \[0\]: your answer is 0, it should be 2: .*256 x 2 \+ 3 = 515",
        ),
        (
            lambda block, thread, shape: 256 * block + thread,
            "returned one number; it should return",
        ),
    ],
    "sectors": [
        (
            lambda addresses: len(addresses) // 8,
            "is 4, it should be 5: .*sectors 0, 1, 2, 3, 4, each",
        ),
        (lambda addresses: len(set(addresses)), "it counts addresses; neighbours share a sector"),
        (
            lambda addresses: len({a % 32 for a in addresses}),
            "is 8, it should be 4: the threads read from the sectors 0, 1, 2, 3, each",
        ),
    ],
    "wavefronts": [
        (lambda words: 1, "is 1, it should be 2: bank 0 is asked for the words 0, 32"),
        (lambda words: max(np.bincount(words % 32)), "a word is served to all that ask for it"),
        (lambda words: len(set(words)) / 32, "is 1, it should be 2: bank 0 is asked for .* 0, 32"),
    ],
    "intensity": [
        (
            lambda n, c, o, k: k * k * c * o / (c + o) / 4,
            "is 0.125, it should be 0.11111: 4 multiply-adds; 16 bytes of image, 4 of kernel, 16 .*"
            "the kernel is missing",
        ),
        (lambda n, c, o, k: n * n * k * k * c * o, r"is 4, it should be 0.11111"),
        (
            lambda n, c, o, k: n**2 * k**2 * c * o / (n**2 * c + k**2 * c * o + n**2 * o),
            "a float32 has 4 bytes",
        ),
        (
            lambda n, c, o, k: 2 * n**2 * k**2 * c * o / (n**2 * (c + o) + k**2 * c * o) / 4,
            "is 0.22222, it should be 0.11111",
        ),
    ],
    "attainable": [
        (lambda intensity, peak, bandwidth: bandwidth * intensity, "what the processor can do"),
        (
            lambda intensity, peak, bandwidth: (peak + intensity * bandwidth) / 2,
            "is 60, it should be 20",
        ),
        (
            lambda intensity, peak, bandwidth: min(peak, bandwidth),
            "is 10, it should be 20: memory feeds",
        ),
        (lambda intensity, peak, bandwidth: peak, "what memory can feed"),
    ],
    "tile_loads": [
        (
            lambda m, t, k: (m + k - 1) ** 2,
            "is 36, it should be 64: 2 x 2 tiles.* know nothing of each",
        ),
        (lambda m, t, k: m * m * k**2 // t**2, r"is 36, it should be 64"),
        (lambda m, t, k: (t + k - 1) ** 2, "is 16, it should be 64: .* cover 4 x 4 pixels"),
        (lambda m, t, k: (m // t * (t + k)) ** 2, "not t \\+ k"),
    ],
    "ascend": [
        (lambda x, gradient, rate: x + rate * gradient, "the root of the mean of the squared"),
        (
            lambda x, gradient, rate: np.clip(x - rate * gradient / rms(gradient), 0, 1),
            "it goes down: ascent adds",
        ),
        (lambda x, gradient, rate: x + rate * gradient / rms(gradient), "leaves the range 0 to 1"),
    ],
    "saliency": [
        (lambda gradient: np.max(gradient, -1), "what lowers the logit is left out"),
        (lambda gradient: np.linalg.norm(gradient, axis=-1), "channels are 1, -5, 2: which is"),
        (lambda gradient: np.abs(gradient), r"has the shape \(2, 2, 3\)"),
    ],
    "grad_cam": [
        (lambda maps, gradients: maps @ gradients.mean((0, 1)), "what speaks against the class"),
        (lambda maps, gradients: np.maximum((maps * gradients).sum(-1), 0), "has one, the mean"),
        (lambda maps, gradients: np.maximum(maps, 0).sum(-1), "are added without weights"),
    ],
}
