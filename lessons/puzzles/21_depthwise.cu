// Depthwise convolution: what was read slides through registers.
//
//     y[h][w][c] = sum over kh, kw of x[h + kh - 1][w + kw - 1][c] * filter[kh][kw][c];   x is 0 outside
//     x (height, width, channels), filter (3, 3, channels), y (height, width, channels)
//
// height = 8, width = 8, channels = 32. Block h makes row h, thread c channel c, and walks along
// w. Two of the three columns that the next output needs are there already: keep 3 x 3 numbers in
// registers and read three new ones per step.
__global__ void depthwise(const float* x, const float* filter, float* y, int height, int width,
                          int channels) {
    // yours
}
