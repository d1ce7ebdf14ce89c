// Shared memory: read in order, use in any order.
//
//     y[b][t] = x[b][from[t]]                x (8, 128), from (128) of 0..127, y (8, 128)
//
// Block b serves row b with 128 threads. Read straight through `from`, a warp asks global memory
// for numbers all over the row: up to 32 sectors a request. Let each thread read one number of the
// row in order into a __shared__ array, wait for all of the block with __syncthreads(), and pick
// from there.
__global__ void gather(const float* x, const int* from, float* y) {
    // yours
}
