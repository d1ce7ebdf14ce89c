__global__ void dot(const float* a, const float* b, float* y, int n) {
    const int lane = threadIdx.x, row = blockIdx.x;
    float sum = 0;
    for (int i = lane; i < n; i += 32) sum += a[row * n + i] * b[row * n + i];
    for (int by = 16; by > 0; by /= 2) sum += __shfl_down_sync(0xffffffff, sum, by);
    if (lane == 0) y[row] = sum;
}
