// Reduction: a sum by halves.
//
//     y[b] = sum of x[256 b] ... x[256 b + 255]    x (n), y (4); x counts as 0 from n on
//
// A block of 256 threads puts its numbers into shared memory; then the first 128 threads add the
// second half to the first, then 64, then 32, ... with a barrier before each step. All threads of
// the block must come to each barrier. Which threads add decides whether the banks of shared
// memory are in each other's way: address 32 k + j lies in bank j, and a bank gives one word at a
// time.
__global__ void reduce(const float* x, float* y, int n) {
    // yours
}
