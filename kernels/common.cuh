// The one file that knows the machine: PTX, dynamic shared memory, 16-bit floats, vector loads.
//
// Everything below the line "either machine" is plain CUDA C++. Everything above it is written
// twice: here for the GPU, as inline PTX, and in minitensor/backend/emulator/runtime for a CPU.
// tests/test_kernels_tensor.py compares each PTX wrapper with its emulation.
#pragma once

#ifndef MINITENSOR_EMULATOR

// Names the instances of a template that host code may launch; Python reads these lines.
#define KERNEL(...) static_assert(true, "")

#define DYNAMIC_SHARED(T, name)                                        \
    extern __shared__ __align__(16) unsigned char shared_bytes_[];     \
    T* name = reinterpret_cast<T*>(shared_bytes_)

#ifndef INFINITY
#define INFINITY __int_as_float(0x7f800000)
#endif
#ifndef NAN
#define NAN __int_as_float(0x7fffffff)
#endif

// A float16 in memory. Arithmetic is done in float: float(h), half_t(f).
struct half_t {
    unsigned short bits;
    half_t() = default;
    __device__ explicit half_t(float value) {
        asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(value));
    }
    __device__ operator float() const {
        float value;
        asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(bits));
        return value;
    }
};

// N neighbours in memory, moved as one: up to 16 bytes per instruction.
template <typename T, int N>
struct alignas(sizeof(T) * N > 16 ? 16 : sizeof(T) * N) Pack {
    T at[N];
    __device__ T& operator[](int i) { return at[i]; }
    __device__ const T& operator[](int i) const { return at[i]; }
};

template <int Bytes> struct Word;
template <> struct Word<1> { using type = unsigned char; };
template <> struct Word<2> { using type = unsigned short; };
template <> struct Word<4> { using type = unsigned int; };
template <> struct Word<8> { using type = uint2; };
template <> struct Word<16> { using type = uint4; };

// The address must be a multiple of the pack's size (of 16 bytes, if it is larger).
template <int N, typename T> __device__ __forceinline__ Pack<T, N> load_pack(const T* from) {
    Pack<T, N> pack;
    constexpr int bytes = sizeof(pack) > 16 ? 16 : sizeof(pack);
    using word = typename Word<bytes>::type;
#pragma unroll
    for (int i = 0; i < int(sizeof(pack)) / bytes; ++i) {
        const word bits = reinterpret_cast<const word*>(from)[i];
        memcpy(reinterpret_cast<char*>(&pack) + i * bytes, &bits, bytes);
    }
    return pack;
}

template <typename T, int N> __device__ __forceinline__ void store_pack(T* to, const Pack<T, N>& pack) {
    constexpr int bytes = sizeof(pack) > 16 ? 16 : sizeof(pack);
    using word = typename Word<bytes>::type;
#pragma unroll
    for (int i = 0; i < int(sizeof(pack)) / bytes; ++i) {
        word bits;
        memcpy(&bits, reinterpret_cast<const char*>(&pack) + i * bytes, bytes);
        reinterpret_cast<word*>(to)[i] = bits;
    }
}

// Starts a copy of 4 or 16 bytes from global to shared memory that goes on while the thread
// computes. Not valid: writes zeros and reads nothing, which is how a convolution pads.
template <int Bytes>
__device__ __forceinline__ void copy_async(void* shared, const void* global, bool valid) {
    const unsigned to = static_cast<unsigned>(__cvta_generic_to_shared(shared));
    const int size = valid ? Bytes : 0;
    if constexpr (Bytes == 16) {
        asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(global), "r"(size)
                     : "memory");
    } else {
        static_assert(Bytes == 4, "cp.async copies 4 or 16 bytes here");
        asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"(to), "l"(global), "r"(size)
                     : "memory");
    }
}

// Closes a group of copies.
__device__ __forceinline__ void copy_async_commit() {
    asm volatile("cp.async.commit_group;" ::: "memory");
}

// Waits until at most N of this thread's groups are still on their way.
template <int N> __device__ __forceinline__ void copy_async_wait() {
    asm volatile("cp.async.wait_group %0;" ::"n"(N) : "memory");
}

// A float with the 10 bits of mantissa that TF32 keeps, ties away from zero.
__device__ __forceinline__ unsigned round_tf32(float value) {
    unsigned bits;
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(value));
    return bits;
}

// d (16, 8) += a (16, 8) @ b (8, 8), in a warp. With group = lane / 4 and pair = lane % 4:
// a = (group, pair), (group+8, pair), (group, pair+4), (group+8, pair+4);
// b = (pair, group), (pair+4, group);
// d = (group, 2*pair), (group, 2*pair+1), (group+8, 2*pair), (group+8, 2*pair+1).
__device__ __forceinline__ void mma_tf32(float (&d)[4], const unsigned (&a)[4],
                                         const unsigned (&b)[2]) {
    asm volatile(
        "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 "
        "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// d (16, 8) += a (16, 16) @ b (16, 8), float16 factors, two neighbours along the depth in a word:
// a = (group, 2*pair), (group+8, 2*pair), (group, 2*pair+8), (group+8, 2*pair+8);
// b = (2*pair, group), (2*pair+8, group); d as above.
__device__ __forceinline__ void mma_f16(float (&d)[4], const unsigned (&a)[4],
                                        const unsigned (&b)[2]) {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
        "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// Four 8x8 matrices of 16-bit words, as mma_f16 wants them. Lane l gives the address of row l % 8
// of matrix l / 8, 16 bytes each; word m of lane l is (l / 4, 2 * (l % 4)) and its neighbour of
// matrix m, or of its transpose.
__device__ __forceinline__ void load_matrix_x4(unsigned (&words)[4], const void* shared_row) {
    const unsigned from = static_cast<unsigned>(__cvta_generic_to_shared(shared_row));
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3])
                 : "r"(from)
                 : "memory");
}

__device__ __forceinline__ void load_matrix_x4_transposed(unsigned (&words)[4],
                                                          const void* shared_row) {
    const unsigned from = static_cast<unsigned>(__cvta_generic_to_shared(shared_row));
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3])
                 : "r"(from)
                 : "memory");
}

#endif  // MINITENSOR_EMULATOR

// ----- either machine -----

// What sums are kept in: double for double, float for float and half_t; unsigned for int, because
// integers wrap, as NumPy's do, and C++ leaves open what a signed one does.
template <typename T> struct Accumulator { using type = float; };
template <> struct Accumulator<double> { using type = double; };
template <> struct Accumulator<int> { using type = unsigned; };
template <typename T> using accumulator = typename Accumulator<T>::type;

// This thread's number in the whole grid, and how many there are: a grid-stride loop is
//     for (long long i = thread_index(); i < total; i += thread_count())
// It serves any total with any grid.
__device__ __forceinline__ long long thread_index() {
    return blockIdx.x * static_cast<long long>(blockDim.x) + threadIdx.x;
}

__device__ __forceinline__ long long thread_count() {
    return static_cast<long long>(gridDim.x) * blockDim.x;
}
