__global__ void batch_norm(const float* x, const float* gamma, const float* beta, float* y,
                           int rows, int channels) {
    __shared__ float part[8][32];
    const int t = threadIdx.x, ty = threadIdx.y, c = blockIdx.x * 32 + t;
    float mean = 0, variance = 0;
    for (int r = ty; r < rows; r += 8) mean += x[r * channels + c];
    part[ty][t] = mean;
    __syncthreads();
    mean = 0;
    for (int k = 0; k < 8; ++k) mean += part[k][t] / rows;
    __syncthreads();
    for (int r = ty; r < rows; r += 8) {
        const float apart = x[r * channels + c] - mean;
        variance += apart * apart;
    }
    part[ty][t] = variance;
    __syncthreads();
    variance = 0;
    for (int k = 0; k < 8; ++k) variance += part[k][t] / rows;
    const float scale = gamma[c] * rsqrtf(variance + 1e-3f), offset = beta[c];
    for (int r = ty; r < rows; r += 8) y[r * channels + c] = (x[r * channels + c] - mean) * scale + offset;
}
