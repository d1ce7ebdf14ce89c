"""Lesson 14's pictures: filters, what excites a channel, where a class is, the transfer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from minitensor import pictures
from minitensor.lesson.exercise import say_in
from minitensor.lesson.seen import MIDDLE, Network, field

WAYS = {  # English, which the results bear; Chinese; the line
    "features of 0 to 4": ("0 到 4 的特征", "o-"),
    "features of chance": ("随机特征", "^:"),
    "from nothing": ("从零训练", "s--"),
    "pixels": ("像素", "x-."),
}


def filters(network: Network, image: np.ndarray) -> Any:
    """The first layer's filters, and below each what it makes of a picture (1, H, W, 1)."""
    kernels, maps = network.kernels, np.asarray(network.first(image))[0]
    with pictures.style():
        figure = _figure(6, 3.5)
        for number, axes in enumerate(figure.subplots(4, 8).flat):
            row, column = divmod(number, 8)
            which = 8 * (row // 2) + column
            if row % 2 == 0:
                largest = float(np.abs(kernels).max())
                _show(
                    axes, kernels[..., which], "gray", -largest, largest
                )  # its sign is seen in print
                axes.set_title(str(which), fontsize=9, fontweight="normal", pad=2)
            else:
                _show(axes, maps[..., which], "Greys", 0, float(maps.max()))
    return figure


def excitement(found: tuple[np.ndarray, list[float]], seen: np.ndarray, lang: str) -> Any:
    """The picture that gradient ascent made, the way up, and the digit that excites most."""
    image, values = found
    middle = field(MIDDLE)
    spoken = pictures.language(lang)
    with pictures.style(spoken):
        figure = _figure(6, 2.3)
        left, way, right = figure.subplots(1, 3)
        _show(left, image[middle, middle], "Greys", 0, 1)
        left.set_title(say_in(spoken, "made by ascent", "梯度上升得到"), fontsize=10)
        way.plot(values)
        way.set(xlabel=say_in(spoken, "step", "步"))
        way.set_title(say_in(spoken, "the number", "这个数"), fontsize=10)
        _show(right, seen, "Greys", 0, 1)
        right.set_title(say_in(spoken, "a digit's part", "数字的一部分"), fontsize=10)
    return figure


def where(image: np.ndarray, saliency: np.ndarray, heat: np.ndarray, lang: str) -> Any:
    """A picture (H, W), how much each pixel matters, and the heat of a class on it."""
    spoken = pictures.language(lang)
    names = (("picture", "图像"), ("saliency", "显著图"), ("Grad-CAM", "Grad-CAM"))
    with pictures.style(spoken):
        figure = _figure(6, 2.3)
        for axes, name, values in zip(
            figure.subplots(1, 3), names, (image, saliency, heat), strict=True
        ):
            _show(axes, values, "Greys", 0, float(values.max()) or 1)
            axes.set_title(say_in(spoken, *name), fontsize=10)
        axes.contour(
            np.linspace(-0.5, heat.shape[1] - 0.5, image.shape[1]),
            np.linspace(-0.5, heat.shape[0] - 0.5, image.shape[0]),
            image,
            levels=[0.5],
            colors="#0072B2",
            linewidths=1,
        )
    return figure


def curves(
    rows: Sequence[Mapping[str, Any]], cut: int, at: int, lang: str = "en", width: float = 6
) -> Any:
    """Accuracy over the number of images, and over the block that is cut behind; all seeds."""
    spoken = pictures.language(lang)
    counts = [int(count) for count in rows[0]["accuracy"]]
    blocks = range(1, len(rows[0]["by_block"]) + 1)
    with pictures.style(spoken):
        figure = _figure(width, 0.62 * width)
        left, right = figure.subplots(1, 2, sharey=True)
        for way, (chinese, line) in WAYS.items():
            mine = [row for row in rows if row["way"] == way]
            label = say_in(spoken, way, chinese)
            _band(left, counts, [list(row["accuracy"].values()) for row in mine], line, label)
            if "by_block" in mine[0]:
                _band(right, blocks, [row["by_block"] for row in mine], line, label)
        left.set(xscale="log", xticks=counts, xticklabels=counts, ylim=(0, 100))
        left.set(ylabel=say_in(spoken, "5 to 9 read right (%)", "5 到 9 的正确率 (%)"))
        left.set(xlabel=say_in(spoken, "images a class", "每类图像数"))
        left.set_title(say_in(spoken, f"cut behind block {cut}", f"在第 {cut} 块后截断"))
        right.set(xlabel=say_in(spoken, "cut behind block", "在第几块后截断"), xticks=blocks)
        right.set_title(say_in(spoken, f"{at} images a class", f"每类 {at} 张图像"))
        left.minorticks_off()
        for axes in (left, right):
            axes.grid(visible=True)
        figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


def _band(axes: Any, x: Any, found: list[list[float]], line: str, label: str) -> None:
    """The mean of the seeds, and from the least to the most."""
    values = 100 * np.array(found)
    (drawn,) = axes.plot(x, values.mean(0), line, label=label, linewidth=1.5, markersize=5)
    axes.fill_between(x, values.min(0), values.max(0), color=drawn.get_color(), alpha=0.15)


def _figure(width: float, height: float) -> Any:
    from matplotlib.figure import Figure

    return Figure((width, height), layout="constrained")


def _show(axes: Any, values: np.ndarray, colours: str, low: float, high: float) -> None:
    axes.imshow(values, cmap=colours, vmin=low, vmax=high)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set(visible=True, color="#aaaaaa")
