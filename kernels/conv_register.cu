// Convolution as a matrix product in two levels of tiles: shared memory for the block, registers
// for the thread. One thread computes a TM x TN piece of a block's BM x BN tile of c = a @ b
// (implicit_gemm.cuh says what a, b and c are), BK steps of the depth at a time.
//
// Rung 2. In conv_tiled.cu every product costs two reads of shared memory; here TM + TN reads feed
// TM * TN products, so the arithmetic units set the pace. What else is new:
//   - A warp's 8 x 4 threads interleave quads of 4 rows and 4 columns: their reads of shared memory
//     are 16 bytes wide, free of bank conflicts, and mostly broadcasts.
//   - Global memory is read VEC = 4 numbers at a time where the channels and outputs of a group are
//     multiples of 4 and arrays start at multiples of 16 bytes; VEC = 1 serves the rest.
//   - Two shared tiles take turns: while one is multiplied, the next is on its way through
//     registers into the other, and one barrier per tile is enough.
//   - Nothing is divided inside the loop: parts of rows are worked out once, digits of the depth
//     walk on by addition. What all threads know lies in shared memory, registers are for sums.
// Memory: packs that lie along the depth are turned as they are stored, in up to 3 wavefronts, and what
// is known of a row of a is read for each pack that is brought, in up to 8 (FilterGrad): both once a
// tile, beside BK * (TM + TN) reads that have no conflict. Splits as in conv_tiled.cu. A bias (one number per last index of c, or null) and a ReLU can be
// applied on the way out, which saves the round trip of a kernel of their own. The twin is
// minitensor/backend/numpy/blocked.py; conv_tensor.cuh is the next rung.
#include "common.cuh"
#include "window.cuh"
#include "implicit_gemm.cuh"

constexpr int WARP = 32, LANES_DOWN = 8, LANES_ACROSS = 4;
constexpr int QUAD = 4;  // neighbours of a thread; its next quad is a whole row of lanes further
constexpr int ROW_STEP = LANES_DOWN * QUAD, COLUMN_STEP = LANES_ACROSS * QUAD;
constexpr int PAD = 4;  // puts the rows of a shared tile into different banks, 16 bytes stay 16

// The packs of a tile that one thread carries from global to shared memory. A tile has LINES rows
// of a (or columns of b) and DEPTH steps. Neighbouring threads take neighbours in memory.
template <typename T, int LINES, int DEPTH, int THREADS, int VEC, bool ALONG_DEPTH> struct Carrier {
    static constexpr int ACROSS = (ALONG_DEPTH ? DEPTH : LINES) / VEC;  // packs side by side
    static constexpr int APART = THREADS / ACROSS;  // from one pack of a thread to its next
    static constexpr int PACKS = LINES * DEPTH / VEC / THREADS;
    static constexpr int OWN_LINES = ALONG_DEPTH ? PACKS : 1;
    static constexpr int OWN_DEPTHS = ALONG_DEPTH ? 1 : PACKS;
    static constexpr int STRIDE = DEPTH / OWN_DEPTHS;  // from a depth to the next, across tiles too
    static_assert(PACKS * VEC * THREADS == LINES * DEPTH && APART * ACROSS == THREADS, "");

    Pack<T, VEC> packs[OWN_DEPTHS][OWN_LINES];

    __device__ static int line(int own) {
        return ALONG_DEPTH ? threadIdx.x / ACROSS + own * APART : threadIdx.x % ACROSS * VEC;
    }

    __device__ static int depth(int own) {
        return ALONG_DEPTH ? threadIdx.x % ACROSS * VEC : threadIdx.x / ACROSS + own * APART;
    }

    // No read where there is nothing to read, and no branch either: loads and sums can overlap.
    __device__ void take(int own_depth, int own_line, bool valid, const T* from, long long offset) {
        packs[own_depth][own_line] = valid ? load_pack<VEC>(from + offset) : Pack<T, VEC>{};
    }

    // Tiles lie as [depth][line], so packs that lie along the depth are turned.
    __device__ void put(T (&tile)[DEPTH][LINES + PAD]) const {
#pragma unroll
        for (int d = 0; d < OWN_DEPTHS; ++d) {
#pragma unroll
            for (int l = 0; l < OWN_LINES; ++l) {
                if constexpr (ALONG_DEPTH) {
#pragma unroll
                    for (int e = 0; e < VEC; ++e) tile[depth(d) + e][line(l)] = packs[d][l][e];
                } else {
                    store_pack(&tile[depth(d)][line(l)], packs[d][l]);
                }
            }
        }
    }
};

// A thread's rows (or columns) of one step of a shared tile.
template <typename T, int COUNT>
__device__ __forceinline__ void read_quads(T (&values)[COUNT], const T* step, int first,
                                           int apart) {
#pragma unroll
    for (int quad = 0; quad < COUNT / QUAD; ++quad) {
        const Pack<T, QUAD> pack = load_pack<QUAD>(step + first + quad * apart);
#pragma unroll
        for (int e = 0; e < QUAD; ++e) values[quad * QUAD + e] = pack[e];
    }
}

// sums += a tile @ b tile, for this thread's rows and columns.
template <typename T, int BK, int A_PITCH, int B_PITCH, int TM, int TN>
__device__ __forceinline__ void multiply(T (&sums)[TM][TN], const T (&a_tile)[BK][A_PITCH],
                                         const T (&b_tile)[BK][B_PITCH], int row, int column) {
#pragma unroll
    for (int step = 0; step < BK; ++step) {
        T a[TM], b[TN];
        read_quads(a, a_tile[step], row, ROW_STEP);
        read_quads(b, b_tile[step], column, COLUMN_STEP);
#pragma unroll
        for (int m = 0; m < TM; ++m) {
#pragma unroll
            for (int n = 0; n < TN; ++n) sums[m][n] += a[m] * b[n];
        }
    }
}

// Writes what lies inside c, with bias and ReLU; a NaN stays one.
template <int VEC, typename Problem, typename T, int TM, int TN>
__device__ __forceinline__ void store(const T (&sums)[TM][TN], const Problem& problem,
                                      const T* bias, int relu, T* c, long long first_row,
                                      int first_column) {
#pragma unroll
    for (int m = 0; m < TM; ++m) {
        const long long row = first_row + m / QUAD * ROW_STEP + m % QUAD;
        if (row >= problem.rows) continue;
#pragma unroll
        for (int n = 0; n < TN; n += VEC) {
            const int column = first_column + n / QUAD * COLUMN_STEP + n % QUAD;
            if (column >= problem.columns) continue;
            Pack<T, VEC> values;
#pragma unroll
            for (int e = 0; e < VEC; ++e) {
                T value = sums[m][n + e];
                if (bias != nullptr) value += bias[problem.first_column + column + e];
                values[e] = relu && value < 0 ? T(0) : value;
            }
            store_pack(c + problem.c_offset(row, column), values);
        }
    }
}

template <typename Problem, typename T, int BM, int BN, int BK, int TM, int TN, int VEC>
__global__ void __launch_bounds__(BM / TM * (BN / TN), 512 / (BM / TM * (BN / TN)))
    conv_register(const T* __restrict__ a, const T* __restrict__ b, const T* __restrict__ bias,
                  T* __restrict__ c, Window window, int N, int C, int O, int groups, int splits,
                  long long size, int relu) {
    constexpr int THREADS = BM / TM * (BN / TN), WARPS_ACROSS = BN / (LANES_ACROSS * TN);
    using ACarrier = Carrier<T, BM, BK, THREADS, VEC, Problem::A_ALONG_DEPTH>;
    using BCarrier = Carrier<T, BN, BK, THREADS, VEC, Problem::B_ALONG_DEPTH>;
    alignas(16) __shared__ T a_tiles[2][BK][BM + PAD];
    alignas(16) __shared__ T b_tiles[2][BK][BN + PAD];
    __shared__ Share share;
    __shared__ Problem problem;
    __shared__ Range range;
    __shared__ Digits stride;
    __shared__ Part a_rows[BM];

    if (threadIdx.x == 0) {
        share = Share(BM, BN, splits);
        problem = Problem(window, N, C, O, groups, share.part);
        range = Range(problem.depth, BK, splits, share.split);
        stride = problem.depth_radix().digits(ACarrier::STRIDE);
    }
    __syncthreads();
    if (share.first_row >= problem.rows) return;  // the whole block: a phase with fewer pixels
    for (int line = threadIdx.x; line < BM; line += THREADS) {
        const long long row = share.first_row + line;
        a_rows[line] = row < problem.rows ? problem.row(row) : outside();
    }
    __syncthreads();

    ACarrier a_carrier;
    BCarrier b_carrier;
    // Only InputGrad asks for digits to find b, and there b is carried at the depths of a.
    Digits digits = problem.depth_radix().digits(range.begin + ACarrier::depth(0));
    const auto fetch = [&](int first) {  // the tiles that start `first` steps into the range
        const Digits b_digits = digits;
#pragma unroll
        for (int d = 0; d < ACarrier::OWN_DEPTHS; ++d) {
            const bool valid = first + ACarrier::depth(d) < range.count;
            const Part part = valid ? problem.depth_part(digits) : outside();
#pragma unroll
            for (int l = 0; l < ACarrier::OWN_LINES; ++l) {
                const Part& row = a_rows[ACarrier::line(l)];
                const Image image = problem.image();
                a_carrier.take(d, l, image.holds(row, part), a, image.offset(row, part));
            }
            digits = problem.depth_radix().add(digits, stride);
        }
#pragma unroll
        for (int d = 0; d < BCarrier::OWN_DEPTHS; ++d) {
            const int depth = first + BCarrier::depth(d);
#pragma unroll
            for (int l = 0; l < BCarrier::OWN_LINES; ++l) {
                const int column = share.first_column + BCarrier::line(l);
                const bool valid = depth < range.count && column < problem.columns;
                const long long offset = problem.b_offset(range.begin + depth, b_digits, column);
                b_carrier.take(d, l, valid, b, offset);
            }
        }
    };

    const int warp = threadIdx.x / WARP, lane = threadIdx.x % WARP;
    const int row = warp / WARPS_ACROSS * LANES_DOWN * TM + lane / LANES_ACROSS * QUAD;
    const int column = warp % WARPS_ACROSS * LANES_ACROSS * TN + lane % LANES_ACROSS * QUAD;
    T sums[TM][TN] = {};
    int now = 0;
    fetch(0);
    a_carrier.put(a_tiles[now]);
    b_carrier.put(b_tiles[now]);
    __syncthreads();
    for (int first = 0; first < range.count; first += BK) {
        fetch(first + BK);  // behind the last tile: zeros, and no read
        multiply(sums, a_tiles[now], b_tiles[now], row, column);
        now ^= 1;
        a_carrier.put(a_tiles[now]);
        b_carrier.put(b_tiles[now]);
        __syncthreads();  // the next tile is full, and everyone has read this one
    }
    store<VEC>(sums, problem, bias, relu, c + share.split * size, share.first_row + row,
               share.first_column + column);
}

KERNEL(conv_register<Forward, float, 128, 128, 8, 8, 8, 4>);
KERNEL(conv_register<Forward, float, 128, 64, 8, 8, 8, 4>);
KERNEL(conv_register<Forward, float, 64, 64, 16, 4, 4, 4>);
KERNEL(conv_register<Forward, float, 64, 64, 16, 4, 4, 1>);
KERNEL(conv_register<Forward, double, 64, 64, 8, 4, 4, 1>);
KERNEL(conv_register<InputGrad, float, 128, 128, 8, 8, 8, 4>);
KERNEL(conv_register<InputGrad, float, 128, 64, 8, 8, 8, 4>);
KERNEL(conv_register<InputGrad, float, 64, 64, 16, 4, 4, 4>);
KERNEL(conv_register<InputGrad, float, 64, 64, 16, 4, 4, 1>);
KERNEL(conv_register<InputGrad, double, 64, 64, 8, 4, 4, 1>);
KERNEL(conv_register<FilterGrad, float, 128, 128, 8, 8, 8, 4>);
KERNEL(conv_register<FilterGrad, float, 128, 64, 8, 8, 8, 4>);
KERNEL(conv_register<FilterGrad, float, 64, 64, 16, 4, 4, 4>);
KERNEL(conv_register<FilterGrad, float, 64, 64, 16, 4, 4, 1>);
KERNEL(conv_register<FilterGrad, double, 64, 64, 8, 4, 4, 1>);
