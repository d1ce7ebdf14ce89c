// Backwards through a window, along one axis: which positions see a pixel, and under which tap.
//
// A gradient can be scattered, every position adding to the pixels it saw, or gathered, every pixel
// adding up those that saw it. Gathering writes each number once, in a fixed order: it needs
// no atomics and gives the same bits every time.
#pragma once

// a / by for a >= 0. Strides and dilations are nearly always 1 or 2, the same for all threads, and
// a true division costs twenty instructions.
__device__ __forceinline__ int quotient(int a, int by) {
    return by == 1 ? a : by == 2 ? a >> 1 : a / by;
}

struct Positions {
    int first, last;  // last < first: nobody sees the pixel
};

// The positions i with i * stride + tap * dilation - pad == pixel for some tap, and a few others
// between them that step over the pixel: see tap_at.
__device__ __forceinline__ Positions seen_from(int pixel, int pad, int taps, int stride,
                                               int dilation, int positions) {
    const int end = pixel + pad;  // in pixels of the padded image
    if (end < 0) return {0, -1};
    const int start = end - (taps - 1) * dilation;
    const int last = quotient(end, stride);
    return {start > 0 ? quotient(start + stride - 1, stride) : 0, min(last, positions - 1)};
}

// The tap that lies `distance` pixels into a window, or -1 between two taps.
__device__ __forceinline__ int tap_at(int distance, int dilation) {
    const int tap = quotient(distance, dilation);
    return tap * dilation == distance ? tap : -1;
}

// The taps of a window, starting at pixel `start` of `size`, that lie on the image: a range.
struct Taps {
    int first, count;
};

__device__ __forceinline__ Taps taps_on_image(int start, int taps, int dilation, int size) {
    const int first = start < 0 ? quotient(dilation - 1 - start, dilation) : 0;
    const int room = start < size ? quotient(size - 1 - start, dilation) + 1 : 0;
    return {first, max(min(room, taps) - first, 0)};
}
