// Dot product: a warp adds without shared memory.
//
//     y[r] = sum over i of a[r][i] * b[r][i]       a, b (6, n), y (6)
//
// Block r is one warp, 32 threads, and serves row r. Each lane adds every 32nd product. Then
// __shfl_down_sync(0xffffffff, value, by) gives a lane the value of the lane `by` further; all 32
// lanes must call it. With by = 16, 8, 4, 2, 1 the sum arrives in lane 0.
__global__ void dot(const float* a, const float* b, float* y, int n) {
    // yours
}
