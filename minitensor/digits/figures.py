"""Two pictures of a training: how loss and accuracy went, and what the first layer looks for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from minitensor import nn, pictures
from minitensor.digits.network import Epoch, parameters


def save_curve(path: Path, title: str, epochs: Sequence[Epoch]) -> None:
    """Loss, and accuracy on training and test images, epoch by epoch, as a PNG file."""
    with pictures.style():
        figure = _figure(9, 3.8)
        left, right = figure.subplots(1, 2)
        numbers = range(1, len(epochs) + 1)
        left.plot(numbers, [e.loss for e in epochs], marker="o", markersize=3)
        left.set(title="Loss", ylabel="cross-entropy, mean per image (nats)", yscale="log")
        left.yaxis.set_major_formatter("{x:g}")
        for label, line, values in (
            ("training images", "o-", [100 * e.train_accuracy for e in epochs]),
            ("test images", "s--", [100 * e.test_accuracy for e in epochs]),
        ):
            label = f"{label}, {values[-1]:.1f} % in the end"
            right.plot(numbers, values, line, markersize=3, label=label)
        right.set(title="Accuracy", ylabel="images read right (%)")
        right.legend(loc="best")
        for axes in (left, right):
            axes.set(xlabel="epoch (pass over the training images)", xlim=(0.5, len(epochs) + 0.5))
            axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
            axes.grid(visible=True)
        figure.suptitle(title)
        figure.savefig(path)


def save_filters(path: Path, net: Any, picture: np.ndarray) -> None:
    """The first layer's six 3x3 kernels, and what each makes of a picture (28, 28, 1), as PNG."""
    kernel = parameters(net)["conv1.kernel"]
    kernels = kernel.numpy()[:, :, 0]  # (3, 3, 6)
    maps = nn.conv2d(picture[np.newaxis], kernel, 1, "VALID").numpy()[0]
    count = kernels.shape[-1]
    with pictures.style():
        figure = _figure(10.5, 3.6)
        grid = figure.add_gridspec(2, count + 1, width_ratios=[1.6, *[1] * count])
        whole = figure.add_subplot(grid[:, 0])
        whole.imshow(picture[..., 0], cmap="gray", vmin=0, vmax=1)
        whole.set(xticks=[], yticks=[])
        whole.set_title("a test image, 28 x 28", fontsize=9)
        tops = [figure.add_subplot(grid[0, i + 1]) for i in range(count)]
        for i, axes in enumerate(tops):
            _show(axes, kernels[..., i], float(np.abs(kernels).max()))
            axes.set_title(f"filter {i + 1}", fontsize=9)
            below, largest = figure.add_subplot(grid[1, i + 1]), float(np.abs(maps[..., i]).max())
            _show(below, maps[..., i], largest)
            below.set_xlabel(f"darkest: {largest:.2g}", fontsize=8)
        figure.colorbar(tops[-1].images[0], ax=tops, fraction=0.02, label="weight")
        figure.suptitle(
            "First layer: its six 3 x 3 filters, and below what each makes of the image "
            "(dashed: around what is below 0)",
            fontsize=11,
        )
        figure.savefig(path)


def _show(axes: Any, array: np.ndarray, most: float) -> None:
    """Numbers from -most to most; a small array has them written in its cells."""
    colors = pictures.signed()
    axes.imshow(array, cmap=colors, vmin=-most, vmax=most)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(True)
    if array.size > 9:
        lowest = -0.02 * most
        if array.min() < lowest:
            axes.contour(array, [lowest], colors="black", linestyles="dashed", linewidths=0.8)
        return
    for (row, column), value in np.ndenumerate(array):
        color = pictures.ink(colors(0.5 + 0.5 * value / most))
        words = {"ha": "center", "va": "center", "size": 7, "color": color}
        axes.text(column, row, f"{value:z.2f}", **words)


def _figure(width: float, height: float) -> Any:
    """An empty figure of this size in inches, drawn without a screen."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure
