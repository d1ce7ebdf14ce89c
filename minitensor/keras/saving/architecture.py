"""What a model is, as JSON: layers and calls, and what it is compiled with, but no weights."""

from __future__ import annotations

import inspect
import json
from typing import Any

from minitensor.keras.engine import Functional, Model, Sequential
from minitensor.keras.saving.stored_weights import damage_named
from minitensor.keras.serialization import memory_budget as budget
from minitensor.keras.serialization.objects import deserialize, serialize
from minitensor.keras.serialization.registry import Objects, custom_object_scope
from minitensor.keras.serialization.sharing import shared_found, shared_numbered

Json = Any

_UNVETTED = 5 * 2**27  # bytes of weights of a model without a file of weights; VGG19 has 575 MB
_METRICS = 2**26  # bytes of the state of metrics, of which no file tells


def model_to_config(model: Any, with_compile: bool = True) -> Json:
    """A model as JSON values; of a subclassed one its class, and what that was made with."""
    drawn = isinstance(model, Functional | Sequential)
    if not drawn and not model.built:
        raise ValueError(
            f"{model.name} is a subclassed model ({type(model).__name__}) without a shape: call it "
            "on data, or build it, before it is saved"
        )
    found = shared_numbered(lambda: serialize(model))
    if not drawn:  # whoever reads it makes it by its class, and calls it on this shape
        found["build_config"] = found.get("build_config") or {"input_shape": model.called_with}
    if with_compile and model.compiled:
        found["compile_config"] = model.get_compile_config()
    return found


def json_text(config: Json, **kwargs: Any) -> str:
    """JSON values as a text; a ValueError if it were too long to be read again."""
    text = json.dumps(config, **kwargs)
    objects = text.count('"registered_name":') + text.count('"args":')  # and calls of layers
    if objects > budget.OBJECTS:
        raise ValueError(f"save: a model of {objects} objects; at most {budget.OBJECTS} are read")
    if why := budget.why_too_long(text):
        raise ValueError(
            f"save: the model is {why}: keep large arrays in weights (add_weight), not in settings"
        )
    return text


def parse_json(text: str | bytes) -> Json:
    """JSON values of a text that describes a model; a ValueError if it does not, or is too long."""
    found = budget.parse_json(text)
    if not isinstance(found, dict):
        raise ValueError(f"JSON of a model must be an object. Received: {type(found).__name__}")
    return found


def model_from_config(config: Json, size: int = _UNVETTED) -> Any:
    """The model that JSON values describe, with fresh weights of at most `size` bytes.

    A ValueError if they describe no model, or a larger one.
    """
    with budget.memory_budget(size), shared_found():
        model = deserialize(config)
    if not isinstance(model, Model):
        raise ValueError(f"The config is of a {type(model).__name__} where a model is expected")
    return model


def compile_again(model: Any, config: Json) -> None:
    """Compiles a model with what it was compiled with; without it says nothing."""
    if config and config.get("optimizer") is not None:
        taken = inspect.signature(model.compile).parameters
        config = {key: value for key, value in config.items() if key in taken}
        with budget.memory_budget(_METRICS):
            model.compile_from_config(config)


def to_json(model: Any, **kwargs: Any) -> str:
    """The architecture as JSON text, in Keras' form.

    Args:
        model: functional, or a Sequential.
        kwargs: of json.dumps.

    Raises:
        ValueError: a subclassed model.

    Example:
        >>> import minitensor as tf
        >>> flat = tf.keras.layers.Flatten(name="flat")
        >>> text = tf.keras.Sequential([tf.keras.Input((2,)), flat]).to_json()
        >>> tf.keras.models.model_from_json(text).layers[0].name
        'flat'

    Source: keras.Model.to_json
    """
    return json_text(model_to_config(model), **kwargs)


def model_from_json(json_string: str, custom_objects: Objects | None = None) -> Any:
    """The model that `to_json`, ours or Keras', wrote, with fresh weights.

    Args:
        json_string: the text.
        custom_objects: {name: class or function} that it may mention.

    Raises:
        ValueError: it describes no model, or one of classes that are not there.

    Example:
        >>> import minitensor as tf
        >>> layer = '{"class_name": "Flatten", "config": {}}'
        >>> text = '{"class_name": "Sequential", "config": {"layers": [%s]}}' % layer
        >>> type(tf.keras.models.model_from_json(text).layers[0]).__name__
        'Flatten'

    Source: keras.models.model_from_json
    """
    with damage_named("the JSON text"), custom_object_scope(custom_objects or {}):
        config = parse_json(json_string)
        model = model_from_config(config)
        compile_again(model, config.get("compile_config"))
    return model
