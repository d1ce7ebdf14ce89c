// Updates of weights, each in one pass: SGD with momentum, and Adam.
//
// One thread updates P neighbouring weights (16 bytes where the size allows) and goes on by the
// whole grid. As separate operations Adam would go through memory 28 times for the 7 here.
// Old arrays are not touched: whoever still holds them sees what they were.
//
// Twins: minitensor/backend/numpy/optimizer.py.
#include "common.cuh"

// velocity = momentum * velocity - rate * gradient; weight += velocity, or, with nesterov,
// weight += momentum * velocity - rate * gradient.
template <typename T, int P>
__global__ void __launch_bounds__(256)
    sgd_momentum(const T* __restrict__ weight, const T* __restrict__ velocity,
                 const T* __restrict__ gradient, T* __restrict__ new_weight,
                 T* __restrict__ new_velocity, T rate, T momentum, int nesterov,
                 long long total) {
    for (long long i = thread_index(); i < total; i += thread_count()) {
        Pack<T, P> w = load_pack<P>(weight + i * P), v = load_pack<P>(velocity + i * P);
        const Pack<T, P> g = load_pack<P>(gradient + i * P);
#pragma unroll
        for (int p = 0; p < P; ++p) {
            const T step = rate * g[p];
            v[p] = momentum * v[p] - step;
            w[p] += nesterov ? momentum * v[p] - step : v[p];
        }
        store_pack(new_weight + i * P, w);
        store_pack(new_velocity + i * P, v);
    }
}

// m = keep_m * m + take_m * g; v = keep_v * v + take_v * g^2;
// weight -= size * m / (sqrt(v) + epsilon).
// take = 1 - keep comes from the host, in double: in float 1 - 0.999 has lost four digits.
template <typename T, int P>
__global__ void __launch_bounds__(256)
    adam(const T* __restrict__ weight, const T* __restrict__ m, const T* __restrict__ v,
         const T* __restrict__ gradient, T* __restrict__ new_weight, T* __restrict__ new_m,
         T* __restrict__ new_v, T size, T keep_m, T take_m, T keep_v, T take_v, T epsilon,
         long long total) {
    for (long long i = thread_index(); i < total; i += thread_count()) {
        Pack<T, P> w = load_pack<P>(weight + i * P), mean = load_pack<P>(m + i * P);
        Pack<T, P> square = load_pack<P>(v + i * P);
        const Pack<T, P> g = load_pack<P>(gradient + i * P);
#pragma unroll
        for (int p = 0; p < P; ++p) {
            mean[p] = keep_m * mean[p] + take_m * g[p];
            square[p] = keep_v * square[p] + take_v * (g[p] * g[p]);
            w[p] -= size * mean[p] / (sqrt(square[p]) + epsilon);
        }
        store_pack(new_weight + i * P, w);
        store_pack(new_m + i * P, mean);
        store_pack(new_v + i * P, square);
    }
}

KERNEL(sgd_momentum<float, 1>);
KERNEL(sgd_momentum<float, 4>);
KERNEL(sgd_momentum<double, 1>);
KERNEL(adam<float, 1>);
KERNEL(adam<float, 4>);
KERNEL(adam<double, 1>);
