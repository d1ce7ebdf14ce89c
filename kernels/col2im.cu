// col2im: the adjoint of im2col. A pixel is the sum of all column entries that were read from it.
//
// One thread sums one pack of channels of one pixel: it gathers from the positions that see it
// (positions.cuh), so every pixel is written once and no atomics are needed. Sums are kept in float
// for half_t and rounded once.
//
// Twin: col2im and scatter in minitensor/backend/numpy/columns.py.
#include "common.cuh"
#include "positions.cuh"
#include "rows.cuh"
#include "window.cuh"

// columns (G, N, h, w, kh*kw, packs), x (N, H, W, G, packs) in packs of P; rows = N * H;
// items = W * packs; blockIdx.z is the group.
template <typename T, int P>
__global__ void __launch_bounds__(256, 4)
    col2im(const T* __restrict__ columns, T* __restrict__ x, Window window, int packs, int items,
           int rows) {
    const long long item = thread_index();
    if (item >= items) return;
    const int pixel = int(item) / packs;
    const int channel = int(item) % packs;
    const int taps = window.kh * window.kw;
    const Positions across =
        seen_from(pixel, window.left, window.kw, window.sx, window.dx, window.w);
    const long long lines = rows / window.H * static_cast<long long>(window.h);
    const T* group = columns + (blockIdx.z * lines * window.w * taps * packs + channel) * P;

    for (unsigned row = row_index(); row < rows; row += row_count()) {
        const int line = row % window.H;
        const long long first_line = row / window.H * static_cast<long long>(window.h);
        const Positions down =
            seen_from(line, window.top, window.kh, window.sy, window.dy, window.h);
        accumulator<T> sum[P] = {};
        for (int i = down.first; i <= down.last; ++i) {
            const int u = tap_at(line + window.top - i * window.sy, window.dy);
            if (u < 0) continue;
            for (int j = across.first; j <= across.last; ++j) {
                const int v = tap_at(pixel + window.left - j * window.sx, window.dx);
                if (v < 0) continue;
                const long long position = (first_line + i) * window.w + j;
                const Pack<T, P> seen =
                    load_pack<P>(group + (position * taps + u * window.kw + v) * packs * P);
#pragma unroll
                for (int p = 0; p < P; ++p) sum[p] += seen[p];
            }
        }
        Pack<T, P> total;
#pragma unroll
        for (int p = 0; p < P; ++p) total[p] = T(sum[p]);
        const long long to = static_cast<long long>(row) * window.W + pixel;
        store_pack(x + ((to * gridDim.z + blockIdx.z) * packs + channel) * P, total);
    }
}

KERNEL(col2im<float, 4>);
KERNEL(col2im<float, 1>);
KERNEL(col2im<double, 1>);
KERNEL(col2im<half_t, 8>);
KERNEL(col2im<half_t, 1>);
