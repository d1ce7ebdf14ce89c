"""The dense convolution kernels on the emulator: direct, tiled, register, and im2col.

Expected values are the NumPy backend's in float64, by the definition: loops over taps. A result
may differ by 8 * 2^-24 * (the sum of |products|), as in minitensor/parity/bounds.py, by 1e-12 of
it in float64, and by one last digit more where it is rounded to float16.
"""

from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minitensor.backend.emulator import device, order
from minitensor.backend.host import blocked, conv, elementwise, product, register, tiled
from minitensor.backend.numpy import direct as twin
from minitensor.backend.settings import algorithm, set_workspace_limit, workspace_limit
from minitensor.explain.watch import names
from minitensor.parity.bounds import UNIT, ulp
from minitensor.window import Window

OPS = ("conv2d", "conv2d_transpose", "conv2d_kernel_grad")
RUNGS = ("direct", "tiled", "register")
ORDERS = ("forward", "reverse", "random")

# name -> (size, kernel, stride, padding, dilation, groups), (N, C, O)
CASES = {
    "plain": (((5, 6), (3, 3), (1, 1), "VALID", (1, 1)), (2, 3, 5)),
    "same": (((7, 6), (3, 4), (1, 1), "SAME", (1, 1)), (1, 4, 8)),
    "strided same": (((9, 8), (3, 3), (2, 2), "SAME", (1, 1)), (2, 8, 4)),
    "strides that differ": (((11, 10), (2, 3), (3, 2), "VALID", (1, 1)), (1, 5, 7)),
    "stride over kernel": (((9, 11), (2, 1), (3, 4), "VALID", (1, 1)), (2, 4, 4)),
    "dilated": (((9, 10), (3, 2), (1, 1), "SAME", (2, 3)), (1, 4, 12)),
    "stride and dilation share 2": (((12, 11), (3, 2), (4, 2), "SAME", (2, 2)), (1, 3, 4)),
    "stride and dilation do not": (((12, 11), (3, 3), (2, 3), "SAME", (3, 2)), (1, 4, 3)),
    "lopsided pads": (((6, 5), (3, 3), (2, 1), ((2, 0), (0, 3)), (1, 1)), (2, 2, 6)),
    "negative pads": (((9, 8), (2, 3), (2, 1), ((-2, 1), (1, -1)), (1, 1)), (1, 4, 4)),
    "kernel over image": (((2, 3), (5, 4), (1, 1), "SAME", (1, 1)), (2, 4, 4)),
    "pixel": (((4, 5), (1, 1), (1, 1), "VALID", (1, 1)), (2, 8, 70)),
    "groups": (((6, 7), (3, 3), (2, 1), "SAME", (1, 2), 3), (2, 6, 9)),
    "packed groups": (((5, 6), (2, 2), (1, 1), "SAME", (1, 1), 2), (2, 8, 16)),
    "wide": (((5, 4), (2, 2), (1, 1), "SAME", (1, 1)), (3, 72, 68)),
}


def operands(op, window, sizes, dtype="float32", seed=0):
    """The two arrays that `op` takes, rounded to `dtype`."""
    rng = np.random.default_rng(seed)
    n, c, o = sizes
    shapes = {
        "x": (n, *window.size, c),
        "y": (n, *window.out, o),
        "kernel": (*window.kernel, c // window.groups, o),
    }
    names = {"conv2d": "x kernel", "conv2d_transpose": "y kernel", "conv2d_kernel_grad": "x y"}
    return [rng.standard_normal(shapes[name]).astype(dtype) for name in names[op].split()]


def run(op, name, arrays, window):
    """`op` on the emulator by the algorithm `name`, as a NumPy array."""
    with algorithm(name):
        result = getattr(conv, op)(device, *map(device.asarray, arrays), window)
    return device.to_numpy(result)


def assert_right(op, got, arrays, window):
    """`got` is the twin's in float64, within the bound."""
    wide = [array.astype("float64") for array in arrays]
    exact = getattr(twin, op)(*wide, window)
    scale = getattr(twin, op)(*map(np.abs, wide), window)
    bound = (1e-12 if got.dtype == "float64" else 8 * UNIT["float32"]) * scale
    if got.dtype == "float16":
        bound = bound + ulp(np.abs(exact), "float16")
    assert (got.dtype, got.shape) == (arrays[0].dtype, exact.shape)
    assert (np.abs(got.astype("float64") - exact) <= bound).all()


def case(name):
    geometry, sizes = CASES[name]
    return Window.of(*geometry), sizes


@contextmanager
def launches():
    """The names of the kernels that are launched inside, and their arguments."""
    seen = []
    launch = type(device).launch

    def noting(self, kernel, grid, block, *arguments, **settings):
        seen.append((kernel, arguments))
        launch(self, kernel, grid, block, *arguments, **settings)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(device), "launch", noting)
        yield seen


# ----- every rung is the definition -----


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("rung", RUNGS)
@pytest.mark.parametrize("name", CASES)
def test_a_rung_computes_the_definition_and_the_same_bits_in_every_order(name, rung, op, dtype):
    window, sizes = case(name)
    arrays = operands(op, window, sizes, dtype)
    results = []
    for threads in ORDERS:
        with order(threads, seed=3):
            results.append(run(op, rung, arrays, window))
    assert_right(op, results[0], arrays, window)
    assert all(result.tobytes() == results[0].tobytes() for result in results)


@st.composite
def geometries(draw):
    """A small window of any kind with places to visit, and N, C, O."""
    pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))
    kernel, stride, dilation = (
        draw(st.tuples(st.integers(1, 4), st.integers(1, 4))),
        *draw(st.tuples(pairs, pairs)),
    )
    pads = [draw(st.tuples(st.integers(-2, 3), st.integers(-2, 3))) for _ in "hw"]
    size = draw(st.tuples(st.integers(3, 9), st.integers(3, 9)))
    groups, c, o = (
        draw(st.sampled_from([1, 1, 2, 3])),
        *draw(st.tuples(st.sampled_from([1, 2, 4, 5, 8]), st.sampled_from([1, 3, 4, 8]))),
    )
    window = Window.of(size, kernel, stride, pads, dilation, groups)
    return window, (draw(st.integers(1, 3)), c * groups, o * groups)


@settings(max_examples=150)
@given(geometries(), st.sampled_from(OPS), st.sampled_from(RUNGS), st.sampled_from(ORDERS))
def test_a_rung_computes_the_definition_for_any_geometry(geometry, op, rung, threads):
    window, sizes = geometry
    arrays = operands(op, window, sizes)
    with order(threads, seed=5):
        got = run(op, rung, arrays, window)
    assert_right(op, got, arrays, window)


@pytest.mark.parametrize("tile", register._PACKED)
@pytest.mark.parametrize("threads", ORDERS)
@pytest.mark.parametrize("op", OPS)
def test_every_tile_of_register_computes_the_definition(monkeypatch, op, threads, tile):
    monkeypatch.setattr(register, "_PACKED", (tile,))
    window = Window.of((10, 9), (3, 3), (1, 1), "SAME")
    sizes = (1, 72, 12) if op == "conv2d_transpose" else (1, 12, 72)
    arrays = operands(op, window, sizes)
    with order(threads, seed=2), launches() as seen:
        got = run(op, "register", arrays, window)
    assert_right(op, got, arrays, window)
    assert seen[0][0].endswith(f"{', '.join(map(str, tile.numbers))}>")


# ----- sums that several blocks share -----


LONG_SUMS = [  # of 320 or 324 products each
    ("conv2d", (5, 4), (3, 3), 1, (1, 36, 8)),
    ("conv2d", (5, 4), (3, 3), 2, (1, 36, 8)),
    ("conv2d_transpose", (6, 5), (3, 3), 1, (1, 8, 36)),
    ("conv2d_transpose", (6, 5), (4, 4), 2, (1, 8, 80)),
    ("conv2d_kernel_grad", (18, 18), (3, 3), 1, (1, 4, 8)),
    ("conv2d_kernel_grad", (36, 36), (3, 3), 2, (1, 4, 8)),
]


@pytest.mark.parametrize(("fewest", "splits"), [(128, 2), (16, 20)])  # 20: some have no share
@pytest.mark.parametrize("rung", [tiled, register])
@pytest.mark.parametrize(("op", "size", "kernel", "stride", "sizes"), LONG_SUMS)
def test_split_sums_compute_the_definition(
    monkeypatch, op, size, kernel, stride, sizes, rung, fewest, splits
):
    monkeypatch.setattr(register, "_REDUCTION", -(10**9))  # as if splitting cost nothing
    monkeypatch.setattr(register, "_plan", register._plan.__wrapped__)
    monkeypatch.setattr(rung, "_FEWEST", fewest)
    window = Window.of(size, kernel, (stride, stride), "SAME")
    arrays = operands(op, window, sizes)
    with launches() as seen:
        got = getattr(rung, op)(device, *map(device.asarray, arrays), window)
    assert_right(op, got, arrays, window)
    name, (_, _, copies, _) = seen[1]
    assert (name, copies) == ("reduce_splits<float>", splits)


def test_a_sum_is_split_only_as_far_as_the_workspace_reaches():
    window = Window.of((1000, 1000), (3, 3))
    task = product.filter_grad(np.empty((1, 1000, 1000, 4)), np.empty((1, 998, 998, 4)), window)
    limit = workspace_limit()
    try:
        set_workspace_limit(10 * 3 * 3 * 4 * 4 * 4)
        assert product.splits(task, (64, 64), 4, 396, 128) == 10
    finally:
        set_workspace_limit(limit)


def test_no_block_adds_up_two_to_the_31_places():
    window = Window.of((2**16, 2**16), (1, 1))
    x = np.broadcast_to(np.float32(0), (3, 2**16, 2**16, 1))
    task = product.filter_grad(x, x, window)
    assert product.splits(task, (64, 64), 4, 1, 128) >= 2


# ----- what the kernels must not touch -----


@pytest.mark.parametrize("rung", RUNGS)
@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("name", ["strided same", "stride over kernel", "groups", "wide"])
def test_a_nan_reaches_what_sees_it_and_nothing_else(name, op, rung):
    window, sizes = case(name)
    a, b = operands(op, window, sizes)
    a[-1, 1, 0, 1] = np.nan
    expected = np.isnan(getattr(twin, op)(a, b, window))
    assert 0 < expected.sum() < expected.size
    np.testing.assert_array_equal(np.isnan(run(op, rung, (a, b), window)), expected)


@pytest.mark.parametrize("rung", RUNGS)
@pytest.mark.parametrize("op", OPS)
def test_arrays_that_are_views_are_read_as_they_look(op, rung):
    window, sizes = case("same")
    arrays = [np.asfortranarray(array) for array in operands(op, window, sizes)]
    assert_right(op, run(op, rung, arrays, window), arrays, window)


@pytest.mark.parametrize("op", OPS)
def test_arrays_that_start_between_packs_are_read_one_by_one(op):
    window, sizes = case("same")
    arrays = []
    for array in operands(op, window, sizes):
        memory = np.empty(array.size + 1, array.dtype)
        arrays.append(memory[1:].reshape(array.shape))
        arrays[-1][...] = array
    with launches() as seen:
        got = run(op, "register", arrays, window)
    assert_right(op, got, arrays, window)
    assert seen[0][0].endswith(", 1>")


@pytest.mark.parametrize("activation", ["linear", "relu", "relu6"])
@pytest.mark.parametrize("rung", [*RUNGS, "tensor", "winograd"])
def test_a_bias_and_an_activation_are_added_on_the_way_out(rung, activation):
    random = np.random.default_rng(8)
    shapes = (2, 6, 5, 8), (3, 3, 8, 12), (12,)
    x, kernel, bias = (random.standard_normal(shape).astype("float32") for shape in shapes)
    window = Window.of((6, 5), (3, 3), (1, 1), "SAME")
    with algorithm(rung):
        y = conv.conv2d_bias_activation(device, x, kernel, bias, window, activation)
    plain = twin.conv2d(*(a.astype("float64") for a in (x, kernel)), window) + bias
    high = {"linear": np.inf, "relu": np.inf, "relu6": 6}[activation]
    expected = plain if activation == "linear" else np.clip(plain, 0, high)
    size = twin.conv2d(*(np.abs(a).astype("float64") for a in (x, kernel)), window) + np.abs(bias)
    unit = 2**-9 if rung == "tensor" else 8 * 2**-24  # two factors rounded to TF32, or sums
    unit *= 8 if rung == "winograd" else 1  # what its transforms amplify: winograd.cu
    assert (np.abs(y - expected) <= unit * size).all()


@pytest.mark.parametrize("rung", ["register", "tensor"])
def test_a_split_sum_gets_its_bias_once(rung):
    random = np.random.default_rng(9)
    shapes = (1, 3, 3, 512), (3, 3, 512, 8), (8,)  # 9 places, a depth of 4,608
    x, kernel, bias = (random.standard_normal(shape).astype("float32") for shape in shapes)
    window = Window.of((3, 3), (3, 3), (1, 1), "SAME")

    def fused(added):
        with algorithm(rung):
            return conv.conv2d_bias_activation(device, x, kernel, added, window, "linear")

    assert any("reduce_splits" in name for name in names(lambda: fused(bias), ""))
    # The sums are the same; adding a bias rounds once more.
    plain = fused(np.zeros_like(bias))
    assert (np.abs(fused(bias) - (plain + bias)) <= 2**-23 * np.abs(plain + bias)).all()


@pytest.mark.parametrize("rung", [*RUNGS, "im2col"])
def test_pixels_that_no_window_reaches_get_zeros(rung):
    window = Window.of((9, 8), (2, 2), (4, 5))
    y, kernel = np.ones((1, 2, 2, 4), np.float32), np.ones((2, 2, 4, 4), np.float32)
    x = run("conv2d_transpose", rung, (y, kernel), window)
    reached = np.outer([1, 1, 0, 0, 1, 1, 0, 0, 0], [1, 1, 0, 0, 0, 1, 1, 0])
    np.testing.assert_array_equal(x[0, :, :, 0], 4 * reached)


@pytest.mark.parametrize("name", [None, *RUNGS, "im2col"])
@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize(
    ("size", "sizes"), [((4, 4), (0, 2, 3)), ((2, 2), (1, 2, 3)), ((4, 4), (1, 2, 0))]
)
def test_nothing_in_gives_zeros_out(size, sizes, op, name):
    window = Window.of(size, (3, 3))  # (2, 2) holds no such window
    arrays = operands(op, window, sizes)
    got = run(op, name or "direct", arrays, window)
    assert_right(op, got, arrays, window)
    assert not got.any()


# ----- bias, ReLU, half precision, columns -----


@pytest.mark.parametrize("name", ["plain", "packed groups", "wide"])
def test_bias_and_relu_are_applied_on_the_way_out(name):
    window, sizes = case(name)
    x, kernel = operands("conv2d", window, sizes)
    bias = np.random.default_rng(1).standard_normal(sizes[2]).astype("float32")
    y = twin.conv2d(x.astype("float64"), kernel.astype("float64"), window) + bias
    scale = twin.conv2d(np.abs(x), np.abs(kernel), window) + np.abs(bias)
    got = register.conv2d(device, *map(device.asarray, (x, kernel)), window, bias, True)
    assert (y < 0).any()
    assert (np.abs(got - np.maximum(y, 0)) <= 8 * UNIT["float32"] * scale).all()


def test_relu_keeps_a_nan():
    x, kernel = np.full((1, 1, 1, 4), np.nan, np.float32), np.ones((1, 1, 4, 4), np.float32)
    window = Window.of((1, 1), (1, 1))
    assert np.isnan(register.conv2d(device, x, kernel, window, None, True)).all()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("rung", [*RUNGS, "im2col"])
@pytest.mark.parametrize("op", OPS)
def test_half_precision_is_rounded_once(op, rung, dtype):
    dtype = np.dtype(dtype) if dtype == "float16" else pytest.importorskip("ml_dtypes").bfloat16
    window, sizes = case("groups")
    arrays = [array.astype(dtype) for array in operands(op, window, sizes)]
    wide = run(op, rung, [array.astype("float32") for array in arrays], window)
    got = run(op, rung, arrays, window)
    assert got.tobytes() == wide.astype(dtype).tobytes()


@pytest.mark.parametrize("limit", [2**26, 2000])  # all at once; some rows of one image
@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("name", ["strided same", "groups", "dilated", "negative pads"])
def test_im2col_computes_the_definition_in_blocks(name, op, limit):
    window, sizes = case(name)
    arrays = operands(op, window, sizes)
    before = workspace_limit()
    try:
        set_workspace_limit(limit)
        got = run(op, "im2col", arrays, window)
    finally:
        set_workspace_limit(before)
    assert_right(op, got, arrays, window)


def test_blocks_of_im2col_fit_the_workspace_and_cover_every_place_once():
    window = Window.of((9, 7), (3, 3), padding="SAME")
    limit = workspace_limit()
    try:
        for room in (1, 7 * 9 * 4 * 4 * 4, 2 * 9 * 7 * 9 * 4 * 4):  # a row, four rows, two images
            set_workspace_limit(room)
            blocks = blocked._blocks(3, 4, 4, window)
            seen = np.zeros((3, 9), int)
            for block in blocks:
                seen[block.images, block.rows] += 1
            assert (seen == 1).all()
            assert len(blocks) == {1: 27, 4: 9, 18: 2}[max(room // (7 * 9 * 4 * 4), 1)]
    finally:
        set_workspace_limit(limit)


@pytest.mark.parametrize("op", OPS)
def test_whole_numbers_are_summed_exactly(op):
    window, sizes = case("groups")
    arrays = [(8 * array).astype("int32") for array in operands(op, window, sizes)]
    got = getattr(conv, op)(device, *map(device.asarray, arrays), window)
    assert got.dtype == "int32"
    np.testing.assert_array_equal(got, getattr(twin, op)(*arrays, window))


# ----- which algorithm -----


@pytest.mark.parametrize(
    ("op", "channels", "groups", "expected"),
    [
        ("conv2d", (64, 64), 1, "register"),
        ("conv2d", (64, 3), 1, "direct"),  # three of 64 columns
        ("conv2d_transpose", (3, 64), 1, "direct"),
        ("conv2d_transpose", (64, 3), 1, "register"),
        ("conv2d_kernel_grad", (64, 3), 1, "register"),
        ("conv2d", (32, 32), 16, "direct"),
        ("conv2d", (32, 64), 32, "depthwise"),
        ("conv2d", (1, 16), 1, "register"),
    ],
)
def test_an_algorithm_is_chosen_by_shape(op, channels, groups, expected):
    window = Window.of((8, 8), (3, 3), groups=groups)
    assert conv._suiting(op, channels, window, on_tensor_cores=False) == expected


def test_what_the_numpy_backend_alone_has_is_refused():
    window, sizes = case("plain")
    with pytest.raises(ValueError, match=r"'matrix'.*emulator.*direct, tiled, register"):
        run("conv2d", "matrix", operands("conv2d", window, sizes), window)


@pytest.mark.parametrize(
    ("name", "needs"),
    [
        ("depthwise", "groups == channels"),
        ("winograd", "3x3 kernels"),
        ("tensor", "float32 and float16"),
    ],
)
def test_a_pinned_algorithm_that_cannot_serve_the_shape_says_what_it_serves(name, needs):
    window, sizes = case("dilated")
    with pytest.raises(ValueError, match=needs):
        run("conv2d", name, operands("conv2d", window, sizes, "float64"), window)


def test_images_too_large_for_int_coordinates_are_refused():
    window = Window.of((1, 2**29), (1, 1))
    x = np.broadcast_to(np.float32(0), (1, 1, 2**29, 1))
    with pytest.raises(ValueError, match="pixels"):
        conv.conv2d(device, x, np.zeros((1, 1, 1, 1), np.float32), window)


# ----- first layers -----


@pytest.mark.parametrize("op", ["conv2d", "conv2d_kernel_grad"])
@pytest.mark.parametrize(
    ("dtype", "channels", "kernel"),
    [
        ("float32", 3, "conv_register<"),
        ("float16", 3, "conv_tensor_f16<"),
        ("float16", 1, "conv_tensor_f16<"),
    ],
)
def test_an_image_of_few_channels_is_read_in_packs(op, dtype, channels, kernel):
    window = Window.of((9, 8), (3, 3), (2, 2), "SAME")
    arrays = operands(op, window, (2, channels, 8), dtype)
    with launches() as seen:
        got = getattr(conv, op)(device, *map(device.asarray, arrays), window)
    assert_right(op, got, arrays, window)
    assert got.flags.c_contiguous
    name = seen[0][0]
    assert name.startswith(kernel)
    assert name.endswith((", 4>", ", 8>"))


@pytest.mark.parametrize(
    ("dtype", "channels", "outputs", "groups"),
    [("float32", 1, 8, 1), ("float32", 3, 7, 1), ("float32", 6, 16, 2), ("float64", 3, 8, 1)],
)
def test_what_gains_nothing_by_packs_is_read_as_it_lies(dtype, channels, outputs, groups):
    window = Window.of((9, 8), (3, 3), groups=groups)
    arrays = operands("conv2d", window, (2, channels, outputs), dtype)
    with launches() as seen:
        got = conv.conv2d(device, *map(device.asarray, arrays), window)
    assert_right("conv2d", got, arrays, window)
    assert seen[0][0].endswith(", 1>")


def test_a_first_layer_with_a_bias_is_read_in_packs():
    window = Window.of((9, 8), (3, 3), (2, 2), "SAME")
    x, kernel = operands("conv2d", window, (2, 3, 8))
    bias = np.arange(8, dtype="float32")
    with launches() as seen:
        got = conv.conv2d_bias_activation(device, x, kernel, bias, window, "linear")
    expected = twin.conv2d(x.astype("float64"), kernel.astype("float64"), window) + bias
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-5)
    assert [name.endswith(", 4>") for name, _ in seen] == [True]


# ----- what of a gradient passes back -----


@pytest.mark.parametrize("high", [None, 6.0])
@pytest.mark.parametrize("size", [64, 67])
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_a_gate_lets_through_what_lies_strictly_between(dtype, size, high):
    random = np.random.default_rng(4)
    g = random.standard_normal(size).astype(dtype)
    x = random.choice(np.array([-1, -0.0, 0, 1e-3, 5.99, 6, 7, np.inf, np.nan], dtype), size)
    limit = np.inf if high is None else high
    expected = np.where((x > 0) & ((x < limit) | ((high is None) & (x > 0))), g, 0)
    with launches() as seen:
        got = elementwise.gate(device, device.asarray(g), device.asarray(x), high)
    np.testing.assert_array_equal(got, expected)
    assert [name.partition("<")[0] for name, _ in seen] == ["gate"]
