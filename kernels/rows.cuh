// How the memory-bound kernels share out a tensor (N, H, W, C): down the rows, along the items.
//
// A row is one line of one image; an item is what one thread computes of it: usually P neighbouring
// channels of one pixel, the channels varying fastest, so that a warp reads one run of memory.
//     x: thread_index() is the item. Its column and channels are worked out once, before the loop.
//     y: row_index() is the first row of the thread, row_count() the step to the next.
// The host twin is `rows_by_items` in minitensor/backend/host/layout.py.
#pragma once

__device__ __forceinline__ unsigned row_index() { return blockIdx.y * blockDim.y + threadIdx.y; }
__device__ __forceinline__ unsigned row_count() { return gridDim.y * blockDim.y; }
