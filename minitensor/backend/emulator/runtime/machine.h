// The first half of kernels/common.cuh once more, for a CPU: what is PTX there is arithmetic here.
// The comments that say what each does stand there.
#pragma once
#define MINITENSOR_EMULATOR 1

#define DYNAMIC_SHARED(T, name) T* name = reinterpret_cast<T*>(emu::block.shared)

namespace emu {
template <typename T> struct DynamicShared {  // one declared outside of a function
    operator T*() const { return reinterpret_cast<T*>(block.shared); }
};
}  // namespace emu

struct half_t {
    unsigned short bits;
    half_t() = default;
    explicit half_t(float value) : bits(emu_bits<unsigned short>(static_cast<_Float16>(value))) {}
    operator float() const { return static_cast<float>(emu_bits<_Float16>(bits)); }
};

// ----- vector loads -----

template <typename T, int N>
struct alignas(sizeof(T) * N > 16 ? 16 : sizeof(T) * N) Pack {
    T at[N];
    T& operator[](int i) { return at[i]; }
    const T& operator[](int i) const { return at[i]; }
};

namespace emu {
inline void must_align(const void* address, size_t bytes, const char* file, int line) {
    if (reinterpret_cast<uintptr_t>(address) % bytes)
        fail(file, line, "an address that %zu bytes are moved from or to is no multiple of %zu",
             bytes, bytes);
}
}  // namespace emu

template <int N, typename T> Pack<T, N> load_pack(const T* from, EMU_PLACE) {
    emu::must_align(from, alignof(Pack<T, N>), file, line);
    Pack<T, N> pack;
    memcpy(&pack, from, sizeof pack);  // one access, also in the eyes of a trace
    return pack;
}
template <typename T, int N> void store_pack(T* to, const Pack<T, N>& pack, EMU_PLACE) {
    emu::must_align(to, alignof(Pack<T, N>), file, line);
    memcpy(to, &pack, sizeof pack);
}

// ----- asynchronous copies: held back until they are waited for, as the GPU may do -----

template <int Bytes>
[[gnu::noinline]] void copy_async(void* shared, const void* global, bool valid, EMU_PLACE) {
    static_assert(Bytes == 4 || Bytes == 16);
    emu::must_align(shared, Bytes, file, line);
    if (valid) emu::must_align(global, Bytes, file, line);
    emu::start_copy({shared, global, Bytes, valid, 0, __builtin_return_address(0)}, file, line);
}

inline void copy_async_commit() { emu::close_group(); }

namespace emu {
template <int Bytes> void finish(const Copy& copy) {
    Pack<unsigned, Bytes / 4> words = {};
    if (copy.valid) memcpy(&words, copy.from, Bytes);
    memcpy(copy.to, &words, Bytes);
}
}  // namespace emu

template <int N> void copy_async_wait() {
    emu::Copy copy;
    while (emu::finish_copy(N, copy))  // here, so that sanitizers and traces see the accesses
        copy.bytes == 16 ? emu::finish<16>(copy) : emu::finish<4>(copy);
}

// ----- tensor cores -----

inline unsigned round_tf32(float value) {
    if (value != value) return 0x7fffe000u;  // NaN stays NaN
    const unsigned bits = emu_bits<unsigned>(value);
    const bool infinite = (bits & 0x7fffffffu) == 0x7f800000u;
    return (infinite ? bits : bits + 0x1000u) & 0xffffe000u;
}

namespace emu {

struct Factors { float* d; const unsigned *a, *b; };

// d (16, 8) += a (16, depth) @ b (depth, 8), given how a lane's words hold elements.
template <int Depth, typename A, typename B>
void multiply(Factors** lanes, A a_of, B b_of) {
    float a[16][Depth], b[Depth][8];
    for (int lane = 0; lane < 32; ++lane) {
        a_of(lane >> 2, lane & 3, lanes[lane]->a, a);
        b_of(lane >> 2, lane & 3, lanes[lane]->b, b);
    }
    for (int lane = 0; lane < 32; ++lane)
        for (int i = 0; i < 4; ++i) {
            const int row = (lane >> 2) + (i >> 1) * 8, column = 2 * (lane & 3) + (i & 1);
            float sum = lanes[lane]->d[i];
            for (int k = 0; k < Depth; ++k) sum += a[row][k] * b[k][column];
            lanes[lane]->d[i] = sum;
        }
}

inline float from_tf32(unsigned word) { return emu_bits<float>(word & 0xffffe000u); }
inline float half_of(unsigned word, int which) {
    half_t half;
    half.bits = static_cast<unsigned short>(word >> 16 * which);
    return half;
}

}  // namespace emu

inline void mma_tf32(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2], EMU_PLACE) {
    emu::Factors mine{d, a, b};
    auto a_of = [](int group, int pair, const unsigned* words, float (*out)[8]) {
        for (int i = 0; i < 4; ++i)
            out[group + i % 2 * 8][pair + i / 2 * 4] = emu::from_tf32(words[i]);
    };
    auto b_of = [](int group, int pair, const unsigned* words, float (*out)[8]) {
        for (int i = 0; i < 2; ++i) out[pair + i * 4][group] = emu::from_tf32(words[i]);
    };
    auto meet = [=](emu::Factors** lanes) { emu::multiply<8>(lanes, a_of, b_of); };
    emu::collective(~0u, "mma.m16n8k8.tf32", mine, meet, file, line);
}

inline void mma_f16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2], EMU_PLACE) {
    emu::Factors mine{d, a, b};
    auto a_of = [](int group, int pair, const unsigned* words, float (*out)[16]) {
        for (int i = 0; i < 8; ++i)
            out[group + i / 2 % 2 * 8][2 * pair + i / 4 * 8 + i % 2] =
                emu::half_of(words[i / 2], i % 2);
    };
    auto b_of = [](int group, int pair, const unsigned* words, float (*out)[8]) {
        for (int i = 0; i < 4; ++i)
            out[2 * pair + i / 2 * 8 + i % 2][group] = emu::half_of(words[i / 2], i % 2);
    };
    auto meet = [=](emu::Factors** lanes) { emu::multiply<16>(lanes, a_of, b_of); };
    emu::collective(~0u, "mma.m16n8k16.f16", mine, meet, file, line);
}

namespace emu {

struct Rows { unsigned short row[8]; unsigned* words; };

inline void load_matrix(unsigned (&words)[4], const void* row, bool transposed, const char* file,
                        int line) {
    must_align(row, 16, file, line);
    Rows mine;
    mine.words = words;
    memcpy(mine.row, row, sizeof mine.row);  // by the lane that gave the address
    auto meet = [=](Rows** lanes) {
        auto element = [&](int matrix, int r, int c) -> unsigned {
            return lanes[matrix * 8 + r]->row[c];
        };
        for (int lane = 0; lane < 32; ++lane)
            for (int m = 0; m < 4; ++m) {
                const int r = lane >> 2, c = 2 * (lane & 3);
                const unsigned low = transposed ? element(m, c, r) : element(m, r, c);
                const unsigned high = transposed ? element(m, c + 1, r) : element(m, r, c + 1);
                lanes[lane]->words[m] = low | high << 16;
            }
    };
    collective(~0u, "ldmatrix", mine, meet, file, line);
}

}  // namespace emu

inline void load_matrix_x4(unsigned (&words)[4], const void* shared_row, EMU_PLACE) {
    emu::load_matrix(words, shared_row, false, file, line);
}
inline void load_matrix_x4_transposed(unsigned (&words)[4], const void* shared_row, EMU_PLACE) {
    emu::load_matrix(words, shared_row, true, file, line);
}
