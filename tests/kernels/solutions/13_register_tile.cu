__global__ void register_tile(const float* a, const float* b, float* y, int depth, int width) {
    __shared__ float as[16][16], bs[16][16];
    const int tx = threadIdx.x, ty = threadIdx.y;
    const int top = blockIdx.y * 16, column = blockIdx.x * 16 + tx;
    float sum[4] = {};
    for (int k0 = 0; k0 < depth; k0 += 16) {
        for (int r = ty; r < 16; r += 4) {
            as[r][tx] = a[(top + r) * depth + k0 + tx];
            bs[r][tx] = b[(k0 + r) * width + column];
        }
        __syncthreads();
        for (int k = 0; k < 16; ++k) {
            const float right = bs[k][tx];
            for (int o = 0; o < 4; ++o) sum[o] += as[ty + 4 * o][k] * right;
        }
        __syncthreads();
    }
    for (int o = 0; o < 4; ++o) y[(top + ty + 4 * o) * width + column] = sum[o];
}
