// A tensor core's tile: 16 x 8 numbers by one warp.
//
//     d[i][j] = sum over k of a[i][k] * b[k][j],   factors rounded to TF32
//     a (16, 16), b (16, 8), d (16, 8)
//
// "common.cuh" has round_tf32(float), and mma_tf32(sum, left, right), which adds the product of a
// 16 x 8 and an 8 x 8 matrix; all 32 lanes call it, each with its part. With group = lane / 4 and
// pair = lane % 4:
//     left[4]  = a at (group, pair), (group+8, pair), (group, pair+4), (group+8, pair+4)
//     right[2] = b at (pair, group), (pair+4, group)
//     sum[4]   = d at (group, 2 pair), (group, 2 pair + 1), (group+8, 2 pair), (group+8, 2 pair + 1)
// left and right are `unsigned`, which round_tf32 gives; sum is `float`, and a call adds to it. Here
// k has 16 steps: two calls.
#include "common.cuh"

__global__ void mma(const float* a, const float* b, float* d) {
    // yours
}
