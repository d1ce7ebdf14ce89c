// Depthwise convolution, input gradient: the adjoint of depthwise.cu in x, by gather.
//
//     x[n, row, column, c] = sum over u, v, q of y[n, i, j, c*M + q] filter[u, v, c*M + q]
//
// with i * sy + u * dy - top = row and j * sx + v * dx - left = column. depthwise_input: one thread
// owns four neighbouring channels and a strip of pixels that starts where a position does, so that
// with stride S the tap of pixel t under the position d further on is t - d * S, known when
// compiling: the taps that miss cost nothing. A pack of y is loaded once for the whole strip.
// K x K taps, stride S, dilation 1, M = 1, channels a multiple of four.
// depthwise_input_any: any window and M, one thread one pixel's channel.
//
// Every pixel is written once and nothing is added atomically.
// Twin: conv2d_transpose in minitensor/backend/numpy/depthwise.py.
#include "common.cuh"
#include "positions.cuh"
#include "rows.cuh"
#include "strip.cuh"
#include "window.cuh"

// a modulo S, never negative: how far a pixel lies behind the last position that starts before it.
template <int S> __device__ __forceinline__ int phase(int a) { return (a % S + S) % S; }

// y (N, h, w, packs), filter (K, K, packs), x (N, H, W, packs) in packs of four; rows = N * H;
// items = strips * packs, where strips cover the W pixels and the up to S - 1 before them.
// A batch has fewer than 2^31 lines of positions.
template <typename T, int K, int S>
__global__ void __launch_bounds__(256, 2)
    depthwise_input(const T* __restrict__ y, const T* __restrict__ filter, T* __restrict__ x,
                    Window window, int packs, int items, int rows) {
    constexpr int Length = strip_length(K, S);
    constexpr int Before = (K - 1) / S, After = (Length - 1) / S;  // around the first pixel
    const long long item = thread_index();
    if (item >= items) return;
    const int channel = int(item) % packs;
    const int first = int(item) / packs * Length - phase<S>(window.left);
    const int position = (first + window.left) / S;  // that starts at pixel `first`: no remainder

    for (unsigned row = row_index(); row < rows; row += row_count()) {
        const int reach = int(row % window.H) + window.top;
        const int first_line = int(row / window.H) * window.h;
        Pack<accumulator<T>, 4> sum[Length] = {};
        for (int u = phase<S>(reach); u < K; u += S) {
            const int i = (reach - u) / S;
            if (unsigned(i) >= unsigned(window.h)) continue;
            const long long line =
                (static_cast<long long>(first_line + i) * window.w + position) * packs + channel;
            Pack<T, 4> weight[K];
#pragma unroll
            for (int v = 0; v < K; ++v) {
                weight[v] = load_pack<4>(filter + ((u * K + v) * packs + channel) * 4);
            }
#pragma unroll
            for (int d = -Before; d <= After; ++d) {
                Pack<T, 4> given = {};
                if (unsigned(position + d) < unsigned(window.w)) {
                    given = load_pack<4>(y + (line + d * packs) * 4);
                }
#pragma unroll
                for (int t = 0; t < Length; ++t) {
                    const int v = t - d * S;
                    if (v >= 0 && v < K) add_product(sum[t], given, weight[v]);
                }
            }
        }
        const long long line = static_cast<long long>(row) * window.W;
#pragma unroll
        for (int t = 0; t < Length; ++t) {
            if (unsigned(first + t) >= unsigned(window.W)) continue;
            store_sum(x + ((line + first + t) * packs + channel) * 4, sum[t]);
        }
    }
}

// y (N, h, w, C * M), filter (kh, kw, C * M), x (N, H, W, C); rows = N * H; items = W * C.
template <typename T>
__global__ void __launch_bounds__(256, 4)
    depthwise_input_any(const T* __restrict__ y, const T* __restrict__ filter, T* __restrict__ x,
                        Window window, int M, int C, int items, int rows) {
    const long long item = thread_index();
    if (item >= items) return;
    const int c = int(item) % C, pixel = int(item) / C;
    const long long O = static_cast<long long>(C) * M;
    const Positions across =
        seen_from(pixel, window.left, window.kw, window.sx, window.dx, window.w);
    for (unsigned row = row_index(); row < rows; row += row_count()) {
        const int line = row % window.H;
        const long long image = static_cast<long long>(row / window.H) * window.h;
        const Positions down =
            seen_from(line, window.top, window.kh, window.sy, window.dy, window.h);
        accumulator<T> sum = 0;
        for (int i = down.first; i <= down.last; ++i) {
            const int u = tap_at(line + window.top - i * window.sy, window.dy);
            if (u < 0) continue;
            for (int j = across.first; j <= across.last; ++j) {
                const int v = tap_at(pixel + window.left - j * window.sx, window.dx);
                if (v < 0) continue;
                const T* given = y + ((image + i) * window.w + j) * O + c * M;
                const T* weight = filter + (u * window.kw + v) * O + c * M;
                for (int q = 0; q < M; ++q) {
                    sum += accumulator<T>(given[q]) * accumulator<T>(weight[q]);
                }
            }
        }
        x[static_cast<long long>(row) * items + item] = T(sum);
    }
}

KERNEL(depthwise_input<float, 3, 1>);
KERNEL(depthwise_input<float, 3, 2>);
KERNEL(depthwise_input<float, 5, 1>);
KERNEL(depthwise_input<float, 5, 2>);
KERNEL(depthwise_input<float, 7, 1>);
KERNEL(depthwise_input<float, 7, 2>);
KERNEL(depthwise_input<half_t, 3, 1>);
KERNEL(depthwise_input<half_t, 3, 2>);
KERNEL(depthwise_input<half_t, 5, 1>);
KERNEL(depthwise_input<half_t, 5, 2>);
KERNEL(depthwise_input<half_t, 7, 1>);
KERNEL(depthwise_input<half_t, 7, 2>);
KERNEL(depthwise_input_any<float>);
KERNEL(depthwise_input_any<double>);
KERNEL(depthwise_input_any<half_t>);
