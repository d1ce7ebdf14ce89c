"""Products of matrices: matmul, einsum, tensordot.

Stacks of matrices broadcast in matmul. Every derivative is again a product, with the cotangent in
place of one factor. Half precision is summed in float32.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minitensor.autograd import Tensor, align, primitive, to_device_of
from minitensor.backend.errors import InvalidArgumentError
from minitensor.backend.half import in_float32
from minitensor.backend.protocol import Backend
from minitensor.ops import array
from minitensor.ops.elementwise import check_broadcast, unbroadcast

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"  # of einsum

# ----- matmul -----


@primitive
@in_float32
def _product(be: Backend, a: Any, b: Any) -> Any:
    return be.matmul(a, b)


_product.defvjp(
    lambda g, y, a, b: unbroadcast(_product(g, swapped(b)), a.shape),
    lambda g, y, a, b: unbroadcast(_product(swapped(a), g), b.shape),
)


def swapped(x: Tensor) -> Tensor:
    """The matrices of a stack, transposed."""
    return array.transpose(x, axes=(*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))


def matmul(a: Any, b: Any) -> Tensor:
    """y[..., i, j] = sum over k of a[..., i, k] b[..., k, j]; the axes in front broadcast.

    Raises:
        ValueError: fewer than two axes, or the inner sizes differ, or the stacks do not broadcast.
    """
    a, b = align("matmul", a=a, b=b)
    if a.ndim < 2 or b.ndim < 2:
        raise InvalidArgumentError(
            f"matmul: shapes {a.shape!s} and {b.shape!s}; both need 2 axes or more"
        )
    if a.shape[-1] != b.shape[-2]:
        raise InvalidArgumentError(
            f"matmul: shapes {a.shape!s} and {b.shape!s}; columns of a ({a.shape[-1]}) must equal "
            f"rows of b ({b.shape[-2]})"
        )
    check_broadcast("matmul: stacks of", a.shape[:-2], b.shape[:-2])
    return _product(a, b)


@primitive
def weighed(be: Backend, weights: Any, x: Any) -> Any:
    """weights @ x for x (N, rows, columns), but 0 times NaN is 0: what has no weight is not met."""
    y = be.matmul(weights, x)
    if not be.xp.isfinite(x).all():
        for i in range(len(weights)):
            met = weights[i] != 0
            y[:, i] = be.xp.tensordot(weights[i][met], x[:, met], (0, 1))
    return y


weighed.defvjp(None, lambda g, y, weights, x: weighed(swapped(weights), g))


def tensordot(a: Any, b: Any, *, axes: tuple[tuple[int, ...], tuple[int, ...]]) -> Tensor:
    """The sum over pairs of axes, axes[0] of a with axes[1] of b; the other axes remain.

    Raises:
        ValueError: two axes of a pair have different sizes.
    """
    a, b = align("tensordot", a=a, b=b)
    summed_a, summed_b = ([k % x.ndim for k in ks] for x, ks in zip((a, b), axes, strict=True))
    sizes = [a.shape[k] for k in summed_a], [b.shape[k] for k in summed_b]
    if sizes[0] != sizes[1]:
        raise InvalidArgumentError(
            f"tensordot: axes {axes[0]} of a {a.shape!s} and {axes[1]} of b {b.shape!s} are summed "
            f"in pairs; their sizes {sizes[0]} and {sizes[1]} must be equal"
        )
    free_a = [k for k in range(a.ndim) if k not in summed_a]
    free_b = [k for k in range(b.ndim) if k not in summed_b]
    n = math.prod(sizes[0])
    rows, columns = [a.shape[k] for k in free_a], [b.shape[k] for k in free_b]
    left = array.reshape(
        array.transpose(a, axes=(*free_a, *summed_a)), shape=(math.prod(rows), n)
    )  # (rows, n)
    right = array.reshape(
        array.transpose(b, axes=(*summed_b, *free_b)), shape=(n, math.prod(columns))
    )  # (n, columns)
    return array.reshape(_product(left, right), shape=(*rows, *columns))


# ----- einsum -----


@primitive
@in_float32
def _contract(be: Backend, *xs: Any, terms: tuple[str, ...], output: str) -> Any:
    """The sum over all letters that `output` lacks; one term of letters per array."""
    equation = f"{','.join(terms)}->{output}"
    return be.xp.einsum(equation, *xs, optimize=len(xs) > 1)


def _contract_gradient(
    i: int, g: Tensor, y: Tensor, *xs: Tensor, terms: tuple[str, ...], output: str
) -> Tensor:
    """The same contraction with g in place of x_i, and the letters of x_i as the output."""
    x, letters = xs[i], terms[i]
    factors = [(g, output), *((xs[j], terms[j]) for j in range(len(xs)) if j != i)]
    target = ""
    for letter in letters:  # a diagonal, as in "ii->i", is put back by an identity matrix
        other = letter
        if letter in target:
            other = _fresh("".join(terms) + target)
            eye = np.eye(x.shape[letters.index(letter)], dtype=g.dtype)
            factors.append((to_device_of(eye, g), letter + other))
        target += other
    present = "".join(term for _, term in factors)
    alone = [k for k, letter in enumerate(target) if letter not in present]
    if alone:  # summed within x_i only: g is repeated along it
        ones = np.ones([x.shape[k] for k in alone], dtype=g.dtype)
        factors.append((to_device_of(ones, g), "".join(target[k] for k in alone)))
    tensors, names = zip(*factors, strict=True)
    return unbroadcast(_contract(*tensors, terms=names, output=target), x.shape)


_contract.defvjp_each(_contract_gradient)


def einsum(*xs: Any, equation: str) -> Tensor:
    """The sum of products that `equation` names, such as "ij,jk->ik"; "..." broadcasts.

    Raises:
        ValueError: the equation is malformed, or does not fit the shapes.
    """
    tensors = align("einsum", **{f"inputs[{k}]": x for k, x in enumerate(xs)})
    terms, output = _parse(equation, [x.ndim for x in tensors])
    sizes: dict[str, int] = {}
    for x, term in zip(tensors, terms, strict=True):
        for letter, size in zip(term, x.shape, strict=True):
            known = sizes.setdefault(letter, size)
            if letter in equation and known != size:
                raise InvalidArgumentError(
                    f"einsum: in {equation!r} {letter} is both {known} and {size}"
                )
    return _contract(*tensors, terms=terms, output=output)


def _parse(equation: str, ranks: list[int]) -> tuple[tuple[str, ...], str]:
    """The terms and the output, with letters in place of dots."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(ranks):
        raise InvalidArgumentError(
            f"einsum: {equation!r} has {len(terms)} terms for {len(ranks)} inputs"
        )
    named = [term.replace("...", "") for term in terms]
    if not set("".join((*named, right.replace("...", "")))) <= set(LETTERS):
        raise InvalidArgumentError(
            f"einsum: {equation!r} may hold letters, commas, '...' and one '->'"
        )
    spare = [rank - len(name) for rank, name in zip(ranks, named, strict=True)]
    for term, rank, extra in zip(terms, ranks, spare, strict=True):
        if extra < 0 or (extra and "..." not in term):
            raise InvalidArgumentError(
                f"einsum: {term!r} in {equation!r} does not fit a tensor of rank {rank}"
            )
    dots = ""
    for _ in range(max(spare)):
        dots += _fresh(equation + dots)
    full = tuple(
        term.replace("...", dots[len(dots) - n :]) for term, n in zip(terms, spare, strict=True)
    )
    if not arrow:
        letters = "".join(named)
        right = "..." + "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    output = right.replace("...", dots)
    if len(set(output)) < len(output) or not set(dots) <= set(output) <= set("".join(full)):
        raise InvalidArgumentError(
            f"einsum: the output of {equation!r} must name input letters, once each"
        )
    return full, output


def _fresh(used: str) -> str:
    """A letter that is not among `used`."""
    return next(letter for letter in LETTERS if letter not in used)
