"""Vector registers for kernels written in Python: a `Tile` of sums.

Each function here has two forms. The plain one, NumPy on arrays, is what it means, and what runs
where numba is switched off (NUMBA_DISABLE_JIT=1): a kernel can then be stepped through line by
line. The lowered one is the few machine instructions that numba puts in its place. A tile of
ROWS x COLUMNS registers never leaves the processor's registers between `zeros` and `put`.

Arrays are flat and contiguous; an index is a number of elements from their start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from llvmlite import binding, ir
from numba.core import cgutils, types
from numba.extending import (
    lower_builtin,
    models,
    register_model,
    type_callable,
)

from minitensor.backend.numpy.compiled.cook_toom import TABLES

_CPU = binding.get_host_cpu_features()
REGISTER_BYTES = 64 if _CPU.get("avx512f") else 32 if _CPU.get("avx") else 16
# A tile has at most so many registers, a row's factor and a row of factors beside them: 24 + 1 + 4
# of 32 registers, or 12 + 1 + 2 of the 16 that x86 has without AVX-512. Six rows are as many
# addresses as stay in registers too. Kernels learn the height of a tile from a tuple's length.
ROWS = 6
COLUMNS = 2 if REGISTER_BYTES == 32 else 4
HIGH = tuple(range(ROWS))


def lanes(dtype: Any) -> int:
    """How many numbers of a dtype one register holds."""
    return int(REGISTER_BYTES // np.dtype(dtype).itemsize)


class Tile(types.Type):
    """rows x columns registers of sums; numba's type of what `zeros` makes."""

    def __init__(self, rows: int, columns: int, number: Any) -> None:
        self.rows, self.columns, self.number = rows, columns, number
        self.lanes = REGISTER_BYTES * 8 // number.bitwidth
        super().__init__(name=f"Tile({rows}, {columns}, {number})")


def _vector(kind: Any) -> ir.VectorType:
    return ir.VectorType(
        ir.FloatType() if kind.number.bitwidth == 32 else ir.DoubleType(), kind.lanes
    )


@register_model(Tile)
class _TileModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Tile) -> None:
        super().__init__(manager, kind, ir.ArrayType(_vector(kind), kind.rows * kind.columns))


class _Emitter:
    """Writes the instructions of one call: its arguments' types and values by name."""

    def __init__(self, context: Any, builder: Any, signature: Any, values: Any) -> None:
        self.context, self.builder, self.signature = context, builder, signature
        self.kinds, self.values = signature.args, values

    def index(self, n: int) -> Any:
        """Argument n, an integer, with the width of a pointer."""
        return self.context.cast(self.builder, self.values[n], self.kinds[n], types.intp)

    def pointer(self, n: int, *offsets: Any) -> Any:
        """The address in array n of the element at the sum of `offsets`."""
        array = self.context.make_array(self.kinds[n])(self.context, self.builder, self.values[n])
        where = array.data
        for offset in offsets:
            where = self.builder.gep(where, [offset])
        return where

    def constant(self, n: int) -> Any:
        return ir.Constant(ir.IntType(64), n)

    def load(self, where: Any, vector: Any) -> Any:
        align = vector.element.get_abi_alignment(self.context.target_data)
        return self.builder.load(self.builder.bitcast(where, vector.as_pointer()), align=align)

    def store(self, value: Any, where: Any) -> None:
        align = value.type.element.get_abi_alignment(self.context.target_data)
        self.builder.store(value, self.builder.bitcast(where, value.type.as_pointer()), align=align)

    def spread(self, number: Any, lanes: int) -> Any:
        """A register with one number in each lane."""
        empty = ir.Constant(ir.VectorType(number.type, lanes), ir.Undefined)
        one = self.builder.insert_element(empty, number, ir.Constant(ir.IntType(32), 0))
        everywhere = ir.Constant(ir.VectorType(ir.IntType(32), lanes), None)
        return self.builder.shuffle_vector(one, empty, everywhere)

    def call(self, name: str, result: Any, *values: Any) -> Any:
        """One of LLVM's own functions."""
        kind = ir.FunctionType(result, [value.type for value in values])
        function = cgutils.get_or_insert_function(self.builder.module, kind, name)
        return self.builder.call(function, values)

    def multiply_add(self, a: Any, b: Any, total: Any) -> Any:
        """a * b + total, rounded once where the processor can."""
        return self.call(f"llvm.fmuladd.{_suffix(total.type)}", total.type, a, b, total)

    def below(self, count: Any, lanes: int) -> Any:
        """A mask: the lanes whose number is less than count."""
        short, most = ir.IntType(32), self.constant(lanes)  # what is more fits no short number
        count = self.builder.select(self.builder.icmp_signed("<", count, most), count, most)
        numbers = ir.Constant(ir.VectorType(short, lanes), list(range(lanes)))
        count = self.spread(self.builder.trunc(count, short), lanes)
        return self.builder.icmp_signed("<", numbers, count)

    def unless_outside(self, row: Any, count: Any) -> Any:
        """count, or 0 where the row's place is negative."""
        outside = self.builder.icmp_signed("<", row, self.constant(0))
        return self.builder.select(outside, self.constant(0), count)

    def store_head(self, value: Any, where: Any, count: Any) -> None:
        """The first `count` lanes, none of the others' memory being touched."""
        vector, mask = value.type, self.below(count, value.type.count)
        where = self.builder.bitcast(where, vector.as_pointer())
        align = ir.Constant(ir.IntType(32), 4)
        name = f"llvm.masked.store.{_suffix(vector)}.p0{_suffix(vector)}"
        self.call(name, ir.VoidType(), value, where, align, mask)

    def load_head(self, where: Any, vector: Any, count: Any) -> Any:
        """The first `count` lanes, and zeros."""
        mask = self.below(count, vector.count)
        where = self.builder.bitcast(where, vector.as_pointer())
        align, zeros = ir.Constant(ir.IntType(32), 4), ir.Constant(vector, None)
        name = f"llvm.masked.load.{_suffix(vector)}.p0{_suffix(vector)}"
        return self.call(name, vector, where, align, mask, zeros)

    def nothing(self) -> Any:
        return self.context.get_dummy_value()


def _suffix(vector: Any) -> str:
    return f"v{vector.count}f{32 if isinstance(vector.element, ir.FloatType) else 64}"


def _lowered(plain: Callable[..., Any], result: Callable[..., Any]) -> Any:
    """Decorates the emitter of `plain`'s instructions; result(*types) is the type it gives."""
    type_callable(plain)(lambda context: result)
    kinds = (types.Any,) * plain.__code__.co_argcount

    def decorate(emit: Callable[[_Emitter], Any]) -> Any:
        lower_builtin(plain, *kinds)(lambda *call: emit(_Emitter(*call)))
        return emit

    return decorate


# ----- tiles -----


class Shelf(types.Type):
    """Room for so many tiles beside the registers, on the machine's stack."""

    def __init__(self, count: int, tile: Tile) -> None:
        self.count, self.tile = count, tile
        super().__init__(name=f"Shelf({count}, {tile})")


@register_model(Shelf)
class _ShelfModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Shelf) -> None:
        super().__init__(manager, kind, manager[kind.tile].get_value_type().as_pointer())


def shelf(levels: tuple[int, ...], tile: np.ndarray) -> list[np.ndarray]:
    """Room for so many tiles like this one."""
    return [tile] * len(levels)


@_lowered(shelf, lambda levels, tile: Shelf(levels.count, tile))
def _(m: _Emitter) -> Any:
    kind = m.signature.return_type
    with m.builder.goto_entry_block():  # once for all calls in a loop
        return m.builder.alloca(m.context.get_value_type(kind.tile), size=kind.count)


def shelve(room: list[np.ndarray], level: int, tile: np.ndarray) -> None:
    """room[level] = tile."""
    room[level] = tile


@_lowered(shelve, lambda room, level, tile: types.void)
def _(m: _Emitter) -> Any:
    where, tile = m.builder.gep(m.values[0], [m.index(1)]), m.values[2]
    for at in range(len(tile.type)):
        m.store(m.builder.extract_value(tile, at), cgutils.gep_inbounds(m.builder, where, 0, at))
    return m.nothing()


def joined(tile: np.ndarray, room: list[np.ndarray], level: int) -> np.ndarray:
    """tile + room[level]."""
    total: np.ndarray = tile + room[level]
    return total


@_lowered(joined, lambda tile, room, level: tile)
def _(m: _Emitter) -> Any:
    where, tile = m.builder.gep(m.values[1], [m.index(2)]), m.values[0]
    for at in range(len(tile.type)):
        number = m.builder.extract_value(tile, at)
        other = m.load(cgutils.gep_inbounds(m.builder, where, 0, at), number.type)
        tile = m.builder.insert_value(tile, m.builder.fadd(number, other), at)
    return tile


def zeros(rows: tuple[int, ...], registers: tuple[int, ...], like: np.ndarray) -> np.ndarray:
    """Sums of 0, of an array's dtype: a row for each of `rows`, of a register for each of those."""
    return np.zeros((len(rows), len(registers) * lanes(like.dtype)), like.dtype)


@_lowered(zeros, lambda rows, registers, like: Tile(rows.count, registers.count, like.dtype))
def _(m: _Emitter) -> Any:
    return ir.Constant(m.context.get_value_type(m.signature.return_type), None)


def places(table: np.ndarray, first: int, offset: int, rows: tuple[int, ...]) -> tuple[int, ...]:
    """table[first], table[first + 1], ... each + offset: where the rows of a tile lie."""
    return tuple(int(place) + offset for place in table[first : first + len(rows)])


@_lowered(places, lambda table, first, offset, rows: types.UniTuple(types.intp, rows.count))
def _(m: _Emitter) -> Any:
    many, offset = m.signature.return_type.count, m.index(2)
    out = ir.Constant(ir.ArrayType(ir.IntType(64), many), ir.Undefined)
    for row in range(many):
        place = m.builder.load(m.pointer(0, m.index(1), m.constant(row)))
        out = m.builder.insert_value(out, m.builder.add(offset, place), row)
    return out


def in_line(first: int, step: int, rows: tuple[int, ...]) -> tuple[int, ...]:
    """first, first + step, ...: rows that lie at equal distances."""
    return tuple(first + step * row for row in range(len(rows)))


@_lowered(in_line, lambda first, step, rows: types.UniTuple(types.intp, rows.count))
def _(m: _Emitter) -> Any:
    many, place = m.signature.return_type.count, m.index(0)
    out = ir.Constant(ir.ArrayType(ir.IntType(64), many), ir.Undefined)
    for row in range(many):
        out = m.builder.insert_value(out, place, row)
        place = m.builder.add(place, m.index(1))
    return out


def outer(
    sums: np.ndarray, x: np.ndarray, rows: tuple[int, ...], c: int, w: np.ndarray, b: int
) -> np.ndarray:
    """sums + (x at rows + c, as a column) times (w from b on, as a row)."""
    return sums + np.outer(x[np.add(rows, c)], w[b : b + sums.shape[1]])


@_lowered(outer, lambda sums, x, rows, c, w, b: sums)
def _(m: _Emitter) -> Any:
    kind, (sums, rows) = m.kinds[0], (m.values[0], m.values[2])
    start = m.pointer(4, m.index(5))
    across = [
        m.load(m.builder.gep(start, [m.constant(v * kind.lanes)]), _vector(kind))
        for v in range(kind.columns)
    ]
    for p in range(kind.rows):
        number = m.builder.load(m.pointer(1, m.index(3), m.builder.extract_value(rows, p)))
        factor = m.spread(number, kind.lanes)
        for v in range(kind.columns):
            at = p * kind.columns + v
            total = m.multiply_add(factor, across[v], m.builder.extract_value(sums, at))
            sums = m.builder.insert_value(sums, total, at)
    return sums


def fetch(registers: tuple[int, ...], w: np.ndarray, b: int) -> None:
    """Say that the row of w from b on will be read soon, so that it is brought from memory."""


@_lowered(fetch, lambda registers, w, b: types.void)
def _(m: _Emitter) -> Any:
    lane, short = lanes(f"f{m.kinds[1].dtype.bitwidth // 8}"), ir.IntType(32)
    start = m.pointer(1, m.index(2))
    for v in range(m.kinds[0].count):
        line = m.builder.gep(start, [m.constant(v * lane)])
        line = m.builder.bitcast(line, ir.IntType(8).as_pointer())
        m.call("llvm.prefetch.p0i8", ir.VoidType(), line, *map(short, (0, 3, 1)))
    return m.nothing()


def multiply(
    sums: np.ndarray, x: np.ndarray, rows: tuple[int, ...], c: int, w: np.ndarray, b: int
) -> np.ndarray:
    """sums + (x from rows + c on, a row for each) times (w from b on), number by number."""
    width = sums.shape[1]
    pixels: np.ndarray = np.stack([x[row + c : row + c + width] for row in rows])
    y: np.ndarray = sums + pixels * w[b : b + width]
    return y


@_lowered(multiply, lambda sums, x, rows, c, w, b: sums)
def _(m: _Emitter) -> Any:
    return _multiplied(m, lambda where, v: m.load(where, _vector(m.kinds[0])))


def _multiplied(m: _Emitter, load: Callable[[Any, int], Any]) -> Any:
    """`multiply`, where load(address, number in its row) gives a register."""
    kind, (sums, rows) = m.kinds[0], (m.values[0], m.values[2])
    steps = [m.constant(v * kind.lanes) for v in range(kind.columns)]
    start = m.pointer(4, m.index(5))
    factors = [load(m.builder.gep(start, [step]), v) for v, step in enumerate(steps)]
    for p in range(kind.rows):
        row = m.pointer(1, m.index(3), m.builder.extract_value(rows, p))
        for v, step in enumerate(steps):
            at = p * kind.columns + v
            pixel = load(m.builder.gep(row, [step]), v)
            total = m.multiply_add(pixel, factors[v], m.builder.extract_value(sums, at))
            sums = m.builder.insert_value(sums, total, at)
    return sums


def multiply_head(
    sums: np.ndarray,
    x: np.ndarray,
    rows: tuple[int, ...],
    c: int,
    w: np.ndarray,
    b: int,
    count: int,
) -> np.ndarray:
    """The same of the first `count` numbers of each row."""
    sums = sums.copy()
    for row, total in zip(rows, sums, strict=True):
        total[:count] += x[row + c : row + c + count] * w[b : b + count]
    return sums


@_lowered(multiply_head, lambda sums, x, rows, c, w, b, count: sums)
def _(m: _Emitter) -> Any:
    kind = m.kinds[0]

    def load(where: Any, v: int) -> Any:
        left = m.builder.sub(m.index(6), m.constant(v * kind.lanes))
        return m.load_head(where, _vector(kind), left)

    return _multiplied(m, load)


def slide(
    sums: np.ndarray,
    x: np.ndarray,
    a: int,
    step: int,
    taps: tuple[int, ...],
    stride: tuple[int, ...],
    w: np.ndarray,
    b: int,
    wide: int,
) -> np.ndarray:
    """sums + a row of windows, as long as `taps` and len(stride) pixels apart, times w.

    Row p is the sum over taps t of (x at pixel p * len(stride) + t) times (w from b + t * wide on);
    pixel k is from a + k * step on. Each is loaded once.
    """
    width = sums.shape[1]
    for t in range(len(taps)):
        pixels = [a + (p * len(stride) + t) * step for p in range(len(sums))]
        sums = multiply(sums, x, tuple(pixels), 0, w[b + t * wide : b + t * wide + width], 0)
    return sums


@_lowered(slide, lambda sums, x, a, step, taps, stride, w, b, wide: sums)
def _(m: _Emitter) -> Any:
    kind, sums, (taps, stride) = m.kinds[0], m.values[0], (m.kinds[4].count, m.kinds[5].count)

    def loaded(array: int, first: int, step: int, count: int) -> list[Any]:
        found, where = [], m.pointer(array, m.index(first), m.constant(v * kind.lanes))
        for _ in range(count):
            found.append(m.load(where, _vector(kind)))
            where = m.builder.gep(where, [m.index(step)])
        return found

    for v in range(kind.columns):
        pixels = loaded(1, 2, 3, (kind.rows - 1) * stride + taps)
        for t, factor in enumerate(loaded(6, 7, 8, taps)):
            for p in range(kind.rows):
                at = p * kind.columns + v
                total = m.builder.extract_value(sums, at)
                total = m.multiply_add(pixels[p * stride + t], factor, total)
                sums = m.builder.insert_value(sums, total, at)
    return sums


def take(registers: tuple[int, ...], x: np.ndarray, rows: tuple[int, ...], b: int) -> np.ndarray:
    """x from rows + b on: in each row, one register for each of `registers`."""
    width = len(registers) * lanes(x.dtype)
    return np.stack([x[row + b : row + b + width] for row in rows])


@_lowered(take, lambda registers, x, rows, b: Tile(rows.count, registers.count, x.dtype))
def _(m: _Emitter) -> Any:
    return _taken(m, lambda where, row, step: m.load(where, _vector(m.signature.return_type)))


def take_head(
    registers: tuple[int, ...], x: np.ndarray, rows: tuple[int, ...], b: int, count: int
) -> np.ndarray:
    """The same of the first `count` numbers of each row, and zeros; of a row < 0, zeros."""
    sums = np.zeros((len(rows), len(registers) * lanes(x.dtype)), x.dtype)
    count = max(min(count, sums.shape[1]), 0)
    for row, total in zip(rows, sums, strict=True):
        if row >= 0:
            total[:count] = x[row + b : row + b + count]
    return sums


@_lowered(
    take_head, lambda registers, x, rows, b, count: Tile(rows.count, registers.count, x.dtype)
)
def _(m: _Emitter) -> Any:
    def load(where: Any, row: Any, step: Any) -> Any:
        left = m.unless_outside(row, m.builder.sub(m.index(4), step))
        return m.load_head(where, _vector(m.signature.return_type), left)

    return _taken(m, load)


def _taken(m: _Emitter, load: Callable[[Any, Any, Any], Any]) -> Any:
    """A tile of what load(address, its row, its place in the row) gives."""
    kind = m.signature.return_type
    sums = ir.Constant(m.context.get_value_type(kind), ir.Undefined)
    for p in range(kind.rows):
        row = m.builder.extract_value(m.values[2], p)
        start = m.pointer(1, m.index(3), row)
        for v in range(kind.columns):
            step = m.constant(v * kind.lanes)
            number = load(m.builder.gep(start, [step]), row, step)
            sums = m.builder.insert_value(sums, number, p * kind.columns + v)
    return sums


def put(y: np.ndarray, rows: tuple[int, ...], b: int, sums: np.ndarray) -> None:
    """y at rows + b = sums."""
    for row, total in zip(rows, sums, strict=True):
        y[row + b : row + b + len(total)] = total


@_lowered(put, lambda y, rows, b, sums: types.void)
def _(m: _Emitter) -> Any:
    for total, where, _ in _stored(m):
        m.store(total, where)
    return m.nothing()


def _stored(m: _Emitter) -> Iterator[tuple[Any, Any, Any]]:
    """Of `put` and its kin: each register of the sums, its address, its place in the row."""
    kind, sums = m.kinds[3], m.values[3]
    for p in range(kind.rows):
        row = m.pointer(0, m.index(2), m.builder.extract_value(m.values[1], p))
        for v in range(kind.columns):
            step = m.constant(v * kind.lanes)
            total = m.builder.extract_value(sums, p * kind.columns + v)
            yield total, m.builder.gep(row, [step]), step


def add(y: np.ndarray, rows: tuple[int, ...], b: int, sums: np.ndarray) -> None:
    """y at rows + b += sums."""
    for row, total in zip(rows, sums, strict=True):
        y[row + b : row + b + len(total)] += total


@_lowered(add, lambda y, rows, b, sums: types.void)
def _(m: _Emitter) -> Any:
    for total, where, _ in _stored(m):
        m.store(m.builder.fadd(m.load(where, total.type), total), where)
    return m.nothing()


def put_head(y: np.ndarray, rows: tuple[int, ...], b: int, sums: np.ndarray, count: int) -> None:
    """The same of the first `count` numbers of each row; of a row < 0, nothing."""
    for row, total in zip(rows, sums, strict=True):
        if row >= 0:
            y[row + b : row + b + min(count, len(total))] = total[:count]


@_lowered(put_head, lambda y, rows, b, sums, count: types.void)
def _(m: _Emitter) -> Any:
    for number, (total, where, step) in enumerate(_stored(m)):
        row = m.builder.extract_value(m.values[1], number // m.kinds[3].columns)
        m.store_head(total, where, m.unless_outside(row, m.builder.sub(m.index(4), step)))
    return m.nothing()


# ----- grids of numbers, one register for each -----


def finite(numbers: np.ndarray) -> bool:
    """Whether no number is infinite or NaN."""
    return bool(np.isfinite(numbers).all())


@_lowered(finite, lambda numbers: types.boolean)
def _(m: _Emitter) -> Any:
    kind = _vector(m.kinds[0])
    zeros = total = ir.Constant(kind, None)
    for p in range(m.kinds[0].rows):  # 0 * infinity is NaN, which every sum keeps
        total = m.multiply_add(zeros, m.builder.extract_value(m.values[0], p), total)
    ordered = m.builder.fcmp_ordered("ord", total, total)
    lanes = ir.IntType(kind.count)
    return m.builder.icmp_signed("==", m.builder.bitcast(ordered, lanes), lanes(-1))


def mix(name: str, numbers: np.ndarray) -> np.ndarray:
    """The grid of numbers between the two matrices of `TABLES` of that name."""
    down, across = (matrix.astype(numbers.dtype) for matrix in TABLES[name])
    grid = numbers.reshape(down.shape[1], across.shape[1], -1)
    mixed: np.ndarray = np.einsum("ia,jb,abv->ijv", down, across, grid)
    return mixed.reshape(-1, grid.shape[-1])


def _mixed_type(name: Any, numbers: Any) -> Any:
    if isinstance(name, types.StringLiteral):
        down, across = TABLES[name.literal_value]
        return Tile(len(down) * len(across), 1, numbers.number)
    return None


@_lowered(mix, _mixed_type)
def _(m: _Emitter) -> Any:
    down, across = TABLES[m.kinds[0].literal_value]
    numbers = [m.builder.extract_value(m.values[1], p) for p in range(m.kinds[1].rows)]
    wide = across.shape[1]
    columns = [_combined(m, down, numbers[b::wide]) for b in range(wide)]
    rows = [_combined(m, across, row) for row in zip(*columns, strict=True)]
    mixed = ir.Constant(m.context.get_value_type(m.signature.return_type), ir.Undefined)
    for p, number in enumerate(n for row in rows for n in row):
        mixed = m.builder.insert_value(mixed, number, p)
    return mixed


def _combined(m: _Emitter, matrix: np.ndarray, numbers: Sequence[Any]) -> list[Any]:
    """The matrix times a column of registers."""
    kind = numbers[0].type
    sums = []
    for row in matrix:
        total = None
        for factor, number in zip(row, numbers, strict=True):
            if factor:
                weight = ir.Constant(kind, [float(factor)] * kind.count)
                if total is None:
                    total = m.builder.fmul(weight, number)
                else:
                    total = m.multiply_add(weight, number, total)
        sums.append(total)
    return sums


def add_lines(
    y: np.ndarray,
    rows: tuple[int, ...],
    step: int,
    sums: np.ndarray,
    line: tuple[int, ...],
    count: int,
) -> None:
    """Each row of sums in parts as long as `line`: y at row, row + step, ... += a part's head."""
    width = len(line) * lanes(sums.dtype)
    for row, total in zip(rows, sums, strict=True):
        for part in range(0, len(total), width):
            start = row + part // width * step
            y[start : start + count] += total[part : part + count]


@_lowered(add_lines, lambda y, rows, step, sums, line, count: types.void)
def _(m: _Emitter) -> Any:
    kind, across = m.kinds[3], m.kinds[4].count
    for p in range(kind.rows):
        row = m.pointer(0, m.builder.extract_value(m.values[1], p))
        for v in range(kind.columns):
            if v and v % across == 0:
                row = m.builder.gep(row, [m.index(2)])
            step = m.constant(v % across * kind.lanes)
            where, left = m.builder.gep(row, [step]), m.builder.sub(m.index(5), step)
            number = m.load_head(where, _vector(kind), left)
            total = m.builder.extract_value(m.values[3], p * kind.columns + v)
            m.store_head(m.builder.fadd(number, total), where, left)
    return m.nothing()
