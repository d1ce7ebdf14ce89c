// Matrix product in tiles.
//
//     y[row][column] = sum over k of a[row][k] * b[k][column]
//     a (32, depth), b (depth, width), y (32, width)
//
// depth = 64, width = 48; every size is a multiple of 16. A block of 16 x 16 threads makes a 16 x
// 16 tile of y, one number each. In steps of 16 along k: all threads bring a tile of a and a tile
// of b to shared memory, one number each; wait; each adds its 16 products; wait, before the tiles
// are overwritten. 8 reads per thread instead of 128.
__global__ void matmul(const float* a, const float* b, float* y, int depth, int width) {
    // yours
}
