"""Two pictures of a training: how loss and accuracy went, and what the first layer looks for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from minitensor import nn
from minitensor.digits.network import Epoch, parameters

_BLUE, _ORANGE = "#1f5fa8", "#d9730d"


def save_curve(path: Path, title: str, epochs: Sequence[Epoch]) -> None:
    """Loss, and accuracy on training and test images, epoch by epoch, as a PNG file."""
    figure = _figure(9, 3.8)
    left, right = figure.subplots(1, 2)
    numbers = range(1, len(epochs) + 1)
    left.plot(numbers, [e.loss for e in epochs], color=_BLUE, marker="o", markersize=3)
    left.set(title="Loss", ylabel="cross-entropy, mean per image (nats)", yscale="log")
    left.yaxis.set_major_formatter("{x:g}")
    for label, color, values in (
        ("training images", _BLUE, [100 * e.train_accuracy for e in epochs]),
        ("test images", _ORANGE, [100 * e.test_accuracy for e in epochs]),
    ):
        label = f"{label}, {values[-1]:.1f} % in the end"
        right.plot(numbers, values, color=color, marker="o", markersize=3, label=label)
    right.set(title="Accuracy", ylabel="images read right (%)")
    right.legend(frameon=False, loc="best")
    for axes in (left, right):
        axes.set(xlabel="epoch (pass over the training images)", xlim=(0.5, len(epochs) + 0.5))
        axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        axes.grid(color="#e3e5e8")
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(title)
    figure.savefig(path)


def save_filters(path: Path, net: Any, picture: np.ndarray) -> None:
    """The first layer's six 3x3 kernels, and what each makes of a picture (28, 28, 1), as PNG."""
    kernel = parameters(net)["conv1.kernel"]
    kernels = kernel.numpy()[:, :, 0]  # (3, 3, 6)
    maps = nn.conv2d(picture[np.newaxis], kernel, 1, "VALID").numpy()[0]
    count, most = kernels.shape[-1], np.abs(kernels).max()
    figure = _figure(10.5, 3.6)
    grid = figure.add_gridspec(2, count + 1, width_ratios=[1.6, *[1] * count])
    whole = _show(figure.add_subplot(grid[:, 0]), picture[..., 0], "gray", 0, 1)
    whole.set_title("one test image, 28 x 28", fontsize=9)
    tops = [figure.add_subplot(grid[0, i + 1]) for i in range(count)]
    for i, axes in enumerate(tops):
        _show(axes, kernels[..., i], "RdBu_r", -most, most)
        axes.set_title(f"filter {i + 1}", fontsize=9)
        for (row, column), value in np.ndenumerate(kernels[..., i]):
            color = "white" if abs(value) > 0.6 * most else "black"
            axes.text(column, row, f"{value:.2f}", ha="center", va="center", size=7, color=color)
        below, largest = figure.add_subplot(grid[1, i + 1]), np.abs(maps[..., i]).max()
        _show(below, maps[..., i], "RdBu_r", -largest, largest)
        below.set_xlabel(f"up to {largest:.2g}", fontsize=8)
    figure.suptitle("First layer: its six 3 x 3 filters, and below what each makes of the image")
    figure.colorbar(tops[-1].images[0], ax=tops, fraction=0.02, label="weight")
    figure.savefig(path)


def _show(axes: Any, image: np.ndarray, colors: str, low: float, high: float) -> Any:
    axes.imshow(image, cmap=colors, vmin=low, vmax=high)
    axes.set(xticks=[], yticks=[])
    return axes


def _figure(width: float, height: float) -> Any:
    """An empty figure of this size in inches, drawn without a screen."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    return figure
