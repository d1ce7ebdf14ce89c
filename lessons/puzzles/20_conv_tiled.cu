// Convolution from a tile with its halo.
//
//     y[p][q] = sum over kh, kw of x[p + kh][q + kw] * filter[kh][kw]
//     x (18, width), filter (3, 3), y (16, width - 2)
//
// width = 66. A block of 32 x 8 threads makes 32 x 8 numbers of y: it needs 34 x 10 of x and nine
// weights. Bring each of them to shared memory once: 1.4 reads per thread instead of 18.
__global__ void conv_tiled(const float* x, const float* filter, float* y, int width) {
    // yours
}
