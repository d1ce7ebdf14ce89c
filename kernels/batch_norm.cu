// Batch normalisation over (rows, C): a row is one pixel, a channel has its own mean and variance.
//
//   moments           one thread goes down some rows of P channels with Welford's recurrence
//   batch_norm_sums   the same walk; adds up g and g * (x - mean) / s, s = sqrt(variance + epsilon)
//   merge_...         one warp per channel merges what the blocks found
//   normalise         one thread makes (x - mean) / s * scale + offset, P channels of some rows
//   batch_norm_grad   likewise scale / s * (g - mean(g) - n * mean(g n)), n = (x - mean) / s
//
// A warp reads `lanes` packs of P channels side by side and 32 / lanes rows, so that a load is one
// run of memory and few channels still occupy a whole warp. What a block finds goes to a workspace
// and a second kernel merges it in a fixed order: no atomics, the same bits every time.
// Statistics, scale, offset and sums are float where x is half_t.
//
// Memory: what a block found it writes number by number of a struct, a third or half of each sector,
// and merges pairs in shared memory in 2 wavefronts: once a block, after all of its rows.
//
// Twins: minitensor/backend/numpy/norm.py. Sources: Welford 1962; Chan, Golub, LeVeque 1979.
#include "common.cuh"

constexpr int Threads = 256;
constexpr int Warps = Threads / 32;
constexpr unsigned Everyone = 0xffffffffu;

// Where a thread works: channels [channel, channel + P), rows first, first + step, ...
struct Walk {
    int channel;
    long long first, step;
};

template <int P> __device__ __forceinline__ Walk walk(int lanes) {
    const int lane = threadIdx.x % 32, side = 32 / lanes;  // rows side by side in a warp
    const long long warp = static_cast<long long>(blockIdx.y) * Warps + threadIdx.x / 32;
    return {(static_cast<int>(blockIdx.x) * lanes + lane % lanes) * P, warp * side + lane / lanes,
            static_cast<long long>(gridDim.y) * Warps * side};
}

// ----- what is merged -----

// Of n numbers: their mean, and the sum of squared distances from it.
template <typename A> struct Moments {
    A n, mean, square;

    __device__ void take(A value, A one_over_n) {  // Welford; n counts the value already
        const A away = value - mean;
        mean += away * one_over_n;
        square += away * (value - mean);
    }
    template <typename B> __device__ void merge(const Moments<B>& other) {  // Chan
        const A total = n + A(other.n);
        if (total == A(0)) return;
        const A away = A(other.mean) - mean, share = A(other.n) / total;
        mean += away * share;
        square += A(other.square) + away * away * n * share;
        n = total;
    }
    __device__ Moments from_lane(int distance) const {
        return {__shfl_down_sync(Everyone, n, distance),
                __shfl_down_sync(Everyone, mean, distance),
                __shfl_down_sync(Everyone, square, distance)};
    }
};

// The sums of g and of g * (x - mean).
template <typename A> struct Sums {
    A plain, weighted;

    template <typename B> __device__ void merge(const Sums<B>& other) {
        plain += A(other.plain);
        weighted += A(other.weighted);
    }
    __device__ Sums from_lane(int distance) const {
        return {__shfl_down_sync(Everyone, plain, distance),
                __shfl_down_sync(Everyone, weighted, distance)};
    }
};

// Merges what all threads of a block found about each channel, and writes one part per channel to
// parts (gridDim.y, C). Every thread of the block must come here.
template <typename Part, int P>
__device__ __forceinline__ void write_block(Part (&found)[P], Part* __restrict__ parts, int C,
                                            int lanes) {
    __shared__ Part of_warp[Warps][32 * P];
    const int lane = threadIdx.x % 32, channels = lanes * P;
#pragma unroll
    for (int p = 0; p < P; ++p) {
        for (int distance = 16; distance >= lanes; distance /= 2) {
            found[p].merge(found[p].from_lane(distance));
        }
        if (lane < lanes) of_warp[threadIdx.x / 32][lane * P + p] = found[p];
    }
    __syncthreads();
    for (int i = threadIdx.x; i < channels; i += Threads) {
        const int channel = static_cast<int>(blockIdx.x) * channels + i;
        if (channel >= C) return;
        Part part = of_warp[0][i];
        for (int warp = 1; warp < Warps; ++warp) part.merge(of_warp[warp][i]);
        parts[static_cast<long long>(blockIdx.y) * C + channel] = part;
    }
}

// What all blocks found about one channel, merged by one warp in double; right in lane 0.
template <typename Wide, typename Part>
__device__ __forceinline__ Wide merge_blocks(const Part* __restrict__ parts, int splits, int C,
                                             int channel) {
    Wide all = {};
    for (int split = threadIdx.x % 32; split < splits; split += 32) {
        all.merge(parts[static_cast<long long>(split) * C + channel]);
    }
    for (int distance = 16; distance >= 1; distance /= 2) all.merge(all.from_lane(distance));
    return all;
}

// ----- statistics -----

// parts (splits, C, 3), splits = gridDim.y.
template <typename T, int P>
__global__ void __launch_bounds__(256, 4)
    moments(const T* __restrict__ x, accumulator<T>* __restrict__ parts, int C, long long rows,
            int lanes) {
    using A = accumulator<T>;
    const Walk here = walk<P>(lanes);
    Moments<A> found[P] = {};
    if (here.channel < C) {
        int seen = 0;
#pragma unroll 4
        for (long long row = here.first; row < rows; row += here.step) {
            const Pack<T, P> pack = load_pack<P>(x + row * C + here.channel);
            const A one_over_n = A(1) / A(++seen);
#pragma unroll
            for (int p = 0; p < P; ++p) found[p].take(A(pack[p]), one_over_n);
        }
#pragma unroll
        for (int p = 0; p < P; ++p) found[p].n = A(seen);
    }
    write_block<Moments<A>, P>(found, reinterpret_cast<Moments<A>*>(parts), C, lanes);
}

// statistics (2, C): mean and biased variance; NaN if there is no row.
template <typename A>
__global__ void __launch_bounds__(256, 4)
    merge_moments(const A* __restrict__ parts, A* __restrict__ statistics, int C, int splits) {
    const int channel = static_cast<int>(thread_index() / 32);
    if (channel >= C) return;
    const Moments<double> all = merge_blocks<Moments<double>>(
        reinterpret_cast<const Moments<A>*>(parts), splits, C, channel);
    if (threadIdx.x % 32) return;
    statistics[channel] = A(all.n > 0 ? all.mean : NAN);
    statistics[C + channel] = A(all.square / all.n);
}

// ----- forward -----

// y = (x - mean) / s * scale + offset, then + residual if there is one, then max(., 0) if relu.
template <typename T, int P>
__global__ void __launch_bounds__(256, 4)
    normalise(const T* __restrict__ x, const accumulator<T>* __restrict__ statistics,
              const accumulator<T>* __restrict__ scale, const accumulator<T>* __restrict__ offset,
              const T* __restrict__ residual, T* __restrict__ y, accumulator<T> epsilon, int relu,
              int C, long long rows, int lanes) {
    using A = accumulator<T>;
    const Walk here = walk<P>(lanes);
    if (here.channel >= C) return;
    const Pack<A, P> mean = load_pack<P>(statistics + here.channel);
    const Pack<A, P> variance = load_pack<P>(statistics + C + here.channel);
    const Pack<A, P> shift = load_pack<P>(offset + here.channel);
    Pack<A, P> factor = load_pack<P>(scale + here.channel);
#pragma unroll
    for (int p = 0; p < P; ++p) factor[p] *= A(1) / sqrt(variance[p] + epsilon);
#pragma unroll 4
    for (long long row = here.first; row < rows; row += here.step) {
        const long long at = row * C + here.channel;
        const Pack<T, P> pack = load_pack<P>(x + at);
        Pack<T, P> more = {}, result;
        if (residual) more = load_pack<P>(residual + at);
#pragma unroll
        for (int p = 0; p < P; ++p) {
            A value = (A(pack[p]) - mean[p]) * factor[p] + shift[p];
            if (residual) value += A(more[p]);
            if (relu && value < A(0)) value = A(0);  // so written, NaN stays
            result[p] = T(value);
        }
        store_pack(y + at, result);
    }
}

// ----- backward -----

// parts (splits, C, 2), splits = gridDim.y.
template <typename T, int P>
__global__ void __launch_bounds__(256, 4)
    batch_norm_sums(const T* __restrict__ g, const T* __restrict__ x,
                    const accumulator<T>* __restrict__ statistics,
                    accumulator<T>* __restrict__ parts, int C, long long rows, int lanes) {
    using A = accumulator<T>;
    const Walk here = walk<P>(lanes);
    Sums<A> found[P] = {};
    if (here.channel < C) {
        const Pack<A, P> mean = load_pack<P>(statistics + here.channel);
#pragma unroll 4
        for (long long row = here.first; row < rows; row += here.step) {
            const long long at = row * C + here.channel;
            const Pack<T, P> cotangent = load_pack<P>(g + at), pack = load_pack<P>(x + at);
#pragma unroll
            for (int p = 0; p < P; ++p) {
                found[p].plain += A(cotangent[p]);
                found[p].weighted += A(cotangent[p]) * (A(pack[p]) - mean[p]);
            }
        }
    }
    write_block<Sums<A>, P>(found, reinterpret_cast<Sums<A>*>(parts), C, lanes);
}

// sums (2, C): of g, and of g * (x - mean) / s.
template <typename A>
__global__ void __launch_bounds__(256, 4)
    merge_sums(const A* __restrict__ parts, const A* __restrict__ statistics,
               A* __restrict__ sums, A epsilon, int C, int splits) {
    const int channel = static_cast<int>(thread_index() / 32);
    if (channel >= C) return;
    const Sums<double> all =
        merge_blocks<Sums<double>>(reinterpret_cast<const Sums<A>*>(parts), splits, C, channel);
    if (threadIdx.x % 32) return;
    sums[channel] = A(all.plain);
    sums[C + channel] = A(all.weighted / sqrt(double(statistics[C + channel] + epsilon)));
}

// dx = scale / s * (g - sums[0] / rows - n * sums[1] / rows).
template <typename T, int P>
__global__ void __launch_bounds__(256, 4)
    batch_norm_grad(const T* __restrict__ g, const T* __restrict__ x,
                    const accumulator<T>* __restrict__ statistics,
                    const accumulator<T>* __restrict__ scale,
                    const accumulator<T>* __restrict__ sums, T* __restrict__ dx,
                    accumulator<T> epsilon, int C, long long rows, int lanes) {
    using A = accumulator<T>;
    const Walk here = walk<P>(lanes);
    if (here.channel >= C) return;
    const Pack<A, P> mean = load_pack<P>(statistics + here.channel);
    const Pack<A, P> variance = load_pack<P>(statistics + C + here.channel);
    Pack<A, P> factor = load_pack<P>(scale + here.channel);
    Pack<A, P> level = load_pack<P>(sums + here.channel);
    Pack<A, P> tilt = load_pack<P>(sums + C + here.channel);
#pragma unroll
    for (int p = 0; p < P; ++p) {
        const A inverse = A(1) / sqrt(variance[p] + epsilon);
        factor[p] *= inverse;
        level[p] /= A(rows);
        tilt[p] *= inverse / A(rows);
    }
#pragma unroll 4
    for (long long row = here.first; row < rows; row += here.step) {
        const long long at = row * C + here.channel;
        const Pack<T, P> cotangent = load_pack<P>(g + at), pack = load_pack<P>(x + at);
        Pack<T, P> result;
#pragma unroll
        for (int p = 0; p < P; ++p) {
            const A rest = A(cotangent[p]) - level[p] - (A(pack[p]) - mean[p]) * tilt[p];
            result[p] = T(rest * factor[p]);
        }
        store_pack(dx + at, result);
    }
}

KERNEL(moments<float, 1>);
KERNEL(moments<float, 4>);
KERNEL(moments<double, 1>);
KERNEL(moments<half_t, 1>);
KERNEL(moments<half_t, 8>);
KERNEL(merge_moments<float>);
KERNEL(merge_moments<double>);
KERNEL(normalise<float, 1>);
KERNEL(normalise<float, 4>);
KERNEL(normalise<double, 1>);
KERNEL(normalise<half_t, 1>);
KERNEL(normalise<half_t, 8>);
KERNEL(batch_norm_sums<float, 1>);
KERNEL(batch_norm_sums<float, 4>);
KERNEL(batch_norm_sums<double, 1>);
KERNEL(batch_norm_sums<half_t, 1>);
KERNEL(batch_norm_sums<half_t, 8>);
KERNEL(merge_sums<float>);
KERNEL(merge_sums<double>);
KERNEL(batch_norm_grad<float, 1>);
KERNEL(batch_norm_grad<float, 4>);
KERNEL(batch_norm_grad<double, 1>);
KERNEL(batch_norm_grad<half_t, 1>);
KERNEL(batch_norm_grad<half_t, 8>);
