// Winograd's minimal filtering: a 3x3 convolution of stride 1 with fewer multiplications.
//
//     y = A^T [(G g G^T) * (B^T d B)] A     for tiles of OUT x OUT outputs, * element by element
//
// d is a tile of (OUT + 2)^2 pixels, g the 3x3 filter. The sum over channels of the products at one
// of the (OUT + 2)^2 points is a matrix product (tiles, C) @ (C, O), so that the whole convolution
// is three kernels around one batched GEMM: winograd_input and winograd_filter, one thread per
// tile and channel or per filter, then the GEMM, then winograd_output, one thread per tile and
// output.
// Memory: neighbouring threads take neighbouring channels, which makes every access coalesced, but
// for the filters on the way back: they are turned, and a warp reads 9 numbers O apart, 32 sectors
// a request, rather than write 36 so.
// Multiplications per output fall from 9 to 16/4 = 4 (OUT = 2) or 36/16 = 2.25 (OUT = 4).
//
// What it costs: a NaN or an infinity spreads over its tile (inf - inf), and digits. A row of the
// three matrices sums numbers larger than the result they cancel to: the bound on the error grows,
// against the direct sum, by up to (8/3)^2 = 7 for OUT = 2 and (48/3)^2 = 256 for OUT = 4.
// Source: Lavin, Gray, "Fast Algorithms for Convolutional Neural Networks", 2015, sections 4.1-4.3.
// The twin is minitensor/backend/numpy/direct.py. Not here: the GEMM (backend/host/winograd.py).
#include "common.cuh"
#include "window.cuh"

// ----- the matrices of the paper -----

template <int OUT> struct InputMatrix;   // B^T
template <int OUT> struct FilterMatrix;  // G
template <int OUT> struct OutputMatrix;  // A^T

template <> struct InputMatrix<2> {
    __device__ static constexpr float at(int row, int column) {
        constexpr float matrix[4][4] = {{1, 0, -1, 0}, {0, 1, 1, 0}, {0, -1, 1, 0}, {0, 1, 0, -1}};
        return matrix[row][column];
    }
};

template <> struct FilterMatrix<2> {
    __device__ static constexpr float at(int row, int column) {
        constexpr float matrix[4][3] = {
            {1, 0, 0}, {0.5f, 0.5f, 0.5f}, {0.5f, -0.5f, 0.5f}, {0, 0, 1}};
        return matrix[row][column];
    }
};

template <> struct OutputMatrix<2> {
    __device__ static constexpr float at(int row, int column) {
        constexpr float matrix[2][4] = {{1, 1, 1, 0}, {0, 1, -1, -1}};
        return matrix[row][column];
    }
};

template <> struct InputMatrix<4> {
    __device__ static constexpr float at(int row, int column) {
        constexpr float matrix[6][6] = {{4, 0, -5, 0, 1, 0},  {0, -4, -4, 1, 1, 0},
                                        {0, 4, -4, -1, 1, 0}, {0, -2, -1, 2, 1, 0},
                                        {0, 2, -1, -2, 1, 0}, {0, 4, 0, -5, 0, 1}};
        return matrix[row][column];
    }
};

template <> struct FilterMatrix<4> {
    __device__ static constexpr float at(int row, int column) {
        constexpr float sixth = 1.0f / 6, twelfth = 1.0f / 12, part = 1.0f / 24;
        constexpr float matrix[6][3] = {{0.25f, 0, 0},          {-sixth, -sixth, -sixth},
                                        {-sixth, sixth, -sixth}, {part, twelfth, sixth},
                                        {part, -twelfth, sixth}, {0, 0, 1}};
        return matrix[row][column];
    }
};

template <> struct OutputMatrix<4> {
    __device__ static constexpr float at(int row, int column) {
        constexpr float matrix[4][6] = {
            {1, 1, 1, 1, 1, 0}, {0, 1, -1, 2, -2, 0}, {0, 1, 1, 4, 4, 0}, {0, 1, -1, 8, -8, 1}};
        return matrix[row][column];
    }
};

// to = M from M^T, the zeros of M left out. Loops unroll, so M is constants in the instructions.
template <typename Matrix, int FROM, int TO>
__device__ __forceinline__ void transform(const float (&from)[FROM][FROM], float (&to)[TO][TO]) {
    float half[TO][FROM] = {};
#pragma unroll
    for (int row = 0; row < TO; ++row) {
#pragma unroll
        for (int k = 0; k < FROM; ++k) {
            if (Matrix::at(row, k) == 0) continue;
#pragma unroll
            for (int column = 0; column < FROM; ++column) {
                half[row][column] += Matrix::at(row, k) * from[k][column];
            }
        }
    }
#pragma unroll
    for (int row = 0; row < TO; ++row) {
#pragma unroll
        for (int column = 0; column < TO; ++column) {
            float sum = 0;
#pragma unroll
            for (int k = 0; k < FROM; ++k) {
                if (Matrix::at(column, k) != 0) sum += half[row][k] * Matrix::at(column, k);
            }
            to[row][column] = sum;
        }
    }
}

// ----- where a tile lies -----

// Tile number `tile` of all images: which image, and its first position.
template <int OUT> struct Position {
    long long image;
    int row, column;

    __device__ Position(long long tile, const Window& window) {
        const int down = (window.h + OUT - 1) / OUT, across = (window.w + OUT - 1) / OUT;
        column = int(tile % across) * OUT;
        row = int(tile / across % down) * OUT;
        image = tile / across / down;
    }
};

// Element (tile, channel) at point 0 of an array (points, groups, tiles, channels of a group).
__device__ __forceinline__ long long grouped(long long tile, long long tiles, int channel,
                                             int group_channels) {
    return (channel / group_channels * tiles + tile) * group_channels + channel % group_channels;
}

// ----- the kernels -----

// x (images, H, W, C) -> points (IN * IN, groups, tiles, C / groups).
template <int OUT>
__global__ void __launch_bounds__(256)
    winograd_input(const float* __restrict__ x, float* __restrict__ points, Window window, int C,
                   int groups, long long tiles) {
    constexpr int IN = OUT + 2;
    const long long total = tiles * C;
    for (long long i = thread_index(); i < total; i += thread_count()) {
        const long long tile = i / C;
        const int channel = int(i % C);
        const Position<OUT> position(tile, window);
        float pixels[IN][IN], values[IN][IN];
#pragma unroll
        for (int u = 0; u < IN; ++u) {
#pragma unroll
            for (int v = 0; v < IN; ++v) {
                const int row = position.row - window.top + u;
                const int column = position.column - window.left + v;
                const long long pixel = (position.image * window.H + row) * window.W + column;
                pixels[u][v] = window.holds(row, column) ? x[pixel * C + channel] : 0.0f;
            }
        }
        transform<InputMatrix<OUT>>(pixels, values);
        float* to = points + grouped(tile, tiles, channel, C / groups);
#pragma unroll
        for (int p = 0; p < IN * IN; ++p) to[p * total] = values[p / IN][p % IN];
    }
}

// kernel (3, 3, inputs of a group, O) -> points (IN * IN, groups, rows, columns): rows are inputs
// and columns outputs of a group. `turned`: the other way around and each filter rotated by 180
// degrees, which convolves back from y to x.
template <int OUT>
__global__ void __launch_bounds__(256)
    winograd_filter(const float* __restrict__ kernel, float* __restrict__ points, int inputs,
                    int O, int groups, int turned) {
    constexpr int IN = OUT + 2;
    const int outputs = O / groups;
    const long long total = static_cast<long long>(inputs) * O;
    for (long long i = thread_index(); i < total; i += thread_count()) {
        const int columns = turned ? inputs : outputs, rows = turned ? outputs : inputs;
        const int column = int(i % columns), row = int(i / columns % rows);
        const int group = int(i / columns / rows);
        const int input = turned ? column : row, output = turned ? row : column;
        float taps[3][3], values[IN][IN];
#pragma unroll
        for (int t = 0; t < 9; ++t) {
            const long long filter = static_cast<long long>(t) * inputs + input;
            const int to = turned ? 8 - t : t;
            taps[to / 3][to % 3] = kernel[filter * O + group * outputs + output];
        }
        transform<FilterMatrix<OUT>>(taps, values);
#pragma unroll
        for (int p = 0; p < IN * IN; ++p) points[p * total + i] = values[p / IN][p % IN];
    }
}

// points (IN * IN, groups, tiles, O / groups) -> y (images, h, w, O), plus bias (or null), clamped
// if `relu`.
template <int OUT>
__global__ void __launch_bounds__(256)
    winograd_output(const float* __restrict__ points, const float* __restrict__ bias,
                    float* __restrict__ y, Window window, int O, int groups, long long tiles,
                    int relu) {
    constexpr int IN = OUT + 2;
    const long long total = tiles * O;
    for (long long i = thread_index(); i < total; i += thread_count()) {
        const long long tile = i / O;
        const int output = int(i % O);
        const Position<OUT> position(tile, window);
        const float* from = points + grouped(tile, tiles, output, O / groups);
        float values[IN][IN], sums[OUT][OUT];
#pragma unroll
        for (int p = 0; p < IN * IN; ++p) values[p / IN][p % IN] = from[p * total];
        transform<OutputMatrix<OUT>>(values, sums);
        const float shift = bias == nullptr ? 0.0f : bias[output];
#pragma unroll
        for (int u = 0; u < OUT; ++u) {
#pragma unroll
            for (int v = 0; v < OUT; ++v) {
                const int row = position.row + u, column = position.column + v;
                if (row >= window.h || column >= window.w) continue;  // the tile sticks out
                const float sum = sums[u][v] + shift;
                const long long pixel = (position.image * window.h + row) * window.w + column;
                y[pixel * O + output] = relu && sum < 0.0f ? 0.0f : sum;
            }
        }
    }
}

KERNEL(winograd_input<2>);
KERNEL(winograd_input<4>);
KERNEL(winograd_filter<2>);
KERNEL(winograd_filter<4>);
KERNEL(winograd_output<2>);
KERNEL(winograd_output<4>);
