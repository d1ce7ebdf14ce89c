// Transpose: neighbours on both sides, and no bank twice.
//
//     y[column][row] = x[row][column]              x (height, width), y (width, height)
//
// height = 64, width = 96, both multiples of 32. A block of 32 x 8 threads moves a 32 x 32 tile:
// it reads rows of x, and writes rows of y, 32 neighbours each, by way of shared memory. One of
// the two goes down a column of the tile. Rows of 32 floats put a whole column into one bank: 32
// wavefronts for one request. One float more per row mends it; why?
__global__ void transpose(const float* x, float* y, int height, int width) {
    // yours
}
