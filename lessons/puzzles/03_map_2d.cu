// Map in two dimensions: threads have x and y.
//
//     y[row][column] = a[row] + b[column]    a (height), b (width), y (height, width)
//
// Row after row lies in memory: y[row][column] is y[row * width + column]. Blocks are 32 x 4
// threads, 32 along x; the grid is larger than the array in both directions. The 32 threads of a
// warp have neighbouring threadIdx.x: let them write neighbours, then one request of the warp
// moves 4 sectors of 32 bytes; let them write down a column and it moves 32.
__global__ void map_2d(const float* a, const float* b, float* y, int height, int width) {
    // yours
}
