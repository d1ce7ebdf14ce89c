// Winograd F(2, 3): two outputs of a 3-tap filter with four products.
//
//     d = x[r][2t] ... x[r][2t + 3]
//     m0 = (d0 - d2) u0,   m1 = (d1 + d2) u1,   m2 = (d2 - d1) u2,   m3 = (d1 - d3) u3
//     y[r][2t] = m0 + m1 + m2,   y[r][2t + 1] = m1 - m2 - m3
//     x (8, width), u (4), the filter already transformed, y (8, width - 2)
//
// width = 64. Block r serves row r; its thread t makes pair t of `pairs` = 31, and the 32nd thread
// none. Each thread reads eight numbers.
__global__ void winograd(const float* x, const float* u, float* y, int width, int pairs) {
    // yours
}
