// Max pooling, which tap won, and the adjoint pair that moves numbers to and from the winners.
//
// max_pool and window_argmax: one thread finds the maxima of P neighbouring channels of a position.
// take_tap: one thread copies the pixel under one tap. put_tap: one thread gathers P channels of
// one pixel from the windows that see it, so no atomics are needed (positions.cuh).
// A NaN is larger than every number and the first of equals wins. Padding never wins; a window that
// sees nothing else has the lowest value, and tap 0. K is the size of a square kernel known when
// compiling, whose taps unroll into loads that travel together, or 0.
//
// Memory: take_tap reads the pixel that won, wherever in the window it lies: up to 20 sectors for a
// request of a warp.
//
// Twins: minitensor/backend/numpy/pool.py.
#include "common.cuh"
#include "positions.cuh"
#include "rows.cuh"
#include "window.cuh"

// What values are compared in, and what loses to every pixel.
template <typename T> struct Compared {
    using type = accumulator<T>;
    __device__ static type lowest() { return -INFINITY; }
};
template <> struct Compared<long long> {
    using type = long long;
    __device__ static type lowest() { return -0x7fffffffffffffffLL - 1; }
};

template <typename T, int P> struct Maxima {
    typename Compared<T>::type value[P];
    int tap[P];
};

// The maxima at one position; `image` points at the P channels of pixel (0, 0), pixels are C apart.
template <typename T, int P, int K>
__device__ __forceinline__ Maxima<T, P> maxima(const T* image, const Window& window, int i, int j,
                                               int C) {
    using compared = typename Compared<T>::type;
    const int kh = K ? K : window.kh, kw = K ? K : window.kw;
    const int top = i * window.sy - window.top, left = j * window.sx - window.left;
    const Taps down = taps_on_image(top, kh, window.dy, window.H);
    const Taps across = taps_on_image(left, kw, window.dx, window.W);
    Maxima<T, P> best;
#pragma unroll
    for (int p = 0; p < P; ++p) {
        best.value[p] = Compared<T>::lowest();
        best.tap[p] = down.count && across.count ? down.first * kw + across.first : 0;
    }
#pragma unroll
    for (int u = 0; u < kh; ++u) {
#pragma unroll
        for (int v = 0; v < kw; ++v) {
            // Padding is read as the lowest value, not stepped over: without a branch between
            // them the loads of all taps travel together.
            const int row = top + u * window.dy, column = left + v * window.dx;
            Pack<T, P> seen;
#pragma unroll
            for (int p = 0; p < P; ++p) seen[p] = T(Compared<T>::lowest());
            if (window.holds(row, column)) {
                const long long pixel = static_cast<long long>(row) * window.W + column;
                seen = load_pack<P>(image + pixel * C);
            }
#pragma unroll
            for (int p = 0; p < P; ++p) {
                const compared value = seen[p];
                if (value <= best.value[p] || best.value[p] != best.value[p]) continue;
                best.value[p] = value;  // larger, or the first NaN
                best.tap[p] = u * kw + v;
            }
        }
    }
    return best;
}

// x (N, H, W, packs), y (N, h, w, packs) in packs of P; rows = N * h; items = w * packs.
template <typename T, int P, int K>
__global__ void __launch_bounds__(256, 4)
    max_pool(const T* __restrict__ x, T* __restrict__ y, Window window, int packs, int items,
             int rows) {
    const long long item = thread_index();
    if (item >= items) return;
    const int position = int(item) / packs, channel = int(item) % packs * P;
    const long long image = static_cast<long long>(window.H) * window.W * packs * P;
    for (unsigned row = row_index(); row < rows; row += row_count()) {
        const Maxima<T, P> best = maxima<T, P, K>(x + row / window.h * image + channel, window,
                                                  row % window.h, position, packs * P);
        Pack<T, P> pack;
#pragma unroll
        for (int p = 0; p < P; ++p) pack[p] = T(best.value[p]);
        store_pack(y + (static_cast<long long>(row) * items + item) * P, pack);
    }
}

// The same shapes; the numbers of the taps instead of the values under them.
template <typename T, int P, int K>
__global__ void __launch_bounds__(256, 3)
    window_argmax(const T* __restrict__ x, int* __restrict__ index, Window window, int packs,
                  int items, int rows) {
    const long long item = thread_index();
    if (item >= items) return;
    const int position = int(item) / packs, channel = int(item) % packs * P;
    const long long image = static_cast<long long>(window.H) * window.W * packs * P;
    for (unsigned row = row_index(); row < rows; row += row_count()) {
        const Maxima<T, P> best = maxima<T, P, K>(x + row / window.h * image + channel, window,
                                                  row % window.h, position, packs * P);
        Pack<int, P> pack;
#pragma unroll
        for (int p = 0; p < P; ++p) pack[p] = best.tap[p];
        store_pack(index + (static_cast<long long>(row) * items + item) * P, pack);
    }
}

// x (N, H, W, C), index and y (N, h, w, C); rows = N * h; items = w * C. Zero where the tap lies on
// padding or is none of the window's.
template <typename T>
__global__ void __launch_bounds__(256, 4)
    take_tap(const T* __restrict__ x, const int* __restrict__ index, T* __restrict__ y,
             Window window, int C, int items, int rows) {
    const long long item = thread_index();
    if (item >= items) return;
    const int left = int(item) / C * window.sx - window.left;
    for (unsigned row = row_index(); row < rows; row += row_count()) {
        const long long at = static_cast<long long>(row) * items + item;
        const int tap = index[at], u = tap / window.kw, v = tap % window.kw;
        const int line = int(row % window.h) * window.sy + u * window.dy - window.top;
        const int column = left + v * window.dx;
        const bool taken = unsigned(tap) < unsigned(window.kh * window.kw);
        T value = {};
        if (taken && window.holds(line, column)) {
            const long long lines = static_cast<long long>(row / window.h) * window.H + line;
            value = x[(lines * window.W + column) * C + int(item) % C];
        }
        y[at] = value;
    }
}

// g and index (N, h, w, packs), x (N, H, W, packs) in packs of P; rows = N * H; items = W * packs.
template <typename T, int P>
__global__ void __launch_bounds__(256, 4)
    put_tap(const T* __restrict__ g, const int* __restrict__ index, T* __restrict__ x,
            Window window, int packs, int items, int rows) {
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
            const int u = tap_at(line + window.top - i * window.sy, window.dy);
            if (u < 0) continue;
            for (int j = across.first; j <= across.last; ++j) {
                const int v = tap_at(pixel + window.left - j * window.sx, window.dx);
                if (v < 0) continue;
                const long long at = (((first_line + i) * window.w + j) * packs + channel) * P;
                const Pack<int, P> tap = load_pack<P>(index + at);
                const Pack<T, P> given = load_pack<P>(g + at);
#pragma unroll
                for (int p = 0; p < P; ++p) {
                    if (tap[p] == u * window.kw + v) sum[p] += given[p];
                }
            }
        }
        Pack<T, P> total;
#pragma unroll
        for (int p = 0; p < P; ++p) total[p] = T(sum[p]);
        store_pack(x + (static_cast<long long>(row) * items + item) * P, total);
    }
}

KERNEL(max_pool<float, 4, 2>);
KERNEL(max_pool<float, 4, 3>);
KERNEL(max_pool<float, 4, 0>);
KERNEL(max_pool<float, 1, 0>);
KERNEL(max_pool<double, 1, 0>);
KERNEL(max_pool<half_t, 8, 2>);
KERNEL(max_pool<half_t, 8, 3>);
KERNEL(max_pool<half_t, 8, 0>);
KERNEL(max_pool<half_t, 1, 0>);
KERNEL(max_pool<long long, 1, 0>);
KERNEL(window_argmax<float, 4, 2>);
KERNEL(window_argmax<float, 4, 3>);
KERNEL(window_argmax<float, 4, 0>);
KERNEL(window_argmax<float, 1, 0>);
KERNEL(window_argmax<double, 1, 0>);
KERNEL(window_argmax<half_t, 8, 2>);
KERNEL(window_argmax<half_t, 8, 3>);
KERNEL(window_argmax<half_t, 8, 0>);
KERNEL(window_argmax<half_t, 1, 0>);
KERNEL(window_argmax<long long, 1, 0>);
KERNEL(take_tap<unsigned char>);
KERNEL(take_tap<half_t>);
KERNEL(take_tap<int>);
KERNEL(take_tap<long long>);
KERNEL(put_tap<float, 4>);
KERNEL(put_tap<float, 1>);
KERNEL(put_tap<double, 1>);
KERNEL(put_tap<half_t, 8>);
KERNEL(put_tap<half_t, 1>);
