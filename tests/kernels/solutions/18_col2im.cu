__global__ void col2im(const float* columns, float* x, int height, int width, int channels,
                       int out_height, int out_width, int total) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= total) return;
    const int c = i % channels, w = i / channels % width, h = i / channels / width % height;
    const int n = i / channels / width / height;
    float sum = 0;
    for (int kh = 0; kh < 3; ++kh) {
        for (int kw = 0; kw < 3; ++kw) {
            const int p2 = h + 1 - kh, q2 = w + 1 - kw;  // twice the position, if there is one
            if (p2 < 0 || q2 < 0 || p2 % 2 || q2 % 2) continue;
            const int p = p2 / 2, q = q2 / 2;
            if (p >= out_height || q >= out_width) continue;
            const int position = (n * out_height + p) * out_width + q;
            sum += columns[(position * 9 + kh * 3 + kw) * channels + c];
        }
    }
    x[i] = sum;
}
