// Max pooling backward, overlapping windows, by gather.
//
//     dx[h][w][c] = sum of dy[p][q][c] over the windows (p, q) that chose this pixel:
//                   at[p][q][c] = 3 kh + kw,   h = 2 p + kh,   w = 2 q + kw
//     dy, at (out_width, out_width, channels), dx (width, width, channels)
//
// width = 9, channels = 16, out_width = 4: 3x3 windows, stride 2. A pixel lies in up to four
// windows. total is how many numbers dx has; there are more threads.
__global__ void max_pool_grad(const float* dy, const int* at, float* dx, int width, int channels,
                              int out_width, int total) {
    // yours
}
