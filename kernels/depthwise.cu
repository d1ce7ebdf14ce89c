// Depthwise convolution forward: every output channel reads one input channel of its own.
//
//     y[n, i, j, o] = sum over u, v of x[n, row, column, o / M] filter[u, v, o]
//
// with row = i * sy + u * dy - top and column = j * sx + v * dx - left, wherever that is a pixel.
// depthwise: one thread owns four neighbouring channels and a strip of neighbouring positions. For
// each row of the kernel it slides along one line of the image: a pack of pixels is loaded once and
// used, from a register, for every position of the strip that sees it. Nothing goes through shared
// memory, for threads share only lines that the L1 cache keeps. K x K taps, stride S, dilation 1,
// M = 1, channels a multiple of four. depthwise_any: any window and M, one thread one output.
//
// Each number is read about once from memory, and a tap costs one multiply-add: memory decides.
// Twin: conv2d in minitensor/backend/numpy/depthwise.py.
#include "common.cuh"
#include "rows.cuh"
#include "strip.cuh"
#include "window.cuh"

// x (N, H, W, packs), filter (K, K, packs), y (N, h, w, packs) in packs of four; rows = N * h;
// items = strips * packs. A batch has fewer than 2^31 lines of pixels.
template <typename T, int K, int S>
__global__ void __launch_bounds__(256, 2)
    depthwise(const T* __restrict__ x, const T* __restrict__ filter, T* __restrict__ y,
              Window window, int packs, int items, int rows) {
    constexpr int Length = strip_length(K, S);
    const long long item = thread_index();
    if (item >= items) return;
    const int channel = int(item) % packs, first = int(item) / packs * Length;
    const int left = first * S - window.left;

    for (unsigned row = row_index(); row < rows; row += row_count()) {
        const int top = int(row % window.h) * S - window.top;
        const int first_line = int(row / window.h) * window.H + top;
        Pack<accumulator<T>, 4> sum[Length] = {};
#pragma unroll 1  // all rows of weights at once would not fit the registers
        for (int u = 0; u < K; ++u) {
            if (unsigned(top + u) >= unsigned(window.H)) continue;
            const long long pixels = static_cast<long long>(first_line + u) * window.W + left;
            const long long line = pixels * packs + channel;
            Pack<T, 4> weight[K];
#pragma unroll
            for (int v = 0; v < K; ++v) {
                weight[v] = load_pack<4>(filter + ((u * K + v) * packs + channel) * 4);
            }
#pragma unroll
            for (int t = 0; t < (Length - 1) * S + K; ++t) {
                Pack<T, 4> pixel = {};
                if (unsigned(left + t) < unsigned(window.W)) {
                    pixel = load_pack<4>(x + (line + t * packs) * 4);
                }
#pragma unroll
                for (int position = 0; position < Length; ++position) {
                    const int v = t - position * S;
                    if (v >= 0 && v < K) add_product(sum[position], pixel, weight[v]);
                }
            }
        }
        const long long line = static_cast<long long>(row) * window.w;
#pragma unroll
        for (int position = 0; position < Length; ++position) {
            if (first + position >= window.w) break;
            store_sum(y + ((line + first + position) * packs + channel) * 4, sum[position]);
        }
    }
}

// x (N, H, W, O / M), filter (kh, kw, O), y (N, h, w, O); rows = N * h; items = w * O.
template <typename T>
__global__ void __launch_bounds__(256, 4)
    depthwise_any(const T* __restrict__ x, const T* __restrict__ filter, T* __restrict__ y,
                  Window window, int M, int O, int items, int rows) {
    const long long item = thread_index();
    if (item >= items) return;
    const int o = int(item) % O, left = int(item) / O * window.sx - window.left;
    for (unsigned row = row_index(); row < rows; row += row_count()) {
        const int top = int(row % window.h) * window.sy - window.top;
        const long long image = static_cast<long long>(row / window.h) * window.H;
        accumulator<T> sum = 0;
        for (int u = 0; u < window.kh; ++u) {
            for (int v = 0; v < window.kw; ++v) {
                const int line = top + u * window.dy, column = left + v * window.dx;
                if (!window.holds(line, column)) continue;
                const long long pixel = (image + line) * window.W + column;
                const long long tap = u * window.kw + v;
                const T seen = x[pixel * (O / M) + o / M];
                sum += accumulator<T>(seen) * accumulator<T>(filter[tap * O + o]);
            }
        }
        y[static_cast<long long>(row) * items + item] = T(sum);
    }
}

KERNEL(depthwise<float, 3, 1>);
KERNEL(depthwise<float, 3, 2>);
KERNEL(depthwise<float, 5, 1>);
KERNEL(depthwise<float, 5, 2>);
KERNEL(depthwise<float, 7, 1>);
KERNEL(depthwise<float, 7, 2>);
KERNEL(depthwise<half_t, 3, 1>);
KERNEL(depthwise<half_t, 3, 2>);
KERNEL(depthwise<half_t, 5, 1>);
KERNEL(depthwise<half_t, 5, 2>);
KERNEL(depthwise<half_t, 7, 1>);
KERNEL(depthwise<half_t, 7, 2>);
KERNEL(depthwise_any<float>);
KERNEL(depthwise_any<double>);
KERNEL(depthwise_any<half_t>);
