// Each machine wrapper of common.cuh in a kernel of its own, so that tests can compare GPU,
// emulator and plain NumPy: tests/test_kernels_tensor.py. No operation uses these kernels.
//
// One warp, matrices row by row in global memory. A thread brings the elements that the wrapper's
// comment gives it; that comment is what is tested.
#include "common.cuh"

// y[i] = bits of x[i] in TF32.
__global__ void __launch_bounds__(256)
    wrap_round_tf32(const float* __restrict__ x, float* __restrict__ y, long long total) {
    for (long long i = thread_index(); i < total; i += thread_count()) {
        y[i] = __uint_as_float(round_tf32(x[i]));
    }
}

// y[i] = x[i] through float16.
__global__ void __launch_bounds__(256)
    wrap_half(const float* __restrict__ x, half_t* __restrict__ half, float* __restrict__ y,
              long long total) {
    for (long long i = thread_index(); i < total; i += thread_count()) {
        half[i] = half_t(x[i]);
        y[i] = float(half[i]);
    }
}

// d (16, 8), read and written as mma spreads it: element `word` of this thread.
__device__ __forceinline__ int result_index(int word) {
    const int group = threadIdx.x / 4, pair = threadIdx.x % 4;
    return (group + word / 2 * 8) * 8 + 2 * pair + word % 2;
}

// d (16, 8) += a (16, 8) @ b (8, 8).
__global__ void __launch_bounds__(32)
    wrap_mma_tf32(const float* __restrict__ a, const float* __restrict__ b, float* __restrict__ d) {
    const int group = threadIdx.x / 4, pair = threadIdx.x % 4;
    unsigned left[4], right[2];
    for (int i = 0; i < 4; ++i) {
        left[i] = round_tf32(a[(group + i % 2 * 8) * 8 + pair + i / 2 * 4]);
    }
    for (int i = 0; i < 2; ++i) right[i] = round_tf32(b[(pair + i * 4) * 8 + group]);
    float sums[4];
    for (int i = 0; i < 4; ++i) sums[i] = d[result_index(i)];
    mma_tf32(sums, left, right);
    for (int i = 0; i < 4; ++i) d[result_index(i)] = sums[i];
}

__device__ __forceinline__ unsigned two_halves(half_t low, half_t high) {
    return low.bits | unsigned(high.bits) << 16;
}

// d (16, 8) += a (16, 16) @ b (16, 8).
__global__ void __launch_bounds__(32)
    wrap_mma_f16(const half_t* __restrict__ a, const half_t* __restrict__ b,
                 float* __restrict__ d) {
    const int group = threadIdx.x / 4, pair = threadIdx.x % 4;
    unsigned left[4], right[2];
    for (int i = 0; i < 4; ++i) {
        const half_t* from = a + (group + i % 2 * 8) * 16 + 2 * pair + i / 2 * 8;
        left[i] = two_halves(from[0], from[1]);
    }
    for (int i = 0; i < 2; ++i) {
        const half_t* from = b + (2 * pair + i * 8) * 8 + group;
        right[i] = two_halves(from[0], from[8]);
    }
    float sums[4];
    for (int i = 0; i < 4; ++i) sums[i] = d[result_index(i)];
    mma_f16(sums, left, right);
    for (int i = 0; i < 4; ++i) d[result_index(i)] = sums[i];
}

// words[lane][m] = two neighbours of matrix m of matrices (4, 8, 8), or of its transpose.
template <int TRANSPOSED>
__global__ void __launch_bounds__(32)
    wrap_load_matrix(const half_t* __restrict__ matrices, half_t* __restrict__ words) {
    __shared__ Pack<half_t, 8> rows[32];  // 16 bytes each, and aligned
    rows[threadIdx.x] = load_pack<8>(matrices + 8 * threadIdx.x);
    __syncwarp();
    unsigned mine[4];
    if constexpr (TRANSPOSED == 1) load_matrix_x4_transposed(mine, &rows[threadIdx.x]);
    if constexpr (TRANSPOSED == 0) load_matrix_x4(mine, &rows[threadIdx.x]);
    for (int m = 0; m < 4; ++m) {
        half_t* to = words + (threadIdx.x * 4 + m) * 2;
        to[0].bits = static_cast<unsigned short>(mine[m]);
        to[1].bits = static_cast<unsigned short>(mine[m] >> 16);
    }
}

// y = x where valid, else zeros, chunk by chunk, a chunk per thread and group of copies: two groups
// are started, and the first is read while the second may still be on its way.
template <int BYTES>
__global__ void __launch_bounds__(32)
    wrap_copy_async(const float* __restrict__ x, const int* __restrict__ valid,
                    float* __restrict__ y) {
    constexpr int NUMBERS = BYTES / 4;
    __shared__ Pack<float, NUMBERS> chunks[64];
    for (int group = 0; group < 2; ++group) {
        const int chunk = group * 32 + threadIdx.x;
        copy_async<BYTES>(&chunks[chunk], x + chunk * NUMBERS, valid[chunk] != 0);
        copy_async_commit();
    }
    copy_async_wait<1>();
    __syncthreads();
    const int other = 31 - threadIdx.x;  // what another thread has brought
    for (int i = 0; i < NUMBERS; ++i) y[other * NUMBERS + i] = chunks[other][i];
    copy_async_wait<0>();
    __syncthreads();
    for (int i = 0; i < NUMBERS; ++i) y[(32 + other) * NUMBERS + i] = chunks[32 + other][i];
}

KERNEL(wrap_round_tf32);
KERNEL(wrap_half);
KERNEL(wrap_mma_tf32);
KERNEL(wrap_mma_f16);
KERNEL(wrap_load_matrix<0>);
KERNEL(wrap_load_matrix<1>);
KERNEL(wrap_copy_async<4>);
KERNEL(wrap_copy_async<16>);
