// im2col: every patch of an image as one row of a matrix. It only copies.
//
// One thread copies one pack of channels under one tap, for one column of positions, row after row.
// T is an unsigned-like type of the right size, whatever the numbers mean; P of them travel at once
// (16 bytes where C allows). Neighbouring threads write neighbouring memory: the matrix is kh * kw
// times the image, so the stores are what must be fast.
//
// Twin: im2col and gather in minitensor/backend/numpy/columns.py.
#include "common.cuh"
#include "rows.cuh"
#include "window.cuh"

// x (N, H, W, G, packs), columns (G, N, h, w, kh*kw, packs) in packs of P; rows = N * h;
// items = w * kh * kw * packs; blockIdx.z is the group.
template <typename T, int P>
__global__ void __launch_bounds__(256, 4)
    im2col(const T* __restrict__ x, T* __restrict__ columns, Window window, int packs, int items,
           int rows) {
    const long long item = thread_index();
    if (item >= items) return;
    const int tap = int(item) / packs % (window.kh * window.kw);
    const int position = int(item) / packs / (window.kh * window.kw);
    const int column = position * window.sx + tap % window.kw * window.dx - window.left;
    const int offset = tap / window.kw * window.dy - window.top;
    const long long channels = static_cast<long long>(gridDim.z) * packs;
    const T* source = x + (blockIdx.z * packs + int(item) % packs) * P;
    T* target = columns + (blockIdx.z * static_cast<long long>(rows) * items + item) * P;

    for (unsigned row = row_index(); row < rows; row += row_count()) {
        const int image = row / window.h;
        const int line = int(row % window.h) * window.sy + offset;
        Pack<T, P> pack = {};
        if (window.holds(line, column)) {
            const long long lines = static_cast<long long>(image) * window.H + line;
            pack = load_pack<P>(source + (lines * window.W + column) * channels * P);
        }
        store_pack(target + static_cast<long long>(row) * items * P, pack);
    }
}

KERNEL(im2col<int, 4>);
KERNEL(im2col<long long, 1>);
KERNEL(im2col<int, 1>);
KERNEL(im2col<half_t, 1>);
KERNEL(im2col<unsigned char, 1>);
