__global__ void im2col(const float* x, float* columns, int height, int width, int channels,
                       int out_height, int out_width, int total) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= total) return;
    const int c = i % channels, kw = i / channels % 3, kh = i / channels / 3 % 3;
    const int position = i / channels / 9;
    const int q = position % out_width, p = position / out_width % out_height;
    const int n = position / out_width / out_height;
    const int h = 2 * p + kh - 1, w = 2 * q + kw - 1;
    const bool inside = h >= 0 && h < height && w >= 0 && w < width;
    columns[i] = inside ? x[((n * height + h) * width + w) * channels + c] : 0;
}
