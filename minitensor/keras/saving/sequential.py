"""Models that are lists, as configs: the list, and the shape of the input if it is known."""

from __future__ import annotations

from typing import Any

from minitensor.keras.saving.objects import plain, revived

Json = Any


def sequential_config(model: Any) -> Json:
    """What `Sequential.get_config` gives."""
    begun = bool(model._drawn)
    first = [plain(model.inputs[0].node.layer)] if begun else []
    config = {
        "name": model.name,
        "trainable": model.trainable,
        "dtype": model.dtype,
        "layers": first + [plain(layer) for layer in model.layers],
    }
    return config | ({"build_input_shape": model.input_shape} if begun else {})


def sequential_model(cls: type, config: Json) -> Any:
    """What `Sequential.from_config` gives; Keras' oldest files have the list alone."""
    if isinstance(config, list):
        config = {"layers": config}
    model = cls(name=config.get("name"))
    for layer in config["layers"]:
        model.add(revived(layer))
    shape = config.get("build_input_shape")
    if shape is not None and not model.built:
        model.build(tuple(shape))
    if not config.get("trainable", True):
        model.trainable = False
    return model
