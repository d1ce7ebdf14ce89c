"""Every function of backend/cuda, through CuPy's stand-in, beside its NumPy twin.

The kernels themselves are tested on the emulator; here the question is whether the host code asks
CuPy for nothing that CuPy does not do, and whether a training step runs, plain and recorded.
"""

import numpy as np
import pytest
from cuda_fixtures import compiler, gpu, numbers, there  # noqa: F401 -- fixtures

import minitensor as mt
from minitensor.backend import numpy as twin
from minitensor.backend.cuda import graph
from minitensor.backend.protocol import Backend
from minitensor.backend.settings import algorithm
from minitensor.explain.launch_cases import launch_cases
from minitensor.window import Window

WINDOW = Window.of((6, 5), (3, 2), (2, 1), "SAME")  # places (3, 5)
X, KERNEL, Y = numbers(2, 6, 5, 4), numbers(3, 2, 4, 8), numbers(2, 3, 5, 8, seed=1)
G = numbers(2, 3, 5, 4, seed=2)
STATISTICS = np.stack([X.mean((0, 1, 2)), X.var((0, 1, 2))])
INDEX = twin.window_argmax(X, WINDOW)
CHANNELS = numbers(4, seed=3)
LABELS = np.eye(10, dtype=np.float32)[[3, 1, 4]]
LOGITS = numbers(3, 10)

CALLS = {
    "adam": (*(numbers(40, seed=s) for s in (1, 2)), np.ones(40, np.float32), numbers(40),
             0.001, 0.9, 0.999, 1e-7, 3),
    "avg_pool": (X, WINDOW),
    "avg_pool_grad": (G, WINDOW),
    "batch_norm": (X, STATISTICS, CHANNELS, CHANNELS, 1e-3),
    "batch_norm_grad": (X[::-1], X, STATISTICS, CHANNELS, 1e-3),
    "batch_norm_sums": (X[::-1], X, STATISTICS, 1e-3),
    "bias_activation": (X, CHANNELS, "relu6"),
    "channel_sum": (X, 1),
    "col2im": (twin.im2col(X, WINDOW), WINDOW),
    "conv2d": (X, KERNEL, WINDOW),
    "conv2d_bias_activation": (X, KERNEL, numbers(Y.shape[-1], seed=4), WINDOW, "relu"),
    "conv2d_kernel_grad": (X, Y, WINDOW),
    "conv2d_transpose": (Y, KERNEL, WINDOW),
    "gate": (X, X, 0.5),
    "gelu": (X, True),
    "gelu_grad": (G, numbers(*G.shape, seed=6), False),
    "im2col": (X, WINDOW),
    "local_response": (X, 2, 1.0, 0.5, 0.75),
    "matmul": (LOGITS.T, LOGITS),
    "max_pool": (X, WINDOW),
    "max_pool_grad": (G, X, WINDOW),
    "moments": (X,),
    "put_tap": (G, INDEX, WINDOW),
    "sgd_momentum": (numbers(40), numbers(40, seed=1), numbers(40, seed=2), 0.1, 0.9, True),
    "softmax_cross_entropy": (LABELS, LOGITS),
    "softmax_cross_entropy_grad": (numbers(3, seed=1), LABELS, LOGITS),
    "sum_rows": (X,),
    "take_tap": (X, INDEX, WINDOW),
    "transpose": (X, (0, 3, 1, 2)),
    "where": (X > 0, X, np.zeros((), np.float32)),
    "window_argmax": (X, WINDOW),
}  # fmt: skip
DTYPES = {"float32": 1e-5, "float16": 2e-2}


def listed(results):
    return results if isinstance(results, tuple) else (results,)


def as_dtype(name, value, dtype):
    """Floats cast; what batch norm keeps per channel stays float32."""
    is_float = isinstance(value, np.ndarray) and value.dtype == np.float32
    is_kept = name.startswith("batch_norm") and value is not X and is_float and value.ndim < 4
    return value.astype(dtype) if is_float and not is_kept else value


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", CALLS)
def test_a_function_of_the_gpu_agrees_with_its_twin(gpu, name, dtype):
    arguments = [as_dtype(name, a, dtype) for a in CALLS[name]]
    on_gpu = [gpu.asarray(a) if isinstance(a, np.ndarray) else a for a in arguments]
    found = getattr(gpu, name)(*on_gpu)
    assert_agree(gpu, found, getattr(twin, name)(*arguments), DTYPES[dtype])


def assert_agree(gpu, found, expected, near):
    """All results are arrays of the GPU, with the twin's shapes, dtypes and numbers."""
    found, expected = listed(found), listed(expected)
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        assert isinstance(ours, gpu.xp.ndarray)
        assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
        np.testing.assert_allclose(
            gpu.to_numpy(ours).astype(np.float64),
            np.asarray(theirs, np.float64),
            rtol=near,
            atol=near * np.abs(np.asarray(theirs, np.float64)).max(),
        )


HELPERS = {"name", "xp", "lack", "array", "asarray", "to_numpy", "conv2d_matrix"}
OTHERS = sorted({name for name in vars(Backend) if name[0] != "_"} - HELPERS - set(CALLS))


def test_every_function_of_the_interface_is_called_here(gpu):
    """One without a row is called as explain/launch_cases.py says."""
    assert set(CALLS) <= set(vars(Backend))
    for name in OTHERS:
        for case in launch_cases(name):
            assert_agree(gpu, case(gpu), case(twin), DTYPES.get(case.problem.dtype, 1e-5))


THREE = Window.of((6, 5), (3, 3), (1, 1), "SAME")
Y3, KERNEL3 = numbers(2, 6, 5, 8, seed=1), numbers(3, 3, 4, 8)
CONVS = {
    "conv2d": (X, KERNEL3, THREE),
    "conv2d_transpose": (Y3, KERNEL3, THREE),
    "conv2d_kernel_grad": (X, Y3, THREE),
}


@pytest.mark.parametrize("op", CONVS)
@pytest.mark.parametrize("name", ["direct", "im2col", "tiled", "register", "tensor", "winograd"])
def test_every_algorithm_of_a_convolution_runs_on_the_gpu(gpu, name, op):
    on_gpu = [gpu.asarray(a) if isinstance(a, np.ndarray) else a for a in CONVS[op]]
    with algorithm(name):
        found = gpu.to_numpy(getattr(gpu, op)(*on_gpu))
    expected = getattr(twin, op)(*CONVS[op])
    bits = 10 if name == "tensor" else 20  # that are right; TF32 keeps 10 of each factor
    np.testing.assert_allclose(
        found, expected, rtol=0, atol=2.0**-bits * np.abs(expected).max() * 4
    )


# ----- a small network -----


@pytest.fixture
def network(gpu):
    """A conv, a pool, a dense layer; variables on the GPU, and a training step."""
    weights = [there(numbers(3, 3, 1, 4) * 0.3), there(numbers(64, 10, seed=1) * 0.1)]
    kernel, dense = variables = [mt.Variable(weight) for weight in weights]

    def step(images, labels):
        with mt.GradientTape() as tape:
            y = mt.nn.relu(mt.nn.conv2d(images, kernel, 1, "SAME"))
            y = mt.nn.max_pool2d(y, 2, 2, "SAME")
            logits = mt.reshape(y, [-1, 64]) @ dense
            losses = mt.nn.softmax_cross_entropy_with_logits(labels, logits)
            loss = mt.reduce_mean(losses)
        for variable, gradient in zip(variables, tape.gradient(loss, variables), strict=True):
            variable.assign_sub(0.5 * gradient)
        return loss

    return variables, step


BATCH = numbers(3, 8, 8, 1), LABELS


def test_a_network_learns_on_the_gpu_as_on_numpy(network):
    variables, step = network
    on_cpu = [mt.Variable(v.numpy()) for v in variables]
    losses = [float(step(*map(there, BATCH))) for _ in range(3)]
    for variable, start in zip(variables, on_cpu, strict=True):
        variable.array = start.array
    expected = [float(step(*map(mt.constant, BATCH))) for _ in range(3)]
    np.testing.assert_allclose(losses, expected, rtol=1e-4)
    assert losses[2] < losses[0]


def test_a_recorded_network_learns_the_same(gpu, network):
    variables, step = network
    batch = [there(array) for array in BATCH]
    again = graph.capture(gpu.device, step, variables, batch)
    replayed = [float(again(*batch)) for _ in range(3)]
    for variable, fresh in zip(
        variables, (numbers(3, 3, 1, 4) * 0.3, numbers(64, 10, seed=1) * 0.1), strict=True
    ):
        variable.assign(there(fresh))
    plain = [float(step(*batch)) for _ in range(3)]
    np.testing.assert_allclose(replayed, plain, rtol=1e-4)  # products are summed in another order
