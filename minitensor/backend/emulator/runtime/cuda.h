// CUDA C++ for g++: the keywords, built-in variables, intrinsics and mathematics that our kernels
// use. Included before the text of a .cu file, which is compiled unchanged.
#pragma once
#include <algorithm>
#include <cfloat>
#include <climits>
#include <cmath>
#include <cstdio>
#include <type_traits>
#include <utility>

#include "engine.h"

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __align__(n) __attribute__((aligned(n)))
// What lives as long as the program: not among the zeros below.
#define EMU_GLOBAL __attribute__((section("emu_global"))) static
#define __constant__ EMU_GLOBAL
// All zero-initialised statics of the kernels' object file are shared arrays: build.py renames
// their section, so that the engine knows where they are and fills them with NaN before a block.
#define __shared__ static

#define threadIdx (emu::self->index)
#define blockIdx (emu::block.index)
#define blockDim (emu::block.size)
#define gridDim (emu::block.grid)
static constexpr int warpSize = 32;

#define EMU_VECTORS(kind, number)                                                              \
    struct kind##2 { number x, y; } __attribute__((aligned(2 * sizeof(number))));              \
    struct kind##3 { number x, y, z; };                                                        \
    struct kind##4 { number x, y, z, w; }                                                      \
        __attribute__((aligned(4 * sizeof(number) > 16 ? 16 : 4 * sizeof(number))));           \
    inline kind##2 make_##kind##2(number x, number y) { return {x, y}; }                       \
    inline kind##3 make_##kind##3(number x, number y, number z) { return {x, y, z}; }          \
    inline kind##4 make_##kind##4(number x, number y, number z, number w) { return {x, y, z, w}; }
EMU_VECTORS(char, signed char)
EMU_VECTORS(uchar, unsigned char)
EMU_VECTORS(short, short)
EMU_VECTORS(int, int)
EMU_VECTORS(float, float)
EMU_VECTORS(double, double)
struct uint2 { unsigned x, y; } __attribute__((aligned(8)));
struct uint4 { unsigned x, y, z, w; } __attribute__((aligned(16)));
inline uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }
inline uint3 make_uint3(unsigned x, unsigned y, unsigned z) { return {x, y, z}; }
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }

// ----- a block's threads meet -----

inline void __syncthreads(EMU_PLACE) { emu::barrier(0, file, line); }
inline int __syncthreads_count(int p, EMU_PLACE) { return emu::barrier(p, file, line) >> 2; }
inline int __syncthreads_and(int p, EMU_PLACE) { return emu::barrier(p, file, line) & 1; }
inline int __syncthreads_or(int p, EMU_PLACE) { return emu::barrier(p, file, line) >> 1 & 1; }
inline void __threadfence() {}
inline void __threadfence_block() {}

#include "warp.h"

// ----- atomics: visible to the race detector as such -----

namespace emu {
// Inlined, so that what is seen of it has the kernel's line.
template <typename T, typename Function> [[gnu::always_inline]] inline T replace(T* at, Function next) {
    T old, fresh;
    __atomic_load(at, &old, __ATOMIC_RELAXED);
    do {
        fresh = next(old);
    } while (!__atomic_compare_exchange(at, &old, &fresh, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    return old;
}
template <typename T> using Same = std::common_type_t<T>;  // not deduced: converts, as CUDA's do
}  // namespace emu

template <typename T> [[gnu::always_inline]] inline T atomicAdd(T* at, emu::Same<T> v) {
    return emu::replace(at, [v](T old) { return T(old + v); });
}
template <typename T> [[gnu::always_inline]] inline T atomicMax(T* at, emu::Same<T> v) {
    return emu::replace(at, [v](T old) { return old > v ? old : v; });
}
template <typename T> [[gnu::always_inline]] inline T atomicMin(T* at, emu::Same<T> v) {
    return emu::replace(at, [v](T old) { return old < v ? old : v; });
}
template <typename T> [[gnu::always_inline]] inline T atomicExch(T* at, emu::Same<T> v) {
    return emu::replace(at, [v](T) { return v; });
}
template <typename T> [[gnu::always_inline]] inline T atomicCAS(T* at, emu::Same<T> expected, emu::Same<T> v) {
    return emu::replace(at, [=](T old) { return old == expected ? v : old; });
}

// ----- numbers -----

template <typename T> T __ldg(const T* from) { return *from; }
// glibc has functions of these names: only a macro can take them.
#define __expf(x) expf(x)
#define __logf(x) logf(x)
#define __powf(x, y) powf(x, y)
inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }
inline double rsqrt(double x) { return 1.0 / sqrt(x); }
inline float rsqrt(float x) { return rsqrtf(x); }
inline float __fdividef(float x, float y) { return x / y; }
inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __clz(int x) { return x ? __builtin_clz(x) : 32; }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline unsigned __umulhi(unsigned a, unsigned b) { return uint64_t(a) * b >> 32; }

template <typename To, typename From> To emu_bits(From value) {
    static_assert(sizeof(To) == sizeof(From));
    To bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}
inline float __int_as_float(int x) { return emu_bits<float>(x); }
inline float __uint_as_float(unsigned x) { return emu_bits<float>(x); }
inline int __float_as_int(float x) { return emu_bits<int>(x); }
inline unsigned __float_as_uint(float x) { return emu_bits<unsigned>(x); }

template <typename A, typename B> constexpr std::common_type_t<A, B> min(A a, B b) {
    using T = std::common_type_t<A, B>;
    return T(b) < T(a) ? T(b) : T(a);
}
template <typename A, typename B> constexpr std::common_type_t<A, B> max(A a, B b) {
    using T = std::common_type_t<A, B>;
    return T(a) < T(b) ? T(b) : T(a);
}

#include "machine.h"
#include "registry.h"
