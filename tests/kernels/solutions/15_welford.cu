__global__ void welford(const float* x, float* mean, float* variance, int n, float shift) {
    const int lane = threadIdx.x, first = blockIdx.x * n;
    float count = 0, m = 0, square = 0;  // square: the sum of (value - m)^2
    for (int i = lane; i < n; i += 32) {
        const float value = x[first + i] + shift, apart = value - m;
        count += 1;
        m += apart / count;
        square += apart * (value - m);
    }
    for (int by = 16; by > 0; by /= 2) {
        const float c = __shfl_down_sync(0xffffffff, count, by);
        const float other = __shfl_down_sync(0xffffffff, m, by);
        const float s = __shfl_down_sync(0xffffffff, square, by);
        const float both = count + c, apart = other - m;
        m += apart * c / both;
        square += s + apart * apart * count * c / both;
        count = both;
    }
    if (lane == 0) mean[blockIdx.x] = m;
    if (lane == 0) variance[blockIdx.x] = square / n;
}
