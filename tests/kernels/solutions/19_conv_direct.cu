__global__ void conv_direct(const float* x, const float* filter, float* y, int width, int channels,
                            int out_width, int outputs) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    const int o = i % outputs, q = i / outputs % out_width, p = i / outputs / out_width;
    float sum = 0;
    for (int kh = 0; kh < 3; ++kh)
        for (int kw = 0; kw < 3; ++kw)
            for (int c = 0; c < channels; ++c)
                sum += x[((p + kh) * width + q + kw) * channels + c] *
                       filter[((kh * 3 + kw) * channels + c) * outputs + o];
    y[i] = sum;
}
