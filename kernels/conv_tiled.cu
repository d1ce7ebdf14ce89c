// Convolution as a matrix product in tiles: one thread computes one number of the result, but a
// block of 256 threads shares what it reads.
//
// Rung 1. The block owns a 16 x 16 tile of c = a @ b (implicit_gemm.cuh says what a, b and c are
// for each of the three convolutions). It walks along the depth 16 steps at a time: every thread
// brings one element of a and one of b into shared memory, the block waits, and each thread
// multiplies its row of the a tile with its column of the b tile. An element is read from global
// memory once per tile, not once per product: a sixteenth of the reads of conv_direct.cu.
//
// With splits > 1 block s of a tile adds up the s-th piece of the depth only and writes to the s-th
// copy of c, `size` numbers long; reduce_splits.cu adds the copies. The twin is
// minitensor/backend/numpy/blocked.py; conv_register.cu is the next rung.
#include "common.cuh"
#include "window.cuh"
#include "implicit_gemm.cuh"

constexpr int TILE = 16;

// A warp stores two rows of a tile, or two columns. Rows of 16 lie side by side in the 32 banks;
// two columns meet in none if rows of float are 18 apart, and rows of double 17.
template <typename T, bool ALONG_ROWS> constexpr int WIDTH = TILE + (ALONG_ROWS ? 0 : 8 / sizeof(T));

template <typename Problem, typename T>
__global__ void __launch_bounds__(TILE * TILE)
    conv_tiled(const T* __restrict__ a, const T* __restrict__ b, T* __restrict__ c, Window window,
               int N, int C, int O, int groups, int splits, long long size) {
    __shared__ T a_tile[TILE][WIDTH<T, Problem::A_ALONG_DEPTH>];   // [row][step]
    __shared__ T b_tile[TILE][WIDTH<T, !Problem::B_ALONG_DEPTH>];  // [step][column]

    const Share share(TILE, TILE, splits);
    const Problem problem(window, N, C, O, groups, share.part);
    const Range range(problem.depth, TILE, splits, share.split);
    if (share.first_row >= problem.rows) return;  // the whole block: a phase with fewer pixels

    // Which elements this thread brings. Neighbouring threads take neighbours in memory.
    const int slow = threadIdx.x / TILE, fast = threadIdx.x % TILE;
    const int a_line = Problem::A_ALONG_DEPTH ? slow : fast;
    const int a_step = Problem::A_ALONG_DEPTH ? fast : slow;
    const int b_line = Problem::B_ALONG_DEPTH ? slow : fast;
    const int b_step = Problem::B_ALONG_DEPTH ? fast : slow;
    const long long a_row = share.first_row + a_line;
    const int b_column = share.first_column + b_line;
    const Part row_part = a_row < problem.rows ? problem.row(a_row) : outside();
    const Image image = problem.image();

    T sum = 0;
    for (int first = 0; first < range.count; first += TILE) {
        T from_a = 0, from_b = 0;  // what is padding, or beyond the ends
        if (first + a_step < range.count) {
            const long long depth = range.begin + first + a_step;
            const Part part = problem.depth_part(problem.depth_radix().digits(depth));
            if (image.holds(row_part, part)) from_a = a[image.offset(row_part, part)];
        }
        if (first + b_step < range.count && b_column < problem.columns) {
            const long long depth = range.begin + first + b_step;
            from_b = b[problem.b_offset(depth, problem.depth_radix().digits(depth), b_column)];
        }
        a_tile[a_line][a_step] = from_a;
        b_tile[b_step][b_line] = from_b;
        __syncthreads();  // the tiles are full
#pragma unroll
        for (int step = 0; step < TILE; ++step) sum += a_tile[slow][step] * b_tile[step][fast];
        __syncthreads();  // everyone has read them
    }

    const long long row = share.first_row + slow;
    const int column = share.first_column + fast;
    if (row < problem.rows && column < problem.columns) {
        c[share.split * size + problem.c_offset(row, column)] = sum;
    }
}

KERNEL(conv_tiled<Forward, float>);
KERNEL(conv_tiled<Forward, double>);
KERNEL(conv_tiled<InputGrad, float>);
KERNEL(conv_tiled<InputGrad, double>);
KERNEL(conv_tiled<FilterGrad, float>);
KERNEL(conv_tiled<FilterGrad, double>);
