__global__ void scan(const float* x, float* y) {
    __shared__ float sum[128];
    const int t = threadIdx.x, i = blockIdx.x * 128 + t;
    sum[t] = x[i];
    for (int by = 1; by < 128; by *= 2) {
        __syncthreads();
        const float before = t >= by ? sum[t - by] : 0;
        __syncthreads();
        sum[t] += before;
    }
    y[i] = sum[t];
}
