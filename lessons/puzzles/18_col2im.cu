// col2im by gather: the way back, without atomics.
//
//     x[n][h][w][c] = sum of columns[position][tap][c] over all (position, tap)
//                     that im2col filled from it
//     position = (n * out_height + p) * out_width + q,   tap = 3 kh + kw
//     columns (2 * out_height * out_width, 9, channels), x (2, height, width, channels)
//
// height = 6, width = 7, channels = 8, out_height = 3, out_width = 4, as in im2col; total is how
// many numbers x has. Ask from the pixel: which kh and p have 2 p + kh - 1 = h, which kw and q have
// 2 q + kw - 1 = w? Each thread adds for one pixel and channel. It owns its sum: no atomic, and the
// same bits every time. x is given as zeros.
__global__ void col2im(const float* columns, float* x, int height, int width, int channels,
                       int out_height, int out_width, int total) {
    // yours
}
