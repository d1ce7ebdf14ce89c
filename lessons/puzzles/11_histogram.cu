// Histogram: many threads, few counters.
//
//     y[v] = how often v stands in x               x (n) of 0..15, y (16) given as zeros; int
//
// 4 blocks of 64 threads. counter += 1 is a read and a write, and another thread may come between:
// use atomicAdd(&counter, 1). Count in shared memory first, 16 counters per block that somebody
// sets to zero; then add them to y, 16 additions per block instead of one per number.
__global__ void histogram(const int* x, int* y, int n) {
    // yours
}
