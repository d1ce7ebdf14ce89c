// What the three depthwise kernels share: strips, and packs of four channels multiplied and added.
//
// A strip is as many neighbouring positions as one thread computes. Longer strips read a pixel less
// often but leave fewer threads; a large kernel has more to share.
// The host twin of strip_length is in minitensor/backend/host/depthwise.py.
#pragma once

__device__ constexpr int strip_length(int K, int S) { return K > 3 && S == 1 ? 7 : 4; }

template <typename A, typename T>
__device__ __forceinline__ void add_product(Pack<A, 4>& sum, const Pack<T, 4>& a,
                                            const Pack<T, 4>& b) {
#pragma unroll
    for (int p = 0; p < 4; ++p) sum[p] += A(a[p]) * A(b[p]);
}

// Rounds a sum once, to the type it is stored in.
template <typename T, typename A>
__device__ __forceinline__ void store_sum(T* to, const Pack<A, 4>& sum) {
    Pack<T, 4> rounded;
#pragma unroll
    for (int p = 0; p < 4; ++p) rounded[p] = T(sum[p]);
    store_pack(to, rounded);
}
