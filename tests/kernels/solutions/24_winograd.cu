__global__ void winograd(const float* x, const float* u, float* y, int width, int pairs) {
    const int pair = threadIdx.x, row = blockIdx.x;
    if (pair >= pairs) return;
    const float* d = x + row * width + 2 * pair;
    const float d0 = d[0], d1 = d[1], d2 = d[2], d3 = d[3];
    const float m0 = (d0 - d2) * u[0], m1 = (d1 + d2) * u[1];
    const float m2 = (d2 - d1) * u[2], m3 = (d1 - d3) * u[3];
    float* out = y + row * (width - 2) + 2 * pair;
    out[0] = m0 + m1 + m2;
    out[1] = m1 - m2 - m3;
}
