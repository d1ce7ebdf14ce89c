// Across channels: the sum over the near ones, and local response normalisation.
//
// One thread makes one number and reads its 2 * radius + 1 neighbours, which the threads beside it
// read too: all but one of the reads come from the cache. The gradient is made of channel_sum.
// A thread that goes on by the whole grid moves its channel along instead of dividing again.
//
// Twins: channel_sum and local_response in minitensor/backend/numpy/norm.py.
#include "common.cuh"

template <typename A> struct Plain {
    static __device__ __forceinline__ A of(A value) { return value; }
};
template <typename A> struct Squared {
    static __device__ __forceinline__ A of(A value) { return value * value; }
};

// The sum over |j - channel| <= radius of x[j], or of its square; `pixel` points at channel 0.
template <typename What, typename T>
__device__ __forceinline__ accumulator<T> near_sum(const T* pixel, int channel, int radius, int C) {
    const int first = channel < radius ? 0 : channel - radius;
    const int last = radius < C - channel ? channel + radius : C - 1;
    accumulator<T> sum = 0;
    for (int j = first; j <= last; ++j) sum += What::of(accumulator<T>(pixel[j]));
    return sum;
}

// s^-beta; the two exponents that everybody uses need no logarithm.
template <typename A> __device__ __forceinline__ A root_of(A s, A beta) {
    if (beta == A(0.5)) return A(1) / sqrt(s);
    if (beta == A(0.75)) return A(1) / (sqrt(s) * sqrt(sqrt(s)));
    return pow(s, -beta);
}

template <typename T>
__global__ void __launch_bounds__(256)
    channel_sum(const T* __restrict__ x, T* __restrict__ y, int radius, int C, long long total) {
    const int step = int(thread_count() % C);
    int channel = int(thread_index() % C);
    for (long long i = thread_index(); i < total; i += thread_count()) {
        y[i] = T(near_sum<Plain<accumulator<T>>>(x + (i - channel), channel, radius, C));
        channel = channel < C - step ? channel + step : channel - (C - step);
    }
}

template <typename T>
__global__ void __launch_bounds__(256)
    local_response(const T* __restrict__ x, T* __restrict__ y, int radius, accumulator<T> bias,
                   accumulator<T> alpha, accumulator<T> beta, int C, long long total) {
    using A = accumulator<T>;
    const int step = int(thread_count() % C);
    int channel = int(thread_index() % C);
    for (long long i = thread_index(); i < total; i += thread_count()) {
        const A squares = near_sum<Squared<A>>(x + (i - channel), channel, radius, C);
        y[i] = T(A(x[i]) * root_of(bias + alpha * squares, beta));
        channel = channel < C - step ? channel + step : channel - (C - step);
    }
}

KERNEL(channel_sum<float>);
KERNEL(channel_sum<double>);
KERNEL(channel_sum<half_t>);
KERNEL(local_response<float>);
KERNEL(local_response<double>);
KERNEL(local_response<half_t>);
