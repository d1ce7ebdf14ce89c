__global__ void depthwise(const float* x, const float* filter, float* y, int height, int width,
                          int channels) {
    const int c = threadIdx.x, row = blockIdx.x;
    float taps[3][3], seen[3][3] = {};  // seen: the columns left of, at and right of the output
    for (int kh = 0; kh < 3; ++kh)
        for (int kw = 0; kw < 3; ++kw) taps[kh][kw] = filter[(kh * 3 + kw) * channels + c];
    for (int w = -1; w < width; ++w) {
        for (int kh = 0; kh < 3; ++kh) {
            const int h = row + kh - 1;
            const bool inside = h >= 0 && h < height && w + 1 < width;
            seen[kh][0] = seen[kh][1];
            seen[kh][1] = seen[kh][2];
            seen[kh][2] = inside ? x[(h * width + w + 1) * channels + c] : 0;
        }
        if (w < 0) continue;
        float sum = 0;
        for (int kh = 0; kh < 3; ++kh)
            for (int kw = 0; kw < 3; ++kw) sum += seen[kh][kw] * taps[kh][kw];
        y[(row * width + w) * channels + c] = sum;
    }
}
