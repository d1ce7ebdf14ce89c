// Guard: more threads than numbers.
//
//     y[i] = 2 x[i] + 1                      x (n), y (n)
//
// 4 blocks of 32 are 128 threads, and n = 100. What lies beyond x and y is not yours: neither read
// nor write it.
__global__ void guard(const float* x, float* y, int n) {
    // yours
}
