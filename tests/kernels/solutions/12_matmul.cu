__global__ void matmul(const float* a, const float* b, float* y, int depth, int width) {
    __shared__ float as[16][16], bs[16][16];
    const int tx = threadIdx.x, ty = threadIdx.y;
    const int row = blockIdx.y * 16 + ty, column = blockIdx.x * 16 + tx;
    float sum = 0;
    for (int k0 = 0; k0 < depth; k0 += 16) {
        as[ty][tx] = a[row * depth + k0 + tx];
        bs[ty][tx] = b[(k0 + ty) * width + column];
        __syncthreads();
        for (int k = 0; k < 16; ++k) sum += as[ty][k] * bs[k][tx];
        __syncthreads();
    }
    y[row * width + column] = sum;
}
