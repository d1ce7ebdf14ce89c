"""The integers of every windowed op: SAME, VALID, explicit pads, and what a transpose may produce.

Numbers in tables were computed on paper or printed by TensorFlow; properties are drawn.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitensor.window import (
    Window,
    extent,
    output_size,
    planes,
    real_taps,
    same_pad,
    transposed_sizes,
)

SIZES, TAPS = st.integers(1, 30), st.integers(1, 6)
STRIDES, DILATIONS = st.integers(1, 6), st.integers(1, 4)
PADS = st.tuples(st.integers(0, 5), st.integers(0, 5))


@pytest.mark.parametrize(
    ("size", "taps", "stride", "dilation", "pads", "outputs"),
    [
        (4, 4, 1, 1, (1, 2), 4),  # an odd total: the extra pixel goes after
        (4, 2, 1, 1, (0, 1), 4),
        (4, 3, 2, 1, (0, 1), 2),
        (5, 3, 2, 1, (1, 1), 3),  # the same kernel and stride on an odd image: shifted by one
        (5, 3, 1, 2, (2, 2), 5),
        (7, 1, 3, 1, (0, 0), 3),  # stride > kernel
        (7, 2, 3, 1, (0, 1), 3),
        (6, 1, 5, 1, (0, 0), 2),  # the total would be negative: no padding
        (32, 3, 2, 1, (0, 1), 16),
        (28, 5, 2, 1, (1, 2), 14),
        (224, 7, 2, 1, (2, 3), 112),
        (15, 3, 2, 1, (1, 1), 8),
        (5, 3, 3, 1, (0, 1), 2),
        (5, 1, 3, 1, (0, 0), 2),
        (0, 3, 2, 1, (0, 1), 0),
    ],
)
def test_same_pads_and_outputs_by_hand(size, taps, stride, dilation, pads, outputs):
    if size:
        assert same_pad(size, taps, stride, dilation) == pads
    pad = same_pad(size, taps, stride, dilation)
    assert output_size(size, taps, stride, dilation, pad) == outputs


@pytest.mark.parametrize(
    ("size", "taps", "stride", "dilation", "pad", "outputs"),
    [
        (5, 3, 1, 1, (0, 0), 3),
        (5, 3, 2, 1, (0, 0), 2),
        (6, 3, 2, 1, (0, 0), 2),  # the last pixel fills no window
        (7, 2, 3, 1, (0, 0), 2),  # stride > kernel: pixels between windows are skipped
        (7, 3, 1, 2, (0, 0), 3),
        (5, 3, 1, 1, (1, 1), 5),
        (5, 3, 1, 1, (0, 2), 5),  # lopsided
        (2, 3, 1, 1, (0, 0), 0),
        (2, 9, 1, 1, (0, 0), 0),  # never negative
        (0, 1, 1, 1, (0, 0), 0),
        (0, 2, 1, 1, (1, 1), 1),
    ],
)
def test_outputs_by_hand(size, taps, stride, dilation, pad, outputs):
    assert output_size(size, taps, stride, dilation, pad) == outputs


@given(SIZES, TAPS, STRIDES, DILATIONS)
def test_same_gives_size_over_stride_rounded_up(size, taps, stride, dilation):
    pad = same_pad(size, taps, stride, dilation)
    assert output_size(size, taps, stride, dilation, pad) == -(-size // stride)


@given(SIZES, TAPS, STRIDES, DILATIONS)
def test_same_pads_the_odd_pixel_after(size, taps, stride, dilation):
    before, after = same_pad(size, taps, stride, dilation)
    assert after - before in (0, 1)


@given(SIZES, TAPS, STRIDES, DILATIONS)
def test_same_pads_no_more_than_the_last_window_needs(size, taps, stride, dilation):
    total = sum(same_pad(size, taps, stride, dilation))
    needed = (-(-size // stride) - 1) * stride + extent(taps, dilation)
    assert total == max(needed - size, 0)


@given(SIZES, TAPS, STRIDES, DILATIONS, PADS)
def test_outputs_count_the_starts_that_fit(size, taps, stride, dilation, pad):
    padded, reach = size + sum(pad), extent(taps, dilation)
    starts = [start for start in range(0, padded, stride) if start + reach <= padded]
    assert output_size(size, taps, stride, dilation, pad) == len(starts)


@given(st.integers(0, 30), TAPS, STRIDES, DILATIONS)
def test_transposed_sizes_of_same_are_all_sizes_with_that_many_outputs(n, taps, stride, dilation):
    legal = transposed_sizes(n, taps, stride, dilation, "SAME")
    found = [
        size
        for size in range(legal.stop + 2 * stride)
        if Window.of((size, 1), (taps, 1), (stride, 1), "SAME", (dilation, 1)).out[0] == n
    ]
    assert list(legal) == found


@given(st.integers(0, 30), TAPS, STRIDES, DILATIONS, PADS)
def test_transposed_sizes_of_pads_are_all_sizes_with_that_many_outputs(
    n, taps, stride, dilation, pad
):
    legal = transposed_sizes(n, taps, stride, dilation, pad)
    sizes = range(max(legal.stop, 0) + 2 * stride)
    found = [s for s in sizes if output_size(s, taps, stride, dilation, pad) == n]
    assert list(legal) == found


@pytest.mark.parametrize(
    ("n", "taps", "stride", "dilation", "padding", "legal"),
    [
        (5, 3, 2, 1, "SAME", [9, 10]),
        (3, 3, 2, 1, "VALID", [7, 8]),
        (2, 3, 1, 1, "VALID", [4]),
        (2, 2, 3, 1, "VALID", [5, 6, 7]),
        (3, 3, 1, 2, "VALID", [7]),
        (3, 3, 2, 1, (1, 1), [5, 6]),
        (1, 1, 2, 1, (1, 0), [0, 1]),  # a negative size is no size
        (1, 1, 1, 1, (2, 2), []),  # any image has at least four outputs here
        (0, 3, 2, 1, "SAME", [0]),
        (0, 3, 1, 1, "VALID", [0, 1, 2]),  # no room for three taps
    ],
)
def test_transposed_sizes_by_hand(n, taps, stride, dilation, padding, legal):
    assert list(transposed_sizes(n, taps, stride, dilation, padding)) == legal


def test_one_less_and_one_more_than_a_transposed_size_has_other_outputs():
    legal = transposed_sizes(3, 3, 2, 1, "VALID")
    just_outside = [output_size(s, 3, 2, 1, (0, 0)) for s in (legal[0] - 1, legal[-1] + 1)]
    assert just_outside == [2, 4]


def test_real_taps_at_the_border_of_a_same_window():
    assert real_taps(3, 3, 1, 1, same_pad(3, 3, 1, 1)) == [2, 3, 2]


def test_real_taps_of_a_last_window_with_one_real_pixel():
    assert real_taps(7, 2, 3, 1, same_pad(7, 2, 3, 1)) == [2, 2, 1]


def test_real_taps_of_a_dilated_window_skip_the_image():
    assert real_taps(1, 2, 1, 2, (1, 1)) == [0]


def test_window_of_same_pads_each_axis_by_itself():
    window = Window.of((5, 4), (3, 3), (2, 2), "SAME")
    assert (window.pad, window.out, window.padded) == (((1, 1), (0, 1)), (3, 2), (7, 5))


def test_window_of_explicit_pads_keeps_top_bottom_left_right():
    window = Window.of((5, 4), (3, 2), (1, 1), ((0, 1), (2, 3)))
    assert (window.pad, window.out, window.taps) == (((0, 1), (2, 3)), (4, 8), 6)


def test_one_axis_is_a_plane_of_height_one():
    depth, plane = planes((7,), (3,), (2,), ((1, 0),), (1,), 2)
    assert depth is None
    assert plane == Window((1, 7), (1, 3), (1, 2), (1, 1), ((0, 0), (1, 0)), 2)


def test_two_axes_are_a_plane():
    depth, plane = planes((7, 5), (3, 2), (2, 1), "VALID", (1, 2))
    assert depth is None
    assert plane == Window((7, 5), (3, 2), (2, 1), (1, 2), ((0, 0), (0, 0)))


@pytest.mark.parametrize(
    ("padding", "pads"),
    [("SAME", ((1, 1), (0, 1), (0, 0))), (((1, 2), (3, 4), (5, 6)), ((1, 2), (3, 4), (5, 6)))],
)
def test_three_axes_are_a_plane_and_a_depth_of_one_column(padding, pads):
    depth, plane = planes((5, 4, 6), (3, 3, 1), (2, 2, 1), padding, (1, 1, 1), 4)
    assert depth is not None
    assert (depth.size[0], depth.kernel[0], depth.stride[0], depth.pad[0]) == (5, 3, 2, pads[0])
    assert depth.out[1] == 1
    assert plane == Window((4, 6), (3, 1), (2, 1), (1, 1), pads[1:], 4)
