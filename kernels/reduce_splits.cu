// Adds the partial results of a split matrix product: one thread adds one number over the splits.
//
// A convolution with few outputs and a long sum (a filter gradient) fills the GPU by cutting the
// sum into pieces; block s wrote copy s of the result. Adding the copies in the order 0, 1, 2, ...
// gives the same bits at every run, which atomics would not. The twin is numpy's partial.sum(0).
#include "common.cuh"

template <typename T>
__global__ void __launch_bounds__(256)
    reduce_splits(const T* __restrict__ partial, T* __restrict__ result, int splits,
                  long long total) {
    for (long long i = thread_index(); i < total; i += thread_count()) {
        T sum = 0;
        for (int split = 0; split < splits; ++split) sum += partial[split * total + i];
        result[i] = sum;
    }
}

KERNEL(reduce_splits<float>);
KERNEL(reduce_splits<double>);
