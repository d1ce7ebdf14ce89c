"""What layers start from: the float type, the order of an image's axes, a small number."""

from __future__ import annotations

from typing import Any

_DTYPES = ("float16", "float32", "float64", "bfloat16")
_LAYOUTS = ("channels_last", "channels_first")
_values: dict[str, Any] = {
    "floatx": "float32",
    "image_data_format": "channels_last",
    "epsilon": 1e-7,
}


def floatx() -> str:
    """The float type of new layers. Source: keras.config.floatx"""
    return str(_values["floatx"])


def set_floatx(value: str) -> None:
    """Makes new layers compute in `value`. Source: keras.config.set_floatx"""
    if value not in _DTYPES:
        raise ValueError(f"Unknown `floatx` value: {value}. Expected one of {_DTYPES}")
    _values["floatx"] = value


def image_data_format() -> str:
    """Where new layers look for channels. Source: keras.config.image_data_format"""
    return str(_values["image_data_format"])


def set_image_data_format(data_format: str) -> None:
    """Sets the default of `data_format`. Source: keras.config.set_image_data_format"""
    _values["image_data_format"] = layout(str(data_format))


def layout(data_format: Any) -> str:
    """ "channels_last" or "channels_first", read from an argument; None is the default.

    Raises:
        ValueError: another word.
    """
    word = image_data_format() if data_format is None else data_format
    if not isinstance(word, str) or word.lower() not in _LAYOUTS:
        raise ValueError(
            f"The `data_format` argument must be one of {_LAYOUTS}. "
            f"Received: data_format={data_format!r}"
        )
    return word.lower()


def epsilon() -> float:
    """What is added so that nothing is divided by 0. Source: keras.config.epsilon"""
    return float(_values["epsilon"])


def set_epsilon(value: float) -> None:
    """Sets it. Source: keras.config.set_epsilon"""
    _values["epsilon"] = value
