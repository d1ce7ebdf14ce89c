#include "common.cuh"

__global__ void mma(const float* a, const float* b, float* d) {
    const int group = threadIdx.x / 4, pair = threadIdx.x % 4;
    float sum[4] = {};
    for (int k = 0; k < 16; k += 8) {
        const unsigned left[4] = {
            round_tf32(a[group * 16 + k + pair]),
            round_tf32(a[(group + 8) * 16 + k + pair]),
            round_tf32(a[group * 16 + k + pair + 4]),
            round_tf32(a[(group + 8) * 16 + k + pair + 4]),
        };
        const unsigned right[2] = {
            round_tf32(b[(k + pair) * 8 + group]),
            round_tf32(b[(k + pair + 4) * 8 + group]),
        };
        mma_tf32(sum, left, right);
    }
    for (int half = 0; half < 2; ++half)
        for (int k = 0; k < 2; ++k) d[(group + 8 * half) * 8 + 2 * pair + k] = sum[2 * half + k];
}
