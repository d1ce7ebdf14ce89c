// y = activation(x + bias[c]), what follows a convolution, and what of a gradient passes back.
//
// One thread makes P neighbouring channels, 16 bytes where the shape allows, and goes on by the
// whole grid; its place among the channels moves along instead of being divided out again. Each
// number is read once and written once. Comparisons are written so that NaN stays NaN.
//
// Twins: bias_activation and gate in minitensor/backend/numpy/elementwise.py.
#include "common.cuh"

struct Linear {
    template <typename A> static __device__ __forceinline__ A of(A value) { return value; }
};
struct Relu {
    template <typename A> static __device__ __forceinline__ A of(A value) {
        return value < A(0) ? A(0) : value;
    }
};
struct Relu6 {
    template <typename A> static __device__ __forceinline__ A of(A value) {
        return value > A(6) ? A(6) : Relu::of(value);
    }
};

// x and y of `total` packs of P, `packs` of them in a pixel; bias (packs * P).
template <typename Activation, typename T, int P>
__global__ void __launch_bounds__(256)
    bias_activation(const T* __restrict__ x, const T* __restrict__ bias, T* __restrict__ y,
                    int packs, long long total) {
    using A = accumulator<T>;
    const int step = int(thread_count() % packs);
    int at = int(thread_index() % packs);
    for (long long i = thread_index(); i < total; i += thread_count()) {
        const Pack<T, P> value = load_pack<P>(x + i * P), more = load_pack<P>(bias + at * P);
        Pack<T, P> result;
#pragma unroll
        for (int p = 0; p < P; ++p) result[p] = T(Activation::of(A(value[p]) + A(more[p])));
        store_pack(y + i * P, result);
        at = at < packs - step ? at + step : at - (packs - step);
    }
}

// g where 0 < x < high, else 0; a high of NaN is none. `total` packs of P.
template <typename T, int P>
__global__ void __launch_bounds__(256)
    gate(const T* __restrict__ g, const T* __restrict__ x, T* __restrict__ y, float high,
         long long total) {
    for (long long i = thread_index(); i < total; i += thread_count()) {
        const Pack<T, P> slope = load_pack<P>(g + i * P), at = load_pack<P>(x + i * P);
        Pack<T, P> result;
#pragma unroll
        for (int p = 0; p < P; ++p) {
            const accumulator<T> value(at[p]);
            result[p] = value > 0 && !(value >= high) ? slope[p] : T(0.0f);
        }
        store_pack(y + i * P, result);
    }
}

KERNEL(gate<float, 1>);
KERNEL(gate<float, 4>);
KERNEL(gate<double, 1>);
KERNEL(gate<half_t, 1>);
KERNEL(gate<half_t, 8>);
KERNEL(bias_activation<Linear, float, 1>);
KERNEL(bias_activation<Linear, float, 4>);
KERNEL(bias_activation<Linear, double, 1>);
KERNEL(bias_activation<Linear, half_t, 1>);
KERNEL(bias_activation<Linear, half_t, 8>);
KERNEL(bias_activation<Relu, float, 1>);
KERNEL(bias_activation<Relu, float, 4>);
KERNEL(bias_activation<Relu, double, 1>);
KERNEL(bias_activation<Relu, half_t, 1>);
KERNEL(bias_activation<Relu, half_t, 8>);
KERNEL(bias_activation<Relu6, float, 1>);
KERNEL(bias_activation<Relu6, float, 4>);
KERNEL(bias_activation<Relu6, double, 1>);
KERNEL(bias_activation<Relu6, half_t, 1>);
KERNEL(bias_activation<Relu6, half_t, 8>);
