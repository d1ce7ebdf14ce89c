__global__ void max_pool(const float* x, float* y, int* at, int width, int channels) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    const int c = i % channels, q = i / channels % (width / 2), p = i / channels / (width / 2);
    float most = 0;
    int where = -1;
    for (int k = 0; k < 4; ++k) {
        const float value = x[((2 * p + k / 2) * width + 2 * q + k % 2) * channels + c];
        if (where < 0 || value > most) {
            most = value;
            where = k;
        }
    }
    y[i] = most;
    at[i] = where;
}
