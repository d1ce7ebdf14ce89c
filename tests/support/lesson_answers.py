"""Wrong answers as students give them, and words that the verdict on them must have.

Each: the answer, what must be said in English. Written here beside the exercises' own known
mistakes, so that a verdict is judged by somebody else than the exercise.
"""

import numpy as np


def no_return(*arguments):
    sum(map(np.size, arguments))


def raises(*arguments):
    return arguments[99]


WRONG = {
    "output_size": [
        (lambda n, k, stride, dilation, pad: n - k + 1, "your answer is 3, it should be 2"),
        (
            lambda n, k, stride, dilation, pad: (n + pad - (k - 1) * dilation - 1) / stride + 1,
            "n=6, k=3, stride=2.*your answer is 2.5, it should be 2",
        ),
        (
            lambda n, k, stride, dilation, pad: (n + pad - k * dilation) // stride + 1,
            "n=7, k=3, stride=1, dilation=2.*only k - 1 gaps",
        ),
        (lambda n, k, stride, dilation, pad: "two", "'two', which is no array of numbers"),
    ],
    "same_pads": [
        (lambda n, k, stride: (k // 2, k // 2), r"element \[0\].*is 1, it should be 0"),
        (lambda n, k, stride: k - 1, r"has the shape \(\); it should be \(2,\)"),
        (
            lambda n, k, stride: (-n % stride // 2, -n % stride - -n % stride // 2),
            "never looks at the kernel",
        ),
    ],
}
