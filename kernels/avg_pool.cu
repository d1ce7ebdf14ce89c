// Average pooling over the real pixels of each window, and its adjoint.
//
// avg_pool: one thread averages P neighbouring channels at one position. avg_pool_grad: one thread
// gathers P channels of one pixel from the windows that see it (positions.cuh), each window's
// cotangent divided by its own number of real pixels, which is worked out, not looked up.
// Sums are kept in float for half_t and rounded once.
//
// Twins: minitensor/backend/numpy/pool.py.
#include "common.cuh"
#include "positions.cuh"
#include "rows.cuh"
#include "window.cuh"

// x (N, H, W, packs), y (N, h, w, packs) in packs of P; rows = N * h; items = w * packs.
template <typename T, int P>
__global__ void __launch_bounds__(256, 4)
    avg_pool(const T* __restrict__ x, T* __restrict__ y, Window window, int packs, int items,
             int rows) {
    const long long item = thread_index();
    if (item >= items) return;
    const int left = int(item) / packs * window.sx - window.left;
    const Taps across = taps_on_image(left, window.kw, window.dx, window.W);
    const long long step = static_cast<long long>(window.dx) * packs * P;  // between taps
    for (unsigned row = row_index(); row < rows; row += row_count()) {
        const int top = int(row % window.h) * window.sy - window.top;
        const Taps down = taps_on_image(top, window.kh, window.dy, window.H);
        const long long first_line = row / window.h * static_cast<long long>(window.H);
        accumulator<T> sum[P] = {};
        for (int u = down.first; u < down.first + down.count; ++u) {
            const long long line = first_line + top + u * window.dy;
            const long long pixel = line * window.W + left + across.first * window.dx;
            const T* from = x + (pixel * packs + int(item) % packs) * P;
            for (int v = 0; v < across.count; ++v, from += step) {
                const Pack<T, P> seen = load_pack<P>(from);
#pragma unroll
                for (int p = 0; p < P; ++p) sum[p] += seen[p];
            }
        }
        const int count = down.count * across.count;
        Pack<T, P> mean;
#pragma unroll
        for (int p = 0; p < P; ++p) mean[p] = T(count > 1 ? sum[p] / count : sum[p]);
        store_pack(y + (static_cast<long long>(row) * items + item) * P, mean);
    }
}

// g (N, h, w, packs), x (N, H, W, packs) in packs of P; rows = N * H; items = W * packs.
template <typename T, int P>
__global__ void __launch_bounds__(256, 4)
    avg_pool_grad(const T* __restrict__ g, T* __restrict__ x, Window window, int packs, int items,
                  int rows) {
    const long long item = thread_index();
    if (item >= items) return;
    const int pixel = int(item) / packs, channel = int(item) % packs;
    const Positions across =
        seen_from(pixel, window.left, window.kw, window.sx, window.dx, window.w);
    for (unsigned row = row_index(); row < rows; row += row_count()) {
        const int line = row % window.H;
        const long long first_line = row / window.H * static_cast<long long>(window.h);
        const Positions down =
            seen_from(line, window.top, window.kh, window.sy, window.dy, window.h);
        accumulator<T> sum[P] = {};
        for (int i = down.first; i <= down.last; ++i) {
            const int top = i * window.sy - window.top;
            if (tap_at(line - top, window.dy) < 0) continue;
            const int high = taps_on_image(top, window.kh, window.dy, window.H).count;
            for (int j = across.first; j <= across.last; ++j) {
                const int left = j * window.sx - window.left;
                if (tap_at(pixel - left, window.dx) < 0) continue;
                const int wide = taps_on_image(left, window.kw, window.dx, window.W).count;
                const accumulator<T> share = accumulator<T>(1) / (high * wide);
                const long long position = (first_line + i) * window.w + j;
                const Pack<T, P> given = load_pack<P>(g + (position * packs + channel) * P);
#pragma unroll
                for (int p = 0; p < P; ++p) sum[p] += share * given[p];
            }
        }
        Pack<T, P> total;
#pragma unroll
        for (int p = 0; p < P; ++p) total[p] = T(sum[p]);
        store_pack(x + (static_cast<long long>(row) * items + item) * P, total);
    }
}

KERNEL(avg_pool<float, 4>);
KERNEL(avg_pool<float, 1>);
KERNEL(avg_pool<double, 1>);
KERNEL(avg_pool<half_t, 8>);
KERNEL(avg_pool<half_t, 1>);
KERNEL(avg_pool_grad<float, 4>);
KERNEL(avg_pool_grad<float, 1>);
KERNEL(avg_pool_grad<double, 1>);
KERNEL(avg_pool_grad<half_t, 8>);
KERNEL(avg_pool_grad<half_t, 1>);
