"""The laws of sizes with their numbers, axis by axis: why an output is as large as it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from minitensor.explain.normalised import Normalised
from minitensor.explain.ops import Map
from minitensor.explain.resampled import Resampled
from minitensor.explain.words import say
from minitensor.window import Window, extent, output_size, same_pad, transposed_sizes

Said = list[tuple[str, dict[str, Any]]]
AXES = ("depth", "height", "width")


@dataclass(frozen=True)
class Step:
    """One law: the axes it is about (or ""), and its sentences as (word, numbers)."""

    axis: str  # "height width" where both obey the same
    said: tuple[tuple[str, dict[str, Any]], ...]

    def text(self, lang: str = "en") -> str:
        """The sentences in one line."""
        line = "; ".join(say(key, lang, **numbers) for key, numbers in self.said)
        axes = ", ".join(say(axis, lang) for axis in self.axis.split())
        return f"{axes}: {line}" if axes else line

    def __str__(self) -> str:
        return self.text()


def shape_steps(found: Map) -> tuple[Step, ...]:
    """Every law that a call's sizes obey."""
    if isinstance(found.tracer, Normalised):
        return (_shares(found.tracer),)
    if isinstance(found.tracer, Resampled):
        method, axes = found.tracer.method, [w.shape for w in found.tracer.weights]
        return tuple(_by_axis([[(method, {"size": n, "out": out})] for out, n in axes]))
    if found.links is None:
        return ()
    links = found.links
    law = _transposed if found.transposed else _forward
    pads = found.padding if isinstance(found.padding, str) else "explicit"
    steps = _by_axis([_spans(*axis) + law(*axis, pads) for axis in links.axes])
    if links.filters is not None and links.plane.groups > 1:
        groups, channels = links.plane.groups, links.channels
        numbers = {"groups": groups, "channels": channels, "each": channels // groups}
        steps.append(Step("", (("groups", numbers),)))
    return tuple(steps)


def _spans(window: Window, axis: int) -> Said:
    taps, dilation = window.kernel[axis], window.dilation[axis]
    span = extent(taps, dilation)
    return [("span", {"taps": taps, "dilation": dilation, "span": span})] if dilation > 1 else []


def _numbers(window: Window, axis: int) -> dict[str, Any]:
    before, after = window.pad[axis]
    return {
        "size": window.size[axis],
        "span": extent(window.kernel[axis], window.dilation[axis]),
        "stride": window.stride[axis],
        "before": before,
        "after": after,
        "pad": before + after,
        "out": window.out[axis],
    }


def _forward(window: Window, axis: int, padding: str) -> Said:
    n = _numbers(window, axis)
    words = (n["size"], window.kernel[axis], n["stride"], window.dilation[axis])
    out = -(-n["size"] // n["stride"])
    total = (out - 1) * n["stride"] + n["span"] - n["size"]
    before, after = same_pad(*words)
    same = {**n, "out": out, "total": total, "before": before, "after": after}
    odd: Said = [("none", {})] if total < 0 else [("odd", {})] if total % 2 else []
    if padding == "SAME":
        valid = {**n, "out": output_size(*words, (0, 0))}
        return [("same", same), ("same_pads", same), *odd, ("valid_would", valid)]
    pads = [("explicit", n)] if padding == "explicit" else []
    rest = (n["size"] + n["pad"] - n["span"]) % n["stride"]
    left = [("left", {"left": rest})] if rest else []
    return [("valid", n), *pads, *left, ("same_would", same), *odd]


def _transposed(window: Window, axis: int, padding: str) -> Said:
    n = _numbers(window, axis)
    pad = padding if padding != "explicit" else window.pad[axis]
    legal = transposed_sizes(n["out"], window.kernel[axis], n["stride"], window.dilation[axis], pad)
    sizes = f"{legal[0]}" if len(legal) == 1 else f"{legal[0]} ... {legal[-1]}"
    numbers = {**n, "positions": n["out"], "smallest": legal[0], "largest": legal[-1]}
    law = "transposed_same" if padding == "SAME" else "transposed"
    return [(law, numbers), ("legal", {**numbers, "legal": sizes})]


def _by_axis(laws: list[Said]) -> list[Step]:
    """A step for each spatial axis; one for axes that obey the same."""
    steps: list[Step] = []
    for name, law in zip(AXES[len(AXES) - len(laws) :], laws, strict=True):
        said = tuple(law)
        if steps and steps[-1].said == said:
            name = f"{steps.pop().axis} {name}"
        steps.append(Step(name, said))
    return steps


def _shares(norm: Normalised) -> Step:
    if norm.given is not None:
        return Step("", (("given", {}),))
    members = len(norm.sharing((0,) * norm.x.ndim))
    return Step("", (("shares", {"members": members, "count": norm.x.size // members}),))
