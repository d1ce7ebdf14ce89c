// Matrix product, four outputs per thread.
//
//     y[row][column] = sum over k of a[row][k] * b[k][column]
//     a (32, depth), b (depth, width), y (32, width)
//
// depth = 64, width = 48. As in matmul, but 16 x 4 threads make the 16 x 16 tile: the thread (tx,
// ty) makes rows ty, ty+4, ty+8 and ty+12 of column tx, in four sums that stay in registers. A
// number of b that was read from shared memory serves four products: 5 reads for 4 products, not 8.
__global__ void register_tile(const float* a, const float* b, float* y, int depth, int width) {
    // yours
}
