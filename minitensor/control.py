"""TensorFlow's functions that take functions: they run as Python runs, for there are no graphs.

Returns, if nothing else is said: what the function gives. `name` is ignored.
Source: TensorFlow, under the same name.
"""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from contextvars import Token
from typing import Any

import numpy as np

from minitensor.array import stack, unstack
from minitensor.autograd import Tensor, as_tensor
from minitensor.autograd.graph import Graph, needs_graph
from minitensor.autograd.recording import scope
from minitensor.autograd.tensor import ArrayLike
from minitensor.data.spec import flatten, map_structure
from minitensor.docstrings import examples_of
from minitensor.dtypes import element_type

__all__ = [
    "case", "cond", "executing_eagerly", "function", "group", "map_fn", "name_scope",
    "numpy_function", "print", "py_function", "timestamp", "while_loop",
]  # fmt: skip
example = examples_of("tf", "")


@example("map_fn(lambda row: row * row, [1, 2, 3]).numpy()", "array([1, 4, 9], dtype=int32)")
def map_fn(
    fn: Callable[[Any], Any],
    elems: Any,
    dtype: Any = None,
    parallel_iterations: Any = None,
    back_prop: Any = True,
    swap_memory: Any = False,
    infer_shape: Any = True,
    name: str | None = None,
    fn_output_signature: Any = None,
) -> Any:
    """fn of each slice along the first axis, stacked.

    y[i] = fn(elems[i])

    Args:
        fn: a function of one argument.
        elems: a tensor, or tuples and dictionaries of tensors of one length.
        dtype, fn_output_signature: element types of what fn gives; None takes them as they come.
        parallel_iterations, back_prop, swap_memory, infer_shape, name: ignored.

    Returns:
        What fn gives, each tensor with a new first axis.

    Raises:
        ValueError: there is nothing to go over, or lengths differ.
    """
    kinds = dtype if fn_output_signature is None else fn_output_signature
    results = _of_slices("map_fn", fn, elems)
    if kinds is not None:
        kinds = map_structure(lambda kind: getattr(kind, "dtype", kind), _tuples(kinds))
        results = [map_structure(lambda y, kind: as_tensor(y, kind), one, kinds) for one in results]
    return map_structure(lambda *column: stack(column), *results)


@example("vectorized_map(tf.square, tf.constant([2, 3])).numpy()", "array([4, 9], dtype=int32)")
def vectorized_map(
    fn: Callable[[Any], Any], elems: Any, fallback_to_while_loop: bool = True, warn: bool = True
) -> Any:
    """fn of each slice along the first axis, stacked; what has one slice serves for all.

    Args:
        fn: a function of one argument.
        elems: a tensor, or tuples and dictionaries of tensors of one length, or of length 1.
        fallback_to_while_loop, warn: ignored; it is one call for each slice.

    Returns:
        What fn gives, each tensor with a new first axis.

    Raises:
        ValueError: there is nothing to go over, or lengths differ.
    """
    results = _of_slices("vectorized_map", fn, elems, repeat=True)
    return map_structure(lambda *column: stack(column), *results)


def _of_slices(op: str, fn: Callable[[Any], Any], elems: Any, repeat: bool = False) -> list[Any]:
    """fn of each slice, as nests of tensors; with `repeat` a single slice is that of all calls."""
    tensors = map_structure(as_tensor, _tuples(elems))
    lengths = {len(tensor) for tensor in flatten(tensors)}
    if repeat and len(lengths) > 1:
        lengths -= {1}
    if len(lengths) != 1 or 0 in lengths:
        raise ValueError(f"{op}: elems must have one length above 0, got {sorted(lengths)}")
    slices = map_structure(unstack, tensors)
    listed = isinstance(elems, list) and not isinstance(tensors, ArrayLike)
    results = []
    for i in range(lengths.pop()):
        item = map_structure(lambda column, i=i: column[i if len(column) > 1 else 0], slices)
        results.append(map_structure(as_tensor, _tuples(fn(list(item) if listed else item))))
    return results


def _tuples(value: Any) -> Any:
    """Lists of tensors as tuples; a list of numbers stays what it is, a tensor."""
    holds_tensors = isinstance(value, list) and any(
        isinstance(item, ArrayLike | np.ndarray) for item in value
    )
    return tuple(value) if holds_tensors else value


@example('cond(3 < 5, lambda: "yes", lambda: "no")', "'yes'")
def cond(
    pred: Any,
    true_fn: Callable[[], Any] | None = None,
    false_fn: Callable[[], Any] | None = None,
    name: str | None = None,
) -> Any:
    """true_fn() if `pred` holds, else false_fn(); the other one is not called.

    Args:
        pred: a boolean, or a scalar tensor.
        true_fn, false_fn: functions without arguments.

    Raises:
        TypeError: one of them is no function.
    """
    for word, function in (("true_fn", true_fn), ("false_fn", false_fn)):
        if not callable(function):
            raise TypeError(f"'{word}' must be callable.")
    return true_fn() if bool(pred) else false_fn()  # type: ignore[misc]


@example('case([(1 > 2, lambda: "a"), (2 > 1, lambda: "b")])', "'b'")
def case(
    pred_fn_pairs: Sequence[tuple[Any, Callable[[], Any]]],
    default: Callable[[], Any] | None = None,
    exclusive: bool = False,
    strict: bool = False,
    name: str = "case",
) -> Any:
    """The function of the first pair whose condition holds, called.

    Args:
        pred_fn_pairs: pairs (condition, function without arguments).
        default: called if none holds.
        exclusive: refuse more than one condition that holds.
        strict, name: ignored.

    Raises:
        ValueError: none holds and there is no default; or several do and `exclusive` is set.
    """
    held = [function for condition, function in pred_fn_pairs if bool(condition)]
    if exclusive and len(held) > 1:
        raise ValueError(f"case: {len(held)} conditions hold and exclusive=True")
    chosen = held[0] if held else default
    if chosen is None:
        raise ValueError("case: no condition holds and there is no default")
    return chosen()


@example("while_loop(lambda i: i < 10, lambda i: (i + 3,), (0,))", "(12,)")
def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    shape_invariants: Any = None,
    parallel_iterations: Any = 10,
    back_prop: Any = True,
    swap_memory: Any = False,
    maximum_iterations: Any = None,
    name: str | None = None,
) -> Any:
    """Calls `body` as long as `cond` holds; each gets what the last call gave.

    Args:
        cond, body: functions of as many arguments as there are loop_vars.
        loop_vars: a tuple or list of the first values.
        shape_invariants, parallel_iterations, back_prop, swap_memory, name: ignored.
        maximum_iterations: after so many it ends in any case.

    Returns:
        The last values, as a tuple or list as `loop_vars` are.

    Raises:
        ValueError: `body` gives another number of values.
    """
    values, count = list(loop_vars), 0
    while bool(cond(*values)) and (maximum_iterations is None or count < int(maximum_iterations)):
        given = body(*values)
        new = list(given) if isinstance(given, list | tuple) else [given]
        if len(new) != len(values):
            raise ValueError(f"while_loop: body gave {len(new)} values for {len(values)} loop_vars")
        values, count = new, count + 1
    return values if isinstance(loop_vars, list) else tuple(values)


def function(
    func: Callable[..., Any] | None = None,
    input_signature: Any = None,
    autograph: bool = True,
    jit_compile: Any = None,
    reduce_retracing: bool = False,
    experimental_implements: Any = None,
    experimental_autograph_options: Any = None,
    experimental_attributes: Any = None,
    experimental_relax_shapes: Any = None,
    experimental_compile: Any = None,
    experimental_follow_type_hints: Any = None,
) -> Any:
    """The function as it is: nothing is compiled here.

    One that calls `tf.gradients` or `tf.hessians` keeps all that it computes until it ends.

    Args:
        func: a function; without it a decorator is given.
        input_signature: TensorSpecs of the arguments; kept, not enforced.
        autograph, jit_compile, reduce_retracing, experimental_*: ignored.

    Returns:
        A function with the same arguments; `.python_function` is the one given, and
        `.get_concrete_function(...)` gives itself.

    Raises:
        TypeError: `func` is no function.

    Example:
        >>> import minitensor as tf
        >>> @tf.function
        ... def double(x):
        ...     return 2 * x
        >>> double(4)
        8
    """
    if func is None:
        return functools.partial(function, input_signature=input_signature)
    if not callable(func):
        raise TypeError(f"function: got {func!r}, which cannot be called")

    recorded = needs_graph(func)

    @functools.wraps(func)
    def run(*args: Any, **kwargs: Any) -> Any:
        with Graph() if recorded else nullcontext():
            return func(*args, **kwargs)

    run.python_function = func  # type: ignore[attr-defined]
    run.input_signature = input_signature  # type: ignore[attr-defined]
    run.get_concrete_function = lambda *args, **kwargs: run  # type: ignore[attr-defined]
    return run


def py_function(func: Any = None, inp: Any = None, Tout: Any = None, name: Any = None) -> Any:
    """func of tensors, as tensors of the types that are named; with Tout alone, a decorator.

    Args:
        func: gets a tensor for each of `inp`; None for a decorator.
        inp: a list of what becomes tensors.
        Tout: an element type, or a list of them for a function of several results; or TensorSpecs.

    Returns:
        A tensor, or a list of them.

    Raises:
        TypeError: a result is of another type; `Tout` or `inp` is missing.
        ValueError: there are more or fewer results than types.

    Example:
        >>> import minitensor as tf
        >>> tf.py_function(lambda x: x * 2, [3], tf.int32).numpy()
        np.int32(6)
    """
    if _decorates("py_function", func, inp, Tout):
        return functools.partial(_decorated, py_function, Tout)
    found = func(*map(as_tensor, inp))
    return _results(found, Tout, lambda value, kind: as_tensor(value, kind, "py_function: result"))


def numpy_function(
    func: Any = None, inp: Any = None, Tout: Any = None, stateful: bool = True, name: Any = None
) -> Any:
    """func of NumPy arrays, as tensors of the types that are named; with Tout alone, a decorator.

    Args:
        func: gets a NumPy array for each of `inp`, a scalar where there are no axes; text as bytes.
        inp, Tout: as in py_function.
        stateful: ignored.

    Returns:
        A tensor, or a list of them.

    Raises:
        TypeError: a result is of another type; `Tout` or `inp` is missing.
        ValueError: there are more or fewer results than types.

    Example:
        >>> import minitensor as tf
        >>> tf.numpy_function(lambda path: path.decode()[-3:], ["cat.jpg"], tf.string).numpy()
        b'jpg'
    """

    if _decorates("numpy_function", func, inp, Tout):
        return functools.partial(_decorated, numpy_function, Tout)

    def exact(value: Any, kind: Any) -> Any:
        result = as_tensor(value if isinstance(value, ArrayLike) else _as_numpy(value))
        if result.dtype != kind:
            raise TypeError(
                f"numpy_function: a result is {result.dtype.name}, but expects {kind.name}"
            )
        return result

    return _results(func(*(as_tensor(value).numpy() for value in inp)), Tout, exact)


def _decorates(op: str, func: Any, inp: Any, types: Any) -> bool:
    """Whether `op` was given types alone, to decorate a function."""
    if types is None:
        raise TypeError(f"Missing required argument: 'Tout'. As a decorator: @tf.{op}(Tout=...)")
    if (func is None) != (inp is None):
        raise TypeError(f"{op}: func and inp come together, or neither does, for a decorator")
    return func is None


def _decorated(op: Callable[..., Any], types: Any, func: Callable[..., Any]) -> Any:
    @functools.wraps(func)
    def run(*args: Any) -> Any:
        return op(func, args, types)

    return run


def _as_numpy(value: Any) -> Any:
    return value if isinstance(value, str | bytes) else np.asarray(value)


def _results(found: Any, types: Any, convert: Callable[[Any, Any], Any]) -> Any:
    """What a function gave, one value for each type."""
    several = isinstance(types, list | tuple)
    kinds = [element_type(getattr(t, "dtype", t)) for t in (types if several else [types])]
    values = list(found) if isinstance(found, list | tuple) else [found]
    values = [] if found is None else values
    if len(values) != len(kinds):
        raise ValueError(f"the function returns {len(values)} values, but Tout has {len(kinds)}")
    results = [convert(value, kind) for value, kind in zip(values, kinds, strict=True)]
    return results if several else results[0]


def print(*inputs: Any, **kwargs: Any) -> None:
    """Prints values as tensors' numbers, on stderr unless told otherwise.

    Args:
        *inputs: tensors, text, or anything.
        **kwargs: output_stream (default sys.stderr), sep (" "), end; summarize and name are
            ignored.

    Raises:
        TypeError: another keyword.

    Example:
        >>> import minitensor as tf
        >>> import sys
        >>> tf.print("loss", 0.5, output_stream=sys.stdout)
        loss 0.5
    """
    stream = kwargs.pop("output_stream", sys.stderr)
    sep, end = kwargs.pop("sep", " "), kwargs.pop("end", "\n")
    kwargs.pop("summarize", None), kwargs.pop("name", None)
    if kwargs:
        raise TypeError(f"print: got unexpected keywords {sorted(kwargs)}")
    words = (str(x.numpy()) if isinstance(x, ArrayLike) else str(x) for x in inputs)
    stream.write(sep.join(words) + end)


class name_scope:  # noqa: N801  TensorFlow's name
    """Inside the block names of variables begin with this one's.

    Args:
        name: one that ends with "/" is taken as it is, whatever block is around.

    Example:
        >>> import minitensor as tf
        >>> with tf.name_scope("encoder"):
        ...     w = tf.Variable(0.0, name="w")
        >>> w.name
        'encoder/w:0'

    Source: tf.name_scope
    """

    def __init__(self, name: str) -> None:
        if not isinstance(name, str):
            raise ValueError(f"name_scope: name must be a text, got {name!r}")
        self._name = name
        self._before: list[Token[str]] = []

    @property
    def name(self) -> str:
        """As it was given."""
        return self._name

    def __enter__(self) -> str:
        around = "" if self._name.endswith("/") or not self._name else scope.get()
        inside = f"{around}{self._name.rstrip('/')}/" if self._name else ""
        self._before.append(scope.set(inside))
        return inside

    def __exit__(self, *problem: Any) -> None:
        scope.reset(self._before.pop())


@example("executing_eagerly()", "True")
def executing_eagerly() -> bool:
    """True: there are no graphs here."""
    return True


def timestamp(name: str | None = None) -> Tensor:
    """Seconds since 1970, float64.

    Example:
        >>> import minitensor as tf
        >>> float(tf.timestamp()) > 1.7e9
        True
    """
    return as_tensor(np.float64(time.time()))


def group(*inputs: Any, **kwargs: Any) -> None:
    """Nothing: what came has been computed already.

    Args:
        inputs: results of functions, as TensorFlow 1's programs group them.
        kwargs: name, ignored.

    Example:
        >>> import minitensor as tf
        >>> tf.group(tf.constant(1), tf.constant(2)) is None
        True

    Source: tf.group
    """
