"""The public surface: every name, signature, docstring section and config that a program can meet.

    python tests/support/public_surface.py            exit 1 if anything of the record is lost
    python tests/support/public_surface.py --record   writes a new record

A refactoring may add names. It may not lose one, nor an argument, a default, a method, a section
of a docstring, or a word of a config. `name: ignored` and errors that a whole module shares may
stand once, in the module's docstring.
"""

import contextlib
import gzip
import importlib
import inspect
import json
import re
import sys
from pathlib import Path

RECORD = Path(__file__).with_name("public_surface.json.gz")
ENGINE = ("nn", "math", "linalg", "image", "random", "data", "io", "debugging", "config", "models")
KERAS = (
    *("activations", "applications", "backend", "callbacks", "config", "constraints", "datasets"),
    *(
        "initializers",
        "layers",
        "losses",
        "metrics",
        "models",
        "optimizers",
        "optimizers.schedules",
    ),
    *("preprocessing", "random", "regularizers", "saving", "utils"),
)
ROOMS = [*ENGINE, "keras", *(f"keras.{room}" for room in KERAS)]
MODULES = ["minitensor", *(f"minitensor.{room}" for room in ROOMS)]
RENAMED = {"reach", "drawn", "layout"}  # words of our own that layers had, and Keras never
INSIDE = {
    "Tensor",
    "ArrayLike",
    "as_tensor",
    "Configurable",
    "KerasTensor",
    "Window",
}
SECTIONS = re.compile(
    r"^ *(Args|Returns|Raises|Example|Examples|Attributes|Source)\b:?", re.MULTILINE
)
ARGUMENT = re.compile(r"^ {2,12}((?:\*{0,2}\w+, )*\*{0,2}\w+):", re.MULTILINE)
SAMPLES = {  # what a constructor needs, by the names of its required arguments
    "filters": 2, "kernel_size": 3, "units": 2, "pool_size": 2, "rate": 0.5, "stddev": 0.1,
    "output_size": 2, "target_shape": (4,), "n": 2, "dims": (2, 1), "axes": 1, "factor": 0.2,
    "height": 4, "width": 4, "height_factor": 0.2, "width_factor": 0.2, "scale": 0.5, "name": "x",
    "num_classes": 2, "target_class_ids": [0], "recall": 0.5, "precision": 0.5, "specificity": 0.5,
    "sensitivity": 0.5, "initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.5,
    "boundaries": [1], "values": [0.1, 0.01], "first_decay_steps": 5, "num_tokens": 3,
    "dtype": "float32",
    "function": None, "shape": (4,), "value": 1.0, "mean": 0.0, "depth": 2, "bin_boundaries": [1.0],
}  # fmt: skip


def names(module):
    """The public names of a module: its list, and what it loads when asked."""
    listed = getattr(module, "__all__", None)
    own = "minitensor.keras" if ".keras" in module.__name__ else "minitensor"
    found = set(listed or (n for n in vars(module) if not n.startswith("_")))
    found |= set(getattr(module, "_LAZY", ()))
    for name in sorted(found):
        with contextlib.suppress(AttributeError, ImportError):
            value = getattr(module, name)
            if name in INSIDE and not listed and own != module.__name__:
                continue
            home = getattr(value, "__module__", "") or ""
            if not inspect.ismodule(value) and (listed or home.startswith(own)):
                yield name, value


def parameters(function):
    """[name, kind, default] of each parameter."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return None
    return [
        [
            p.name,
            p.kind.name,
            "" if p.default is p.empty else default(p.default),
        ]
        for p in signature.parameters.values()
        if p.name != "self"
    ]


def default(value):
    """As it was recorded: tf.float32 was NumPy's dtype then, to which it is equal."""
    text = re.sub(r" at 0x\w+", "", repr(value))
    return f"dtype({value.name!r})" if type(value).__name__ == "DType" else text


def words(value):
    """The sections of a docstring, and the arguments it explains."""
    text = inspect.getdoc(value) or ""
    listed = {name.strip("* ") for found in ARGUMENT.findall(text) for name in found.split(",")}
    taken = {p[0] for p in parameters(value) or ()}
    return {"sections": sorted(set(SECTIONS.findall(text))), "explained": sorted(listed & taken)}


def members(cls):
    """Public methods and properties that a class has of ours, with their parameters."""
    found = {}
    for name, value in inspect.getmembers(cls):
        owner = next((c for c in cls.__mro__ if name in vars(c)), object)
        if name.startswith("_") or not owner.__module__.startswith("minitensor"):
            continue
        found[name] = parameters(value) if callable(value) else "property"
    return found


def config(cls):
    """The config of an instance made with the least arguments; None if there is none."""
    if not hasattr(cls, "get_config"):
        return None
    needed = [p[0] for p in parameters(cls) or () if not p[2] and "VAR" not in p[1]]
    if set(needed) - set(SAMPLES):
        return None
    try:
        made = cls(**{name: SAMPLES[name] for name in needed}).get_config()
        return json.loads(json.dumps(made, default=lambda v: type(v).__name__))
    except Exception as reason:
        return f"{type(reason).__name__}"


def surface():
    """{module: {name: what is known of it}}."""
    importlib.import_module("minitensor.keras.backend").clear_session()  # layers numbered from 0
    found = {}
    importlib.import_module("minitensor.keras.utils").clear_session()  # names count from 0 again
    for path in MODULES:
        module = importlib.import_module(path)
        found[path] = {}
        for name, value in names(module):
            row = {"kind": "class" if inspect.isclass(value) else "value"}
            if callable(value):
                row |= {"parameters": parameters(value), **words(value)}
            if inspect.isclass(value):
                row |= {"members": members(value), "config": config(value)}
            found[path][name] = row
    return found


def recorded():
    """The surface as it was recorded."""
    return json.loads(gzip.decompress(RECORD.read_bytes()))


def lost(before, after):
    """What the surface had and has no more, a line each."""
    for path, rows in before.items():
        contract = importlib.import_module(path).__doc__ or ""
        for name, row in rows.items():
            now, where = after.get(path, {}).get(name), f"{path}.{name}"
            if now is None:
                yield f"{where} is gone"
                continue
            for key in ("kind", "parameters", "config"):
                if not still(row.get(key), now.get(key)):
                    yield f"{where}: {key} {row.get(key)} -> {now.get(key)}"
            for member, signature in row.get("members", {}).items():
                if member in RENAMED or (name, member) == (
                    "Variable",
                    "value",
                ):  # property: Keras 3
                    continue
                if not still(signature, now["members"].get(member, "gone")):
                    yield f"{where}.{member}: {signature} -> {now['members'].get(member, 'gone')}"
            for section in set(row.get("sections", ())) - set(now.get("sections", ())):
                if section not in contract + _home(path, name):
                    yield f"{where}: its docstring lost {section}"
            for argument in set(row.get("explained", ())) - set(now.get("explained", ())):
                if not re.search(rf"\b{argument}\b", contract + _home(path, name)):
                    yield f"{where}: nothing explains {argument}"


def still(before, now):
    """Whether all that was is so; arguments with defaults may have come after the others."""
    if not isinstance(before, list) or not isinstance(now, list):
        return before == now
    more = now[len(before) :]
    return before == now[: len(before)] and all(
        len(x) == 3 and (x[2] != "" or x[1] == "VAR_KEYWORD") for x in more
    )


def _home(path, name):
    """The docstring of the module where a name was written."""
    value = getattr(importlib.import_module(path), name)
    return sys.modules[value.__module__].__doc__ or "" if hasattr(value, "__module__") else ""


def main():
    now = json.loads(json.dumps(surface(), default=repr))
    if "--record" in sys.argv:
        RECORD.write_bytes(gzip.compress(json.dumps(now, sort_keys=True).encode(), mtime=0))
        return
    found = list(lost(recorded(), now))
    print(*found, f"{len(found)} differences", sep="\n")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
