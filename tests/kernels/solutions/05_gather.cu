__global__ void gather(const float* x, const int* from, float* y) {
    __shared__ float row[128];
    const int t = threadIdx.x, i = blockIdx.x * 128 + t;
    row[t] = x[i];
    __syncthreads();
    y[i] = row[from[t]];
}
