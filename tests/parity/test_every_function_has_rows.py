"""Every public function that computes numbers has rows in the ledger, under one of its names.

A new function without rows fails here; one that computes no numbers stands below, with the reason.
"""

import importlib
import inspect

import pytest

from minitensor.parity.cases import table
from minitensor.parity.ledger import our_side

PLACES = ("", "bitwise", "image", "linalg", "math", "nn")
REACHED_OTHERWISE = {  # by an adapter of parity/adapters.py, which says what holds of any draw
    "nn.dropout": "parity.dropout_facts",
}
NO_NUMBERS = {
    "devices, types and places of tensors": """algorithm as_dtype device is_tensor to_device""",
    "calls a function of the user's, or is told what to do with one": """case check_gradients cond
        custom_gradient function gradients hessians map_fn numpy_function py_function
        recompute_grad vectorized_map while_loop""",
    "about the program, not about numbers": """executing_eagerly explain group print
        show_graph timestamp""",
    "drawn by chance: tests of their own": """image.random_brightness image.random_contrast
        image.random_crop image.random_flip_left_right image.random_flip_up_down image.random_hue
        image.random_saturation image.sample_distorted_bounding_box
        image.stateless_sample_distorted_bounding_box nn.fractional_avg_pool
        nn.fractional_max_pool""",
    "files: tests/core/test_image*.py": """image.adjust_jpeg_quality image.decode_bmp
        image.decode_gif image.decode_image image.decode_jpeg image.decode_png image.encode_jpeg
        image.encode_png image.random_jpeg_quality image.stateless_random_jpeg_quality""",
}
EXEMPT = {name: reason for reason, names in NO_NUMBERS.items() for name in names.split()}


def public_functions():
    """Path -> function, of everything public in PLACES."""
    found = {}
    for place in PLACES:
        module = importlib.import_module(f"minitensor.{place}".rstrip("."))
        for name in getattr(module, "__all__", None) or dir(module):
            value = getattr(module, name, None)
            if callable(value) and not name.startswith("_") and not inspect.isclass(value):
                found[f"{place}.{name}".lstrip(".")] = value
    return found


@pytest.fixture(scope="module")
def functions():
    return public_functions()


@pytest.fixture(scope="module")
def with_rows():
    paths = {case.op for case in table()} | set(REACHED_OTHERWISE)
    side = our_side()
    return {id(side.function(path)) for path in paths if not path.startswith("parity.")}


def test_every_function_of_numbers_has_rows(functions, with_rows):
    missing = {
        path
        for path, function in functions.items()
        if id(function) not in with_rows and path not in EXEMPT
    }
    assert missing == set()


def test_what_is_left_out_exists_and_has_no_rows(functions, with_rows):
    assert {path for path in EXEMPT if path not in functions} == set()
    assert {path for path in EXEMPT if id(functions[path]) in with_rows} == set()


def test_the_adapters_that_stand_for_functions_have_rows():
    assert set(REACHED_OTHERWISE.values()) <= {case.op for case in table()}
