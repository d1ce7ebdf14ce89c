// Rung 3 of the convolution ladder: implicit GEMM on tensor cores, fed by a pipeline of copies.
//
// A block computes a tile of ROWS x COLUMNS of c = a @ b (implicit_gemm.cuh says what these are for
// each of the three convolutions), a warp 32 columns of it and ROWS * COLUMNS / THREADS rows, by
// mma instructions that multiply 16 x 32 bytes by 32 bytes x 8 at once. While they work on one
// slice, 64 bytes of depth, cp.async brings the next three into shared memory. Its zero-fill is
// the padding of the image and all that lies beyond the ends of a and b. One barrier per slice
// does two jobs: everyone's copies of this slice are there, and everyone has done with the slice
// before, whose place the copies that are started next will take.
//
// Memory: the slices in shared memory are laid out for those who read them, ldmatrix; so the copies,
// 16 bytes each, are stored in up to 2 wavefronts. Four lanes store 8 neighbours of a row, as mma
// leaves them: 32 bytes of float32, but half a sector of float16.
//
// Factors are rounded to TF32 (10 bits after the point) or are float16; sums are float32. The twin
// is minitensor/backend/numpy/direct.py on rounded factors. Not here: Hopper's wgmma and TMA, and
// the choice of a tile (minitensor/backend/host/tensor.py).
#pragma once
#include "common.cuh"
#include "window.cuh"
#include "implicit_gemm.cuh"

constexpr int STAGES = 4;  // slices in shared memory: one in use, three on their way

// ----- global to shared memory -----

// How THREADS threads copy LINES rows (or columns) of one slice, WIDTH neighbours at a time. The
// slice lies as [line][depth] where neighbours in memory are neighbours in depth, else as
// [depth][line]; 16 bytes (8 floats) more per row let the reads of a fragment meet all 32 banks.
template <typename T, bool ALONG_DEPTH, int LINES, int WIDTH, int THREADS> struct Slice {
    static constexpr bool along_depth = ALONG_DEPTH;
    static constexpr int depth = 64 / int(sizeof(T));
    static constexpr int inner = ALONG_DEPTH ? depth : LINES;
    static constexpr int pitch = inner + (ALONG_DEPTH || sizeof(T) == 2 ? 16 / int(sizeof(T)) : 8);
    static constexpr int size = pitch * (ALONG_DEPTH ? LINES : depth);
    static constexpr int chunks = LINES * depth / WIDTH / THREADS;  // copies of one thread
    static constexpr int apart = THREADS * WIDTH / inner;           // rows between them
    static_assert(THREADS * WIDTH % inner == 0, "the copies of a thread lie in one column");

    __device__ static int row() { return threadIdx.x / (inner / WIDTH); }
    __device__ static int column() { return threadIdx.x % (inner / WIDTH) * WIDTH; }
    // Where chunk i lies: its first line and its first depth.
    __device__ static int line(int i) { return ALONG_DEPTH ? row() + i * apart : column(); }
    __device__ static int step(int i) { return ALONG_DEPTH ? column() : row() + i * apart; }

    __device__ static void copy(T* slice, int i, const T* from, bool valid) {
        T* to = slice + row() * pitch + column();
        copy_async<WIDTH * int(sizeof(T))>(to + i * apart * pitch, from, valid);
    }
    __device__ static constexpr int at(int line, int depth) {
        return ALONG_DEPTH ? line * pitch + depth : depth * pitch + line;
    }
};

// Copies slice after slice of a and b. What the lines of a say is worked out once; the digits of
// the depth are counted on, and `b`, where it is a plain matrix, walks along. Where b is looked up
// under a tap, it lies along the depth as a does, and shares the digits.
template <typename Problem, typename T, typename SliceA, typename SliceB> struct Copies {
    static constexpr bool ALONG = Problem::A_ALONG_DEPTH, PLAIN = !Problem::B_ALONG_DEPTH;
    static constexpr int ROWS = ALONG ? SliceA::chunks : 1;  // of this thread
    const Problem& problem;
    const T *a, *b;
    Part rows[ROWS];
    Digits at, stride;
    int left, column;  // depth from the next slice on; of b, this thread's first

    __device__ Copies(const Problem& problem, const T* a, const T* b, const Share& share,
                      const Range& range)
        : problem(problem), a(a), b(b),
          at(problem.depth_radix().digits(range.begin + SliceA::step(0))),
          stride(problem.depth_radix().digits(ALONG ? SliceA::depth : SliceA::apart)),
          left(range.count), column(share.first_column + SliceB::line(0)) {
        if (PLAIN) this->b += problem.b_offset(range.begin + SliceB::step(0), at, column);
#pragma unroll
        for (int i = 0; i < ROWS; ++i) {
            const long long row = share.first_row + SliceA::line(i);
            rows[i] = row < problem.rows ? problem.row(row) : outside();
        }
    }

    __device__ void next(T* a_slice, T* b_slice) {
#pragma unroll
        for (int i = 0; i < SliceB::chunks; ++i) {
            const int own = column + SliceB::line(i) - SliceB::line(0);
            const bool valid = SliceB::step(i) < left && own < problem.columns;
            const long long down = i * SliceB::apart;
            const T* from = b + (PLAIN ? down * problem.O : problem.b_offset(0, at, own));
            SliceB::copy(b_slice, i, from, valid);
        }
        if (PLAIN) b += static_cast<long long>(SliceB::depth) * problem.O;
#pragma unroll
        for (int i = 0; i < SliceA::chunks; ++i) {
            const Part& row = rows[ALONG ? i : 0];
            const Part part = problem.depth_part(at);
            const bool valid = SliceA::step(i) < left && problem.image().holds(row, part);
            SliceA::copy(a_slice, i, a + problem.image().offset(row, part), valid);
            if (!ALONG) at = problem.depth_radix().add(at, stride);
        }
        if (ALONG) at = problem.depth_radix().add(at, stride);
    }
};

// ----- shared memory to registers to tensor cores -----

// Fragments of 16 lines x 32 bytes of depth, four words of each lane: from each quarter, 8 lines x
// 16 bytes, one. Words of `a` run down the lines first; words of `b` along the depth, so that the
// two that mma takes for 8 columns are neighbours, and no register has to be moved. To ldmatrix
// 16 bytes are 16 bytes: it serves TF32 too, except where it would have to transpose.
template <typename T, typename Slice, bool IS_B> struct Fragments {
    static constexpr int half = 16 / int(sizeof(T));  // of the depth of a fragment
    static constexpr bool by_matrix = Slice::along_depth || sizeof(T) == 2;

    // The first line and the first depth of a quarter.
    __device__ static int line(int quarter) { return (IS_B ? quarter / 2 : quarter % 2) * 8; }
    __device__ static int depth(int quarter) { return (IS_B ? quarter % 2 : quarter / 2) * half; }

    // Where this thread looks in a fragment that begins with line `first`: for ldmatrix at row
    // lane % 8 of quarter lane / 8, else at its own element of quarter 0.
    __device__ static int own(int first) {
        const int lane = threadIdx.x % warpSize, quarter = lane / 8, row = lane % 8;
        if (!by_matrix) return Slice::at(first + lane / 4, lane % 4);
        if (Slice::along_depth) return Slice::at(first + line(quarter) + row, depth(quarter));
        return Slice::at(first + line(quarter), depth(quarter) + row);
    }

    __device__ static void load(unsigned (&words)[4], const T* from) {
        if constexpr (Slice::along_depth) {
            load_matrix_x4(words, from);
        } else if constexpr (by_matrix) {
            load_matrix_x4_transposed(words, from);
        } else {
#pragma unroll
            for (int q = 0; q < 4; ++q) {
                words[q] = __float_as_uint(from[Slice::at(line(q), depth(q))]);
            }
        }
        if constexpr (sizeof(T) == 4) {
#pragma unroll
            for (int q = 0; q < 4; ++q) words[q] = round_tf32(__uint_as_float(words[q]));
        }
    }
};

// sums += a @ b over one slice, for the warp's part of the tile. The slices are given from where
// this thread looks.
template <typename SliceA, typename SliceB, typename T, int DOWN, int ACROSS>
__device__ __forceinline__ void multiply_slice(float (&sums)[DOWN][ACROSS][4], const T* a_slice,
                                               const T* b_slice) {
#pragma unroll
    for (int depth = 0; depth < SliceA::depth; depth += SliceA::depth / 2) {
        unsigned a[DOWN][4], b[ACROSS / 2][4];
#pragma unroll
        for (int i = 0; i < DOWN; ++i) {
            Fragments<T, SliceA, false>::load(a[i], a_slice + SliceA::at(16 * i, depth));
        }
#pragma unroll
        for (int j = 0; j < ACROSS / 2; ++j) {
            Fragments<T, SliceB, true>::load(b[j], b_slice + SliceB::at(16 * j, depth));
        }
#pragma unroll
        for (int i = 0; i < DOWN; ++i) {
#pragma unroll
            for (int j = 0; j < ACROSS; ++j) {
                const unsigned columns[2] = {b[j / 2][j % 2 * 2], b[j / 2][j % 2 * 2 + 1]};
                if constexpr (sizeof(T) == 4) mma_tf32(sums[i][j], a[i], columns);
                if constexpr (sizeof(T) == 2) mma_f16(sums[i][j], a[i], columns);
            }
        }
    }
}

// sums = a @ b over a range of the depth: the pipeline.
template <typename SliceA, typename SliceB, typename Problem, typename T, int DOWN, int ACROSS>
__device__ __forceinline__ void multiply_range(float (&sums)[DOWN][ACROSS][4],
                                               const Problem& problem, const T* a, const T* b,
                                               const Share& share, const Range& range, int row,
                                               int column) {
    DYNAMIC_SHARED(T, shared);
    T* shared_b = shared + STAGES * SliceA::size;
    Copies<Problem, T, SliceA, SliceB> copies(problem, a, b, share, range);
    const int own_a = Fragments<T, SliceA, false>::own(row);
    const int own_b = Fragments<T, SliceB, true>::own(column);
    const auto start = [&](int slice) {
        if (copies.left > 0) {
            const int free = slice % STAGES;
            copies.next(shared + free * SliceA::size, shared_b + free * SliceB::size);
        }
        copies.left -= SliceA::depth;
        copy_async_commit();  // an empty group too, so that the wait below counts right
    };
#pragma unroll(Problem::B_ALONG_DEPTH ? 1 : STAGES - 1)  // InputGrad is short of registers
    for (int slice = 0; slice < STAGES - 1; ++slice) start(slice);
    // The last STAGES - 1 slices are multiplied while what is left is counted on below zero.
    for (int slice = 0; copies.left > -(STAGES - 1) * SliceA::depth; ++slice) {
        copy_async_wait<STAGES - 2>();  // slice + STAGES - 1 groups are closed: this one has come
        __syncthreads();
        start(slice + STAGES - 1);
        const int stage = slice % STAGES;
        multiply_slice<SliceA, SliceB>(sums, shared + stage * SliceA::size + own_a,
                                       shared_b + stage * SliceB::size + own_b);
    }
}

// ----- registers to global memory -----

// Adds the bias, which may be null, and clamps if asked to; a NaN stays one.
template <typename T>
__device__ __forceinline__ float finished(float sum, const T* bias, int column, int relu) {
    const float value = bias == nullptr ? sum : sum + float(bias[column]);
    return relu && value < 0.0f ? 0.0f : value;
}

// The part of the warp's tile that this thread holds: pairs of neighbours, from (row, column) on,
// 8 rows and 8 columns apart.
template <typename Problem, typename T, typename Out, int DOWN, int ACROSS>
__device__ __forceinline__ void store(const float (&sums)[DOWN][ACROSS][4], const Problem& problem,
                                      Out* c, const T* bias, int relu, long long row, int column) {
    const bool paired = problem.columns % 2 == 0;  // then all pairs begin at an even offset
#pragma unroll
    for (int i = 0; i < 2 * DOWN; ++i) {
        if (row + 8 * i >= problem.rows) return;
        Out* to = c + problem.c_offset(row + 8 * i, 0);
#pragma unroll
        for (int j = 0; j < ACROSS; ++j) {
            const int at = column + 8 * j, number = problem.first_column + at;
            if (at >= problem.columns) continue;
            const Out first(finished(sums[i / 2][j][i % 2 * 2], bias, number, relu));
            if (at + 1 == problem.columns) {
                to[at] = first;
                continue;
            }
            const Out second(finished(sums[i / 2][j][i % 2 * 2 + 1], bias, number + 1, relu));
            if (paired) {
                store_pack(to + at, Pack<Out, 2>{{first, second}});
            } else {
                to[at] = first;
                to[at + 1] = second;
            }
        }
    }
}

// ----- the block -----

// With splits > 1 block s of a tile adds up the s-th piece of the depth only and writes to the s-th
// copy of c in `partials`, `size` numbers long, without bias; reduce_splits.cu adds the copies.
template <typename Problem, typename T, int ROWS, int COLUMNS, int THREADS, int WIDTH>
__device__ __forceinline__ void conv_tensor(const T* a, const T* b, const T* bias, T* c,
                                            float* partials, const Window& window, int N, int C,
                                            int O, int groups, int splits, long long size,
                                            int relu) {
    constexpr int WARP_ROWS = ROWS * COLUMNS / THREADS, WARPS_DOWN = ROWS / WARP_ROWS;
    using SliceA = Slice<T, Problem::A_ALONG_DEPTH, ROWS, WIDTH, THREADS>;
    using SliceB = Slice<T, Problem::B_ALONG_DEPTH, COLUMNS, WIDTH, THREADS>;

    const Share share(ROWS, COLUMNS, splits);
    const Problem problem(window, N, C, O, groups, share.part);
    if (share.first_row >= problem.rows) return;  // a phase of few pixels: nothing to do
    const Range range(problem.depth, SliceA::depth, splits, share.split);

    const int warp = threadIdx.x / warpSize, lane = threadIdx.x % warpSize;
    const int warp_row = warp % WARPS_DOWN * WARP_ROWS, warp_column = warp / WARPS_DOWN * 32;
    float sums[WARP_ROWS / 16][4][4] = {};
    if (range.count > 0) {  // else no tap meets this phase: zeros
        multiply_range<SliceA, SliceB>(sums, problem, a, b, share, range, warp_row, warp_column);
    }
    const long long row = share.first_row + warp_row + lane / 4;
    const int column = share.first_column + warp_column + lane % 4 * 2;
    if (splits > 1) {
        const T* none = nullptr;
        store(sums, problem, partials + share.split * size, none, 0, row, column);
    } else {
        store(sums, problem, c, bias, relu, row, column);
    }
}
