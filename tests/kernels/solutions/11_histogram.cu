__global__ void histogram(const int* x, int* y, int n) {
    __shared__ int count[16];
    const int t = threadIdx.x;
    if (t < 16) count[t] = 0;
    __syncthreads();
    for (int i = blockIdx.x * 64 + t; i < n; i += gridDim.x * 64) atomicAdd(&count[x[i]], 1);
    __syncthreads();
    if (t < 16) atomicAdd(&y[t], count[t]);
}
