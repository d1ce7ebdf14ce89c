"""Derivatives along a direction: forward mode, out of the reverse one.

The walk back is linear in the cotangent u it starts with, u -> u J, so its own derivative in u,
along a tangent v, is J v. It costs two walks back, and what was recorded serves for all targets.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from minitensor.autograd import tree
from minitensor.autograd.convert import as_tensor
from minitensor.autograd.recording import active
from minitensor.autograd.tape import GradientTape, UnconnectedGradients
from minitensor.autograd.tensor import ArrayLike, Tensor, is_float
from minitensor.autograd.walk import filled


class ForwardAccumulator:
    """Jacobian-vector products of what is computed in its block: J v = sum_j (d y / d x_j) v_j.

    Args:
        primals: the tensors or variables x, or a nest of them.
        tangents: the directions v, in the same structure, of their shapes and types.

    Raises:
        ValueError: a primal occurs twice; there are more or fewer tangents, or of other shapes.

    Example:
        >>> import minitensor as tf
        >>> x = tf.constant([2.0, 3.0])
        >>> with tf.autodiff.ForwardAccumulator(x, tf.constant([1.0, 10.0])) as forward:
        ...     y = x * x
        >>> forward.jvp(y).numpy()
        array([ 4., 60.], dtype=float32)

    Source: tf.autodiff.ForwardAccumulator
    """

    def __init__(self, primals: Any, tangents: Any) -> None:
        self._primals, given = tree.flatten(primals), tree.flatten(tangents)
        if len({*map(id, self._primals)}) < len(self._primals):
            raise ValueError("ForwardAccumulator: a primal occurs twice; add up its tangents")
        if len(given) != len(self._primals):
            raise ValueError(
                f"ForwardAccumulator: {len(given)} tangents for {len(self._primals)} primals"
            )
        what, pairs = "ForwardAccumulator: a tangent", zip(self._primals, given, strict=True)
        self._tangents = [as_tensor(v, x.dtype, what, x) for x, v in pairs]
        for x, v in zip(self._primals, self._tangents, strict=True):
            if x.shape != v.shape:
                raise ValueError(f"{what} has shape {v.shape!s} but its primal {x.shape!s}")
        self._tape = GradientTape(persistent=True, watch_accessed_variables=False)

    def __enter__(self) -> ForwardAccumulator:
        self._tape.__enter__()
        self._tape.watch(self._primals)
        return self

    def __exit__(self, *error: object) -> None:
        self._tape.__exit__(*error)

    def jvp(
        self,
        primals: Any,
        unconnected_gradients: UnconnectedGradients | str = UnconnectedGradients.NONE,
    ) -> Any:
        """The derivative of tensors along the tangents.

        Args:
            primals: what was computed in the block, or a nest of it.
            unconnected_gradients: "none" or "zero", for what does not depend on the primals.

        Returns:
            The structure of `primals`, each of its tensor's shape.
        """
        unconnected = UnconnectedGradients(unconnected_gradients)
        found = [self._along(y) for y in tree.flatten(primals)]
        if unconnected is UnconnectedGradients.ZERO:
            leaves = zip(tree.flatten(primals), found, strict=True)
            found = [filled(y, 0) if g is None else g for y, g in leaves]
        return tree.pack(primals, found)

    def _along(self, target: ArrayLike) -> Tensor | None:
        if not is_float(target.dtype):
            return None
        cotangent, own = filled(target, 0), self._tape
        aside = own.stop_recording() if own in active.tapes else nullcontext()
        with aside, GradientTape() as linear:
            linear.watch(cotangent)
            pulled = own.gradient(target, self._primals, cotangent)
        pairs = [(g, v) for g, v in zip(pulled, self._tangents, strict=True) if g is not None]
        if not pairs:
            return None
        gradients, tangents = (list(part) for part in zip(*pairs, strict=True))
        along: Tensor | None = linear.gradient(gradients, cotangent, tangents)
        return along  # None of a flat function, such as a sign: its gradient does not depend on u
