__global__ void softmax(const float* x, float* y, int n, float scale) {
    __shared__ float row[256], part[64];
    const int t = threadIdx.x, first = blockIdx.x * n;
    float most = -INFINITY;
    for (int i = t; i < n; i += 64) {
        row[i] = scale * x[first + i];
        most = fmaxf(most, row[i]);
    }
    part[t] = most;
    for (int half = 32; half > 0; half /= 2) {
        __syncthreads();
        if (t < half) part[t] = fmaxf(part[t], part[t + half]);
    }
    __syncthreads();
    most = part[0];
    __syncthreads();  // before part is written again
    float sum = 0;
    for (int i = t; i < n; i += 64) sum += row[i] = expf(row[i] - most);
    part[t] = sum;
    for (int half = 32; half > 0; half /= 2) {
        __syncthreads();
        if (t < half) part[t] += part[t + half];
    }
    __syncthreads();
    for (int i = t; i < n; i += 64) y[first + i] = row[i] / part[0];
}
