// Backwards through a window, along one axis: which places see a pixel, and under which tap.
//
// A gradient can be scattered, every place adding to the pixels it saw, or gathered, every pixel
// adding up the places that saw it. Gathering writes each number once, in a fixed order: it needs
// no atomics and gives the same bits every time.
#pragma once

struct Places {
    int first, last;  // last < first: nobody sees the pixel
};

// The places i with i * stride + tap * dilation - pad == pixel for some tap, and a few others
// between them that step over the pixel: see tap_at.
__device__ __forceinline__ Places places_of(int pixel, int pad, int taps, int stride, int dilation,
                                            int places) {
    const int end = pixel + pad;  // in pixels of the padded image
    if (end < 0) return {0, -1};
    const int start = end - (taps - 1) * dilation;
    const int last = end / stride;
    return {start > 0 ? (start + stride - 1) / stride : 0, last < places ? last : places - 1};
}

// The tap that lies `distance` pixels into a window, or -1 between two taps.
__device__ __forceinline__ int tap_at(int distance, int dilation) {
    if (dilation == 1) return distance;
    const int tap = distance / dilation;
    return tap * dilation == distance ? tap : -1;
}

// The taps of a window, starting at pixel `start` of `size`, that lie on the image: a range.
struct Taps {
    int first, count;
};

__device__ __forceinline__ Taps taps_on_image(int start, int taps, int dilation, int size) {
    const int first = start < 0 ? (dilation - 1 - start) / dilation : 0;
    const int room = start < size ? (size - 1 - start) / dilation + 1 : 0;
    const int end = room < taps ? room : taps;
    return {first, end > first ? end - first : 0};
}
