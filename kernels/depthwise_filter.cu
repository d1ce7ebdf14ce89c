// Depthwise convolution, filter gradient: the adjoint of depthwise.cu in the filter.
//
//     filter[u, v, o] = sum over n, i, j of x[n, row, column, o / M] y[n, i, j, o]
//
// with row = i * sy + u * dy - top and column = j * sx + v * dx - left, wherever that is a pixel.
// A long sum for few numbers, so it is cut: every block sums some lines and writes its own copy of
// the result, `partial`; reduce_splits.cu adds the copies. Nothing is atomic, and the same bits
// come out every time. depthwise_filter: one thread owns four neighbouring channels and row u of
// the kernel. It walks along lines in strips of 4 positions: the strip's y lie in registers, each
// pack of x is loaded once and used for every tap that saw it. Threads along z take different
// lines and add up through shared memory. K x K taps, stride S, dilation 1, M = 1, channels a
// multiple of four. depthwise_filter_any: any window and M, one thread one tap of one channel.
//
// Memory: a block adds its lines through packs of 16 bytes in shared memory, in up to 3.5 wavefronts
// each, once for every tap of a row: little beside the strips that it loads.
//
// Twin: conv2d_kernel_grad in minitensor/backend/numpy/depthwise.py.
#include "common.cuh"
#include "rows.cuh"
#include "strip.cuh"
#include "window.cuh"

// x (N, H, W, packs), y (N, h, w, packs), partial (gridDim.y, K, K, packs) in packs of four;
// rows = N * h. Block: x packs, y the K rows of the kernel, z lines.
template <typename T, int K, int S>
__global__ void __launch_bounds__(256, 2)
    depthwise_filter(const T* __restrict__ x, const T* __restrict__ y,
                     accumulator<T>* __restrict__ partial, Window window, int packs, int rows) {
    constexpr int Length = 4;
    using Sum = Pack<accumulator<T>, 4>;
    __shared__ Sum shared[256];
    const int u = threadIdx.y;
    const long long pack = thread_index();
    const long long step = static_cast<long long>(packs) * 4;
    Sum sum[K] = {};

    // Threads beyond the channels stay for the barriers, with nothing to add.
    const int lines = pack < packs ? rows : 0;
    const unsigned workers = gridDim.y * blockDim.z;
    for (unsigned row = blockIdx.y * blockDim.z + threadIdx.z; row < lines; row += workers) {
        const int top = int(row % window.h) * S + u - window.top;
        if (unsigned(top) >= unsigned(window.H)) continue;
        const long long image = static_cast<long long>(row / window.h) * window.H;
        const T* pixels = x + ((image + top) * window.W * packs + pack) * 4;
        const T* positions = y + (static_cast<long long>(row) * window.w * packs + pack) * 4;
        for (int first = 0; first < window.w; first += Length) {
            Pack<T, 4> given[Length] = {};
#pragma unroll
            for (int j = 0; j < Length; ++j) {
                if (first + j < window.w) given[j] = load_pack<4>(positions + (first + j) * step);
            }
#pragma unroll
            for (int t = 0; t < (Length - 1) * S + K; ++t) {
                const int column = first * S + t - window.left;
                Pack<T, 4> pixel = {};
                if (unsigned(column) < unsigned(window.W)) {
                    pixel = load_pack<4>(pixels + column * step);
                }
#pragma unroll
                for (int j = 0; j < Length; ++j) {
                    const int v = t - j * S;
                    if (v >= 0 && v < K) add_product(sum[v], pixel, given[j]);
                }
            }
        }
    }

    // Add the block's lines up, one tap of the row after the other.
    const int plane = blockDim.x * blockDim.y;
    const int thread = threadIdx.y * blockDim.x + threadIdx.x;
#pragma unroll
    for (int v = 0; v < K; ++v) {
        shared[threadIdx.z * plane + thread] = sum[v];
        __syncthreads();
        if (threadIdx.z == 0 && pack < packs) {
            for (int z = 1; z < blockDim.z; ++z) {
#pragma unroll
                for (int p = 0; p < 4; ++p) sum[v][p] += shared[z * plane + thread][p];
            }
            const long long tap = (blockIdx.y * K + u) * static_cast<long long>(K) + v;
            store_pack(partial + (tap * packs + pack) * 4, sum[v]);
        }
        __syncthreads();  // before the next tap overwrites this one
    }
}

// x (N, H, W, O / M), y (N, h, w, O), partial (gridDim.y, kh, kw, O); rows = N * h;
// items = kh * kw * O.
template <typename T>
__global__ void __launch_bounds__(256, 4)
    depthwise_filter_any(const T* __restrict__ x, const T* __restrict__ y,
                         accumulator<T>* __restrict__ partial, Window window, int M, int O,
                         int items, int rows) {
    const long long item = thread_index();
    if (item >= items) return;
    const int o = int(item) % O, tap = int(item) / O;
    const int below = tap / window.kw * window.dy - window.top;
    const int aside = tap % window.kw * window.dx - window.left;
    accumulator<T> sum = 0;
    for (unsigned row = blockIdx.y; row < rows; row += gridDim.y) {
        const int line = int(row % window.h) * window.sy + below;
        const long long image = static_cast<long long>(row / window.h) * window.H;
        for (int j = 0; j < window.w; ++j) {
            const int column = j * window.sx + aside;
            if (!window.holds(line, column)) continue;
            const long long pixel = (image + line) * window.W + column;
            const long long position = static_cast<long long>(row) * window.w + j;
            sum += accumulator<T>(x[pixel * (O / M) + o / M]) * accumulator<T>(y[position * O + o]);
        }
    }
    partial[blockIdx.y * static_cast<long long>(items) + item] = sum;
}

KERNEL(depthwise_filter<float, 3, 1>);
KERNEL(depthwise_filter<float, 3, 2>);
KERNEL(depthwise_filter<float, 5, 1>);
KERNEL(depthwise_filter<float, 5, 2>);
KERNEL(depthwise_filter<float, 7, 1>);
KERNEL(depthwise_filter<float, 7, 2>);
KERNEL(depthwise_filter<half_t, 3, 1>);
KERNEL(depthwise_filter<half_t, 3, 2>);
KERNEL(depthwise_filter<half_t, 5, 1>);
KERNEL(depthwise_filter<half_t, 5, 2>);
KERNEL(depthwise_filter<half_t, 7, 1>);
KERNEL(depthwise_filter<half_t, 7, 2>);
KERNEL(depthwise_filter_any<float>);
KERNEL(depthwise_filter_any<double>);
KERNEL(depthwise_filter_any<half_t>);
