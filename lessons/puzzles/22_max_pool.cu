// Max pooling, and where the maximum stood.
//
//     y[p][q][c] = the largest of x[2p + k/2][2q + k%2][c] for k = 0, 1, 2, 3;   at[p][q][c] = the first such k
//     x (8, width, channels), y, at (4, width / 2, channels)
//
// width = 8, channels = 16; exactly 256 threads. x has equal numbers: the first of them counts, as
// in TensorFlow.
__global__ void max_pool(const float* x, float* y, int* at, int width, int channels) {
    // yours
}
