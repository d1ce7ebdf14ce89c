// Softmax cross entropy of rows (rows, classes), and its gradient in the logits.
//
//     loss = -sum of t * (x - top - log(sum of exp(x - top))),  top the largest x of the row
//     dx   = g * (exp(x - top) / sum of exp(x - top) * sum of t - t)
//
// A team of threads works on one row: a warp, which needs no barrier, or for long rows a block of
// 256. Each thread takes every Team-th class; what they find is combined by shuffles, so that all
// lanes know it. A row is read three times, but only the first read leaves the cache. The shift by
// the maximum keeps exp from overflowing; NaN and infinity come out as in the twin.
//
// Twins: minitensor/backend/numpy/loss.py.
#include "common.cuh"

constexpr int Threads = 256;
constexpr unsigned Everyone = 0xffffffffu;

template <typename A> struct Sum {
    static __device__ __forceinline__ A nothing() { return A(0); }
    static __device__ __forceinline__ A of(A a, A b) { return a + b; }
};
template <typename A> struct Max {
    static __device__ __forceinline__ A nothing() { return A(-INFINITY); }
    static __device__ __forceinline__ A of(A a, A b) { return a > b ? a : b; }
};

// The values of all threads of a team combined; every one of them gets the result.
template <typename Combine, int Team, typename A>
__device__ __forceinline__ A shared_by_team(A value) {
    for (int distance = 16; distance >= 1; distance /= 2) {
        value = Combine::of(value, __shfl_xor_sync(Everyone, value, distance));
    }
    if constexpr (Team > 32) {
        __shared__ A of_warp[Team / 32];
        if (threadIdx.x % 32 == 0) of_warp[threadIdx.x / 32] = value;
        __syncthreads();
        value = Combine::nothing();
        for (int warp = 0; warp < Team / 32; ++warp) value = Combine::of(value, of_warp[warp]);
        __syncthreads();  // before the next call writes
    }
    return value;
}

// What is known of a row before its classes are gone through: the largest logit, and the sum of
// exp(logit - top). All threads of a team have the same.
template <typename A> struct Row {
    A top, sum;
};

template <int Team, typename T>
__device__ __forceinline__ Row<accumulator<T>> look_at(const T* logits, int lane, int classes) {
    using A = accumulator<T>;
    A top = Max<A>::nothing();
    for (int k = lane; k < classes; k += Team) top = Max<A>::of(top, A(logits[k]));
    top = shared_by_team<Max<A>, Team>(top);
    A sum = 0;
    for (int k = lane; k < classes; k += Team) sum += exp(A(logits[k]) - top);
    return {top, shared_by_team<Sum<A>, Team>(sum)};
}

// Which row a team takes first, and how far the next is.
template <int Team> __device__ __forceinline__ long long first_row() {
    return static_cast<long long>(blockIdx.x) * (Threads / Team) + threadIdx.x / Team;
}
template <int Team> __device__ __forceinline__ long long row_step() {
    return static_cast<long long>(gridDim.x) * (Threads / Team);
}

template <typename T, int Team>
__global__ void __launch_bounds__(256)
    softmax_cross_entropy(const T* __restrict__ labels, const T* __restrict__ logits,
                          T* __restrict__ loss, int classes, long long rows) {
    using A = accumulator<T>;
    const int lane = threadIdx.x % Team;
    for (long long row = first_row<Team>(); row < rows; row += row_step<Team>()) {
        const T *t = labels + row * classes, *x = logits + row * classes;
        const Row<A> known = look_at<Team>(x, lane, classes);
        const A log_sum = log(known.sum);
        A sum = 0;
        for (int k = lane; k < classes; k += Team) sum += A(t[k]) * (A(x[k]) - known.top - log_sum);
        sum = shared_by_team<Sum<A>, Team>(sum);
        if (lane == 0) loss[row] = T(-sum);
    }
}

// g (rows).
template <typename T, int Team>
__global__ void __launch_bounds__(256)
    softmax_cross_entropy_grad(const T* __restrict__ g, const T* __restrict__ labels,
                               const T* __restrict__ logits, T* __restrict__ dx, int classes,
                               long long rows) {
    using A = accumulator<T>;
    const int lane = threadIdx.x % Team;
    for (long long row = first_row<Team>(); row < rows; row += row_step<Team>()) {
        const T *t = labels + row * classes, *x = logits + row * classes;
        const Row<A> known = look_at<Team>(x, lane, classes);
        A total = 0;
        for (int k = lane; k < classes; k += Team) total += A(t[k]);
        const A factor = shared_by_team<Sum<A>, Team>(total) / known.sum;
        for (int k = lane; k < classes; k += Team) {
            const A slope = exp(A(x[k]) - known.top) * factor - A(t[k]);
            dx[row * classes + k] = T(A(g[row]) * slope);
        }
    }
}

KERNEL(softmax_cross_entropy<float, 32>);
KERNEL(softmax_cross_entropy<float, 256>);
KERNEL(softmax_cross_entropy<double, 32>);
KERNEL(softmax_cross_entropy<double, 256>);
KERNEL(softmax_cross_entropy<half_t, 32>);
KERNEL(softmax_cross_entropy<half_t, 256>);
KERNEL(softmax_cross_entropy_grad<float, 32>);
KERNEL(softmax_cross_entropy_grad<float, 256>);
KERNEL(softmax_cross_entropy_grad<double, 32>);
KERNEL(softmax_cross_entropy_grad<double, 256>);
KERNEL(softmax_cross_entropy_grad<half_t, 32>);
KERNEL(softmax_cross_entropy_grad<half_t, 256>);
