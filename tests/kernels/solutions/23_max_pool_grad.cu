__global__ void max_pool_grad(const float* dy, const int* at, float* dx, int width, int channels,
                              int out_width, int total) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= total) return;
    const int c = i % channels, w = i / channels % width, h = i / channels / width;
    float sum = 0;
    for (int kh = 0; kh < 3; ++kh) {
        for (int kw = 0; kw < 3; ++kw) {
            if (h < kh || w < kw || (h - kh) % 2 || (w - kw) % 2) continue;
            const int p = (h - kh) / 2, q = (w - kw) / 2;
            if (p >= out_width || q >= out_width) continue;
            const int position = (p * out_width + q) * channels + c;
            if (at[position] == kh * 3 + kw) sum += dy[position];
        }
    }
    dx[i] = sum;
}
