// Where a kernel looks: the integers of minitensor/window.py, in the same order, passed by value.
//
// Position (i, j) of the output sees, under tap (u, v), the pixel
//     (i * sy + u * dy - top, j * sx + v * dx - left)
// of the image; pixels outside [0, H) x [0, W) are padding.
#pragma once

struct Window {
    int H, W;        // size of the image
    int h, w;        // positions that the kernel visits
    int kh, kw;      // taps
    int sy, sx;      // stride
    int dy, dx;      // dilation
    int top, left;   // padding before the image

    __device__ bool holds(int row, int column) const {
        // One comparison per axis: a negative number becomes a huge unsigned one.
        return unsigned(row) < unsigned(H) && unsigned(column) < unsigned(W);
    }
};
