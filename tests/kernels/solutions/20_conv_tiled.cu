__global__ void conv_tiled(const float* x, const float* filter, float* y, int width) {
    __shared__ float tile[10][34], taps[9];
    const int tx = threadIdx.x, ty = threadIdx.y, t = ty * 32 + tx;
    const int left = blockIdx.x * 32, top = blockIdx.y * 8;
    for (int k = t; k < 340; k += 256) tile[k / 34][k % 34] = x[(top + k / 34) * width + left + k % 34];
    if (t < 9) taps[t] = filter[t];
    __syncthreads();
    float sum = 0;
    for (int kh = 0; kh < 3; ++kh)
        for (int kw = 0; kw < 3; ++kw) sum += tile[ty + kh][tx + kw] * taps[kh * 3 + kw];
    y[(top + ty) * (width - 2) + left + tx] = sum;
}
