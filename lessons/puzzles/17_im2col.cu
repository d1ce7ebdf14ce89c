// im2col: windows become rows of a matrix.
//
//     columns[position][tap][c] = x[n][h][w][c],   position = (n * out_height + p) * out_width + q
//     tap = 3 kh + kw,   h = 2 p + kh - 1,   w = 2 q + kw - 1;   0 where h or w lies outside
//     x (2, height, width, channels), columns (2 * out_height * out_width, 9, channels)
//
// height = 6, width = 7, channels = 8, out_height = 3, out_width = 4: a 3x3 window, stride 2, one
// pixel of padding above and left. total is how many numbers columns has; there are more threads.
// Channels lie next to each other, on both sides.
__global__ void im2col(const float* x, float* columns, int height, int width, int channels,
                       int out_height, int out_width, int total) {
    // yours
}
