__global__ void transpose(const float* x, float* y, int height, int width) {
    __shared__ float tile[32][33];  // one column more: a column of the tile meets 32 banks
    const int left = blockIdx.x * 32, top = blockIdx.y * 32;
    const int t = threadIdx.x;
    for (int r = threadIdx.y; r < 32; r += 8) tile[r][t] = x[(top + r) * width + left + t];
    __syncthreads();
    for (int r = threadIdx.y; r < 32; r += 8) y[(left + r) * height + top + t] = tile[t][r];
}
