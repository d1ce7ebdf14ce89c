// Convolution by its definition, the first lesson: one thread computes one number of the result.
//
//   forward      y[n, i, j, o]        = sum over u, v, c of x[n, row, column, c] filter[u, v, c, o]
//   input_grad   x[n, row, column, c] = sum over u, v, o of y[n, i, j, o] filter[u, v, c, o]
//   filter_grad  filter[u, v, c, o]   = sum over n, i, j of x[n, row, column, c] y[n, i, j, o]
//
// where row = i * sy + u * dy - top and column = j * sx + v * dx - left are a pixel, no padding.
//
// Memory: neighbouring threads differ in the last index, so a warp writes neighbouring addresses, and
// reads them or all the same one. But for the filter of input_grad, whose channels are O numbers apart: a
// request of a warp asks for up to 32 sectors, of which the next steps over o use the rest.
// Rung 0: nothing is kept, every factor is read again by every thread that needs it. Group g of G
// joins input channels [g*C/G, (g+1)*C/G) and outputs [g*O/G, (g+1)*O/G), so `c` above counts
// within a group. The twin is minitensor/backend/numpy/direct.py; conv_tiled.cu is the next rung.
#include "common.cuh"
#include "window.cuh"

template <typename T>
__global__ void __launch_bounds__(256, 4)  // without the 4, ptxas spills for sm_80
    conv_direct_forward(const T* __restrict__ x, const T* __restrict__ filter, T* __restrict__ y,
                        Window window, int C, int O, int groups, long long total) {
    using A = accumulator<T>;
    const int group_C = C / groups, group_O = O / groups;
    for (long long index = thread_index(); index < total; index += thread_count()) {
        // Which output: index counts y (N, h, w, O) in memory order.
        const int o = index % O;
        const int j = index / O % window.w;
        const int i = index / O / window.w % window.h;
        const long long n = index / O / window.w / window.h;
        const int first_c = o / group_O * group_C;

        A sum = 0;
        for (int u = 0; u < window.kh; ++u) {
            for (int v = 0; v < window.kw; ++v) {
                const int row = i * window.sy + u * window.dy - window.top;
                const int column = j * window.sx + v * window.dx - window.left;
                if (!window.holds(row, column)) continue;
                const T* pixel = x + ((n * window.H + row) * window.W + column) * C + first_c;
                const T* tap = filter + (u * window.kw + v) * static_cast<long long>(group_C) * O;
                for (int c = 0; c < group_C; ++c) {
                    sum += A(pixel[c]) * A(tap[static_cast<long long>(c) * O + o]);
                }
            }
        }
        y[index] = T(sum);
    }
}

template <typename T>
__global__ void __launch_bounds__(256)
    conv_direct_input_grad(const T* __restrict__ y, const T* __restrict__ filter,
                           T* __restrict__ x, Window window, int C, int O, int groups,
                           long long total) {
    using A = accumulator<T>;
    const int group_C = C / groups, group_O = O / groups;
    for (long long index = thread_index(); index < total; index += thread_count()) {
        // Which input: index counts x (N, H, W, C) in memory order.
        const int c = index % C;
        const int column = index / C % window.W;
        const int row = index / C / window.W % window.H;
        const long long n = index / C / window.W / window.H;
        const int first_o = c / group_C * group_O;

        A sum = 0;
        for (int u = 0; u < window.kh; ++u) {
            for (int v = 0; v < window.kw; ++v) {
                // The position that saw this pixel under tap (u, v), if the strides met it.
                const int down = row + window.top - u * window.dy;
                const int right = column + window.left - v * window.dx;
                if (down % window.sy != 0 || right % window.sx != 0) continue;
                const int i = down / window.sy, j = right / window.sx;
                if (i < 0 || i >= window.h || j < 0 || j >= window.w) continue;
                const T* position = y + ((n * window.h + i) * window.w + j) * O + first_o;
                const long long tap = u * window.kw + v;
                const T* weights = filter + (tap * group_C + c % group_C) * O + first_o;
                for (int o = 0; o < group_O; ++o) {
                    sum += A(position[o]) * A(weights[o]);
                }
            }
        }
        x[index] = T(sum);
    }
}

template <typename T>
__global__ void __launch_bounds__(256)
    conv_direct_filter_grad(const T* __restrict__ x, const T* __restrict__ y,
                            T* __restrict__ filter, Window window, int N, int C, int O, int groups,
                            long long total) {
    using A = accumulator<T>;
    const int group_C = C / groups, group_O = O / groups;
    for (long long index = thread_index(); index < total; index += thread_count()) {
        // Which weight: index counts filter (kh, kw, C/G, O) in memory order.
        const int o = index % O;
        const int c = o / group_O * group_C + index / O % group_C;
        const int v = index / O / group_C % window.kw;
        const int u = index / O / group_C / window.kw;

        A sum = 0;
        for (long long n = 0; n < N; ++n) {
            for (int i = 0; i < window.h; ++i) {
                for (int j = 0; j < window.w; ++j) {
                    const int row = i * window.sy + u * window.dy - window.top;
                    const int column = j * window.sx + v * window.dx - window.left;
                    if (!window.holds(row, column)) continue;
                    sum += A(x[((n * window.H + row) * window.W + column) * C + c]) *
                           A(y[((n * window.h + i) * window.w + j) * O + o]);
                }
            }
        }
        filter[index] = T(sum);
    }
}

KERNEL(conv_direct_forward<float>);
KERNEL(conv_direct_forward<double>);
KERNEL(conv_direct_forward<int>);
KERNEL(conv_direct_input_grad<float>);
KERNEL(conv_direct_input_grad<double>);
KERNEL(conv_direct_input_grad<int>);
KERNEL(conv_direct_filter_grad<float>);
KERNEL(conv_direct_filter_grad<double>);
KERNEL(conv_direct_filter_grad<int>);
