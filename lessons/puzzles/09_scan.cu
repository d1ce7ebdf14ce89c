// Prefix sum: each number and all before it.
//
//     y[b][t] = x[b][0] + ... + x[b][t]            x (3, 128), y (3, 128)
//
// Block b serves row b with 128 threads. Round after round, with by = 1, 2, 4, ..., 64, each
// thread t >= by adds what thread t - by had before the round. Read, wait, write, wait: or one is
// read too late.
__global__ void scan(const float* x, float* y) {
    // yours
}
