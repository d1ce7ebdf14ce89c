// Grid stride: more numbers than threads.
//
//     y[i] = x[i] * x[i]                     x (n), y (n)
//
// 2 blocks of 64 threads, n = 1000: each thread takes several numbers. gridDim.x is how many
// blocks there are. In each round neighbouring threads should take neighbouring numbers.
__global__ void grid_stride(const float* x, float* y, int n) {
    // yours
}
