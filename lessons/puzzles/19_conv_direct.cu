// Convolution by its definition.
//
//     y[p][q][o] = sum over kh, kw, c of x[p + kh][q + kw][c] * filter[kh][kw][c][o]
//     x (6, width, channels), filter (3, 3, channels, outputs), y (4, out_width, outputs)
//
// width = 6, channels = 4, out_width = 4, outputs = 8. One thread, one number of y; there are
// exactly 128. Let neighbouring threads have neighbouring outputs o: then they read neighbouring
// weights, and one pixel serves eight of them.
__global__ void conv_direct(const float* x, const float* filter, float* y, int width, int channels,
                            int out_width, int outputs) {
    // yours
}
