"""A class of losses or metrics, made from the function that it is about.

So a loss is written down once, in its function, and is three things: a function, a `Loss` that
averages it over a batch, a `Metric` that averages it over many. A class takes the settings of the
function with their defaults, and the arguments of its base; its docstring is the function's, with
an example that calls an object.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from inspect import Parameter, Signature
from textwrap import indent
from typing import Any

from minitensor.autograd import Tensor

Function = Callable[..., Tensor]


@dataclass(frozen=True)
class Kind:
    """What all classes of a kind have in common.

    Args:
        base: LossFunctionWrapper or MeanMetricWrapper; its __init__ takes (fn, **arguments).
        path: where the classes are: "keras.losses".
        module: the file in which their table stands; they are pickled by it.
        arguments: the order of the arguments, with "..." for the function's settings.
        see: what explains the others of them.
        formula: what stands in a docstring for "loss = " in that of the function.
        raises: a ValueError that the base raises; "" for none.
    """

    base: type
    path: str
    module: str
    arguments: str
    see: str
    formula: str = r"\1 = "
    raises: str = ""


def class_from(kind: Kind, name: str, fn: Function, /, arguments: str = "", **defaults: Any) -> Any:
    """A class of losses or metrics for one function.

    Args:
        kind: what it has in common with others.
        name: of the class.
        fn: a function of (y_true, y_pred, **settings).
        arguments: their order, if it is not the kind's.
        defaults: of arguments, where they are not the function's and the base's; the default of
            the name is the function's name.
    """
    settings = dict(list(inspect.signature(fn).parameters.items())[2:])
    order = (arguments or kind.arguments).replace("...", ", ".join(settings))
    names = [word for word in order.split(", ") if word]
    known = {**inspect.signature(kind.base).parameters, **settings}
    defaults = {"name": fn.__name__, **defaults}
    taken = [known[n].replace(default=defaults.get(n, known[n].default)) for n in names]
    signature = Signature([Parameter("self", Parameter.POSITIONAL_OR_KEYWORD), *taken])

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        try:
            bound = signature.bind(self, *args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{name}.__init__() {error}") from None
        bound.apply_defaults()
        values = {n: bound.arguments[n] for n in names}
        super(made, self).__init__(fn, **values)  # type: ignore[arg-type]

    init.__name__, init.__qualname__ = "__init__", f"{name}.__init__"
    init.__module__ = kind.module
    init.__signature__ = signature  # type: ignore[attr-defined]
    common = ", ".join(n for n in names if n not in settings)
    text = _docstring(kind, name, fn, names, f"{common}: see `{kind.see}`.")
    attributes = {"__init__": init, "__module__": kind.module, "__doc__": text}
    made = type(name, (kind.base,), attributes)
    return made


# ----- its docstring -----


def _docstring(
    kind: Kind, name: str, fn: Function, arguments: list[str], common: str
) -> str | None:
    """The function's docstring for an object; None where Python keeps no docstrings."""
    if fn.__doc__ is None:
        return None
    pattern = r"^(Args|Returns|Raises|Example|Source):"
    head, *rest = re.split(pattern, inspect.getdoc(fn) or "", flags=re.MULTILINE)
    parts = {key: inspect.cleandoc(text) for key, text in zip(rest[::2], rest[1::2], strict=True)}
    formula = re.sub(r"^(\w+) = ", kind.formula, head.strip(), count=1, flags=re.MULTILINE)
    errors = "; ".join(filter(None, (kind.raises, parts.get("Raises", "")[len("ValueError: ") :])))
    sections = [
        ("Args", "\n".join([*_settings(parts.get("Args", ""), arguments), common])),
        ("Raises", f"ValueError: {errors.rstrip('.')}." if errors else ""),
        ("Example", _example(f"tf.{kind.path}.{name}", fn.__name__, parts["Example"])),
    ]
    body = [f"{key}:\n{indent(text, '    ')}" for key, text in sections if text]
    source = "; ".join([f"{kind.path}.{name}", *filter(None, [parts.get("Source")])])
    return "\n\n".join([formula, *body, f"Source: {source}"])


def _settings(args: str, kept: list[str]) -> list[str]:
    """The entries of Args about arguments that the class has too."""
    entries = re.findall(r"^(\S.*?): (.*(?:\n .*)*)", args, re.MULTILINE)
    found = [([n for n in names.split(", ") if n in kept], text) for names, text in entries]
    return [f"{', '.join(own)}: {text}" for own, text in found if own]


def _example(path: str, fn: str, example: str) -> str:
    """fn(y_true, y_pred, k=2) as Class(k=2)(y_true, y_pred), and the mean of what it gives."""
    call = rf"[\w.]+\.{fn}\((.*?)((?:, \w+=\w+)*)\)(?=\.numpy)"
    example = re.sub(call, lambda m: f"{path}({m[2][2:]})({m[1]})", example)

    def mean(found: re.Match[str]) -> str:
        numbers = [float(n) for n in found[1].split(",")]
        return f"np.float32({sum(numbers) / len(numbers)})"

    return re.sub(r"array\(\[+(.*?)\]+, dtype=float32\)", mean, example)
