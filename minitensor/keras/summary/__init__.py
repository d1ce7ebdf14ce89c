"""`model.summary()`: a table of a model's layers.

facts.py     one sample of zeros runs through the model: shapes, multiplications, receptive fields
text.py      the table, in our own style or as TensorFlow 2.0 printed it
picture.py   `keras.utils.plot_model`: boxes and arrows
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from minitensor.keras.summary import text
from minitensor.keras.summary.facts import rows_of

if TYPE_CHECKING:
    from minitensor.keras.engine.model import Model

STYLES = {"wide": text.wide, "tf20": text.tf20}
default_style = "wide"  # "tf20" in `minitensor run`


def printed(
    model: Model,
    style: str | None,
    line_length: int | None,
    print_fn: Callable[[str], Any] | None,
    expand_nested: bool,
    show_trainable: bool,
    layer_range: Any,
) -> None:
    """Prints the table; see `Model.summary`."""
    style = style or default_style
    if style not in STYLES:
        raise ValueError(f"summary: style must be one of {sorted(STYLES)}. Received: {style!r}")
    rows = rows_of(model, expand_nested, layer_range)
    for line in STYLES[style](model, rows, line_length, show_trainable):
        (print_fn or print)(line)
