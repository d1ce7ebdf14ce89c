"""How one convolution is cut into blocks of output positions that fit the cache and the workspace.

A block is some whole images, or some output rows of one image. A window that sees only some rows
is again a window, with other pads (negative where it starts inside the image), so whoever works
on a block needs no special case.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from minitensor.backend.numpy.threads import Result, parallel_products, workers
from minitensor.backend.settings import workspace_limit
from minitensor.window import Pair, Window, extent

COLUMN_BYTES = 2**21  # columns of one block: few enough for the cache, enough to be worth a call
FEWEST_POSITIONS = 256  # but as many rows as a matrix product needs to run at full speed
SHARED_WORK = 3 * 10**7  # multiply-adds below which a second thread costs more than it brings
SLOWNESS = 20  # multiply-adds of a matrix product that take as long as one number by itself
SHARES = 4  # pieces to each thread, at most: who is held up takes fewer
PIECE = 6 * 10**7  # multiply-adds of one, at least: to take the next waits for the interpreter


class Block(NamedTuple):
    """Some images, some output rows, and the window that sees just these rows."""

    images: slice
    rows: slice
    window: Window


def over_blocks(
    work: Callable[[Sequence[Block]], Result],
    images: int,
    channels: int,
    itemsize: int,
    window: Window,
    multiply_adds: int,
    whole_images: bool = False,
) -> list[Result]:
    """What `work` gives for each share of the blocks of one convolution; threads share them.

    Where `work` adds to the image, neighbouring rows meet: `whole_images` keeps all rows of an
    image in one share, in order.
    """
    num_threads = num_threads_for(multiply_adds)
    blocks = make_blocks(images, channels, itemsize, window, num_threads)
    share = partition_images if whole_images else partition
    return parallel_products(work, share(blocks, SHARES * num_threads), num_threads)


def num_threads_for(multiply_adds: int) -> int:
    """How many threads should share so much work."""
    return workers() if multiply_adds >= SHARED_WORK else 1


def pieces_for(multiply_adds: int, num_threads: int) -> int:
    """Into how many pieces so much work is cut for so many threads: as many to each."""
    return num_threads * max(min(multiply_adds // (PIECE * num_threads), SHARES), 1)


def make_blocks(
    images: int, channels: int, itemsize: int, window: Window, num_threads: int
) -> list[Block]:
    """Blocks of about one size, in order of image and row; enough for all threads.

    Args:
        images: N.
        channels: C, all groups together.
        itemsize: bytes of one number.
        window: the window of the whole image.
        num_threads: how many blocks are worked on at once; together they take at most half of the
            workspace limit, the rest is for what is made of them.
    """
    h, w = window.out
    row = w * window.taps * channels * itemsize  # columns of one output row
    # One padded row of the image, where it is padded.
    pixels = 0 if window.is_sparse else window.padded[1] * channels * itemsize
    overlap = extent(window.kernel[0], window.dilation[0]) - window.stride[0]  # rows
    room = workspace_limit() // (2 * num_threads) - overlap * pixels
    wanted = max(COLUMN_BYTES // row, -(-FEWEST_POSITIONS // w))
    rows = max(min(wanted, room // (row + window.stride[0] * pixels)), 1)
    if num_threads == 1 and rows >= images * h:
        return [Block(slice(0, images), slice(0, h), window)]
    step = _even(h, min(rows, -(-images * h // num_threads)))
    count = _even(images, min(max(rows // h, 1), -(-images // num_threads)))
    return [
        Block(slice(i, i + count), slice(r, r + step), see_rows(window, r, min(r + step, h)))
        for i in range(0, images, count)
        for r in range(0, h, step)
    ]


def partition(blocks: Sequence[Block], shares: int) -> list[Sequence[Block]]:
    """The blocks in at most so many shares, the same way every time."""
    return [blocks[share::shares] for share in range(min(shares, len(blocks)))]


def partition_images(blocks: Sequence[Block], shares: int) -> list[Sequence[Block]]:
    """The same, but all rows of an image are in one share, in order."""
    count = blocks[0].images.stop
    parts = [[b for b in blocks if b.images.start // count % shares == i] for i in range(shares)]
    return [share for share in parts if share]


def backwards(window: Window) -> Window:
    """The stride-1 window over (h, w) whose output positions are the pixels of `window`."""

    def pad(axis: int) -> Pair:
        span = extent(window.kernel[axis], window.dilation[axis]) - 1
        before = span - window.pad[axis][0]
        return before, window.size[axis] - window.out[axis] - before + span

    return replace(window, size=window.out, pad=(pad(0), pad(1)))


def _even(whole: int, part: int) -> int:
    """The smallest part that cuts `whole` into no more pieces than `part` does."""
    return -(-whole // -(-whole // part))


def see_rows(window: Window, first: int, end: int) -> Window:
    """The window that visits only output rows first ... end - 1 of the same image."""
    top = window.pad[0][0] - first * window.stride[0]
    rows = (end - first - 1) * window.stride[0] + extent(window.kernel[0], window.dilation[0])
    return replace(window, pad=((top, rows - window.size[0] - top), window.pad[1]))
