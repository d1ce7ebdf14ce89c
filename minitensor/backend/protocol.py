"""What a backend offers: every function that ops may call, and nothing else.

A backend is a module. `numpy` defines what each function computes, and its docstrings say it in
full; `cuda` and `emulator` run kernels. Arrays are NHWC, filters HWIO, and `window` carries the
geometry: (H, W) pixels, (h, w) output positions. Inputs are never changed; outputs are fresh,
unless a caller gives the memory of its inputs away (`in_place`).
"""

from __future__ import annotations

from typing import Any, Protocol, TypeAlias

import numpy as np

from minitensor.window import Window

Array: TypeAlias = Any  # of NumPy, of CuPy, of the emulator


class Backend(Protocol):
    """One of the modules `backend.numpy`, `backend.cuda`, `backend.emulator`."""

    @property
    def name(self) -> str:
        """ "numpy", "cuda" or "emulator"."""

    @property
    def xp(self) -> Any:
        """The array namespace, for plain elementwise code."""

    def lack(self) -> str:
        """What this machine lacks to compute here, and how to get it; empty if nothing."""

    # ----- arrays -----

    def asarray(self, value: Any, dtype: Any = None) -> Array:
        """`value` as an array of this backend."""

    def array(self, value: Any) -> Array:
        """A fresh array of numbers, nested lists or an array: nobody else holds its memory."""

    def to_numpy(self, array: Array) -> np.ndarray:
        """The same numbers in the memory of the CPU."""

    def where(self, condition: Array, x: Array, y: Array) -> Array:
        """x where `condition` holds, else y; the three broadcast, x and y share a dtype."""

    def transpose(self, x: Array, axes: tuple[int, ...]) -> Array:
        """Axis k of the result is axis axes[k] of x."""

    def matmul(self, a: Array, b: Array) -> Array:
        """y[..., i, j] = sum over k of a[..., i, k] b[..., k, j]; the axes in front broadcast."""

    def sum_rows(self, x: Array) -> Array:
        """(C,): the sum over all axes but the last."""

    # ----- convolution -----

    def conv2d(self, x: Array, kernel: Array, window: Window) -> Array:
        """y = W' x: (N, H, W, C) and (kh, kw, C/G, O) to (N, h, w, O)."""

    def conv2d_transpose(self, y: Array, kernel: Array, window: Window) -> Array:
        """x = W'^T y, the adjoint of `conv2d` in x: (N, h, w, O) to (N, H, W, C)."""

    def conv2d_kernel_grad(self, x: Array, y: Array, window: Window) -> Array:
        """The adjoint of `conv2d` in the kernel: the sum over positions of x^T y."""

    def conv2d_bias_activation(
        self, x: Array, kernel: Array, bias: Array, window: Window, activation: str
    ) -> Array:
        """activation(conv2d(x, kernel) + bias), rounded once."""

    def conv2d_matrix(self, kernel: Array, window: Window) -> Any:
        """The matrix W', of which few numbers are stored."""

    def im2col(self, x: Array, window: Window) -> Array:
        """The patches that a window sees: (N, h, w, kh*kw*C)."""

    def col2im(self, columns: Array, window: Window) -> Array:
        """The adjoint of `im2col`: each patch is added where it was taken from."""

    # ----- pooling -----

    def max_pool(self, x: Array, window: Window) -> Array:
        """The maximum of each window's real pixels."""

    def window_argmax(self, x: Array, window: Window) -> Array:
        """The tap u * kw + v of each window's first maximum."""

    def take_tap(self, x: Array, index: Array, window: Window) -> Array:
        """The pixel under tap `index` of each window."""

    def put_tap(self, g: Array, index: Array, window: Window) -> Array:
        """The adjoint of `take_tap`."""

    def max_pool_grad(self, g: Array, x: Array, window: Window) -> Array:
        """put_tap(g, window_argmax(x, window), window)."""

    def avg_pool(self, x: Array, window: Window) -> Array:
        """The mean of each window's real pixels."""

    def avg_pool_grad(self, g: Array, window: Window) -> Array:
        """The adjoint of `avg_pool`."""

    # ----- normalisation -----

    def moments(self, x: Array) -> Array:
        """Mean and biased variance per channel, (2, C); float32 for half precision."""

    def batch_norm(
        self,
        x: Array,
        statistics: Array,
        scale: Array,
        offset: Array,
        epsilon: float,
        relu: bool = False,
        residual: Array | None = None,
    ) -> Array:
        """(x - mean) / sqrt(variance + epsilon) * scale + offset, + residual, max(., 0)."""

    def batch_norm_sums(self, g: Array, x: Array, statistics: Array, epsilon: float) -> Array:
        """The gradients of offset and scale, (2, C)."""

    def batch_norm_grad(
        self,
        g: Array,
        x: Array,
        statistics: Array,
        scale: Array,
        epsilon: float,
        sums: Array | None = None,
    ) -> Array:
        """The gradient of `batch_norm` in x, also through the statistics."""

    def channel_sum(self, x: Array, radius: int) -> Array:
        """y[..., c] = sum of x[..., j] over |j - c| <= radius."""

    def local_response(
        self, x: Array, radius: int, bias: float, alpha: float, beta: float
    ) -> Array:
        """x / (bias + alpha * channel_sum(x^2, radius))^beta."""

    # ----- the ends of a step -----

    def bias_activation(self, x: Array, bias: Array, activation: str) -> Array:
        """activation(x + bias); "linear", "relu" or "relu6"."""

    def gate(self, g: Array, x: Array, high: float | None) -> Array:
        """g where 0 < x < high (None: no limit), else 0."""

    def gelu(self, x: Array, approximate: bool) -> Array:
        """x times the standard normal distribution function of x, or its approximation by tanh."""

    def gelu_grad(self, g: Array, x: Array, approximate: bool) -> Array:
        """g times the derivative of `gelu`."""

    def softmax_cross_entropy(self, labels: Array, logits: Array) -> Array:
        """-sum of labels * log softmax(logits) over the last axis."""

    def softmax_cross_entropy_grad(self, g: Array, labels: Array, logits: Array) -> Array:
        """g * (softmax(logits) * sum(labels) - labels)."""

    def sgd_momentum(
        self,
        weight: Array,
        velocity: Array,
        gradient: Array,
        rate: float,
        momentum: float,
        nesterov: bool,
        in_place: bool = False,
    ) -> tuple[Array, Array]:
        """The new weight and velocity; `in_place` they may lie where the old ones did."""

    def adam(
        self,
        weight: Array,
        m: Array,
        v: Array,
        gradient: Array,
        rate: float,
        beta_1: float,
        beta_2: float,
        epsilon: float,
        step: int,
        in_place: bool = False,
    ) -> tuple[Array, Array, Array]:
        """The new weight, m and v; `in_place` as above."""
