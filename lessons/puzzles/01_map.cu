// Map: one thread, one number.
//
//     y[i] = 2 x[i] + 1                      x (128), y (128)
//
// There are exactly as many threads as numbers: 4 blocks of 32. A thread knows its block by
// blockIdx.x, its place in it by threadIdx.x, and how many threads a block has by blockDim.x.
__global__ void map(const float* x, float* y) {
    // yours
}
