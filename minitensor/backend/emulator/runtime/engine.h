// The engine that runs a grid of CUDA threads on one CPU thread: what kernels may ask of it.
//
// Every CUDA thread is a fiber: a stack of its own, entered and left by a switch of registers. One
// block runs at a time. A fiber runs until it waits (at a barrier, for its warp) or returns, then
// the next one in the chosen order goes on. See engine.cpp.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

struct uint3 { unsigned x, y, z; };
struct dim3 {
    unsigned x, y, z;
    constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};

// The line of the kernel that calls: default arguments are evaluated at the call.
#define EMU_PLACE const char* file = __builtin_FILE(), int line = __builtin_LINE()

namespace emu {

#if defined(__x86_64__)
constexpr size_t page = 4096;
#else
constexpr size_t page = 64 * 1024;  // the largest that Linux has on aarch64
#endif
// What may not be touched below a fiber's stack, and around dynamic shared memory. g++ touches every
// frame as it grows, at least once in 4 KB, on aarch64 in 64 KB (-fstack-clash-protection): so a
// stack that overflows meets the guard, however large the frame.
constexpr size_t guard = 128 * 1024;
#if defined(EMULATOR_ASAN)
constexpr size_t stack_size = 256 * 1024;
#else
constexpr size_t stack_size = 64 * 1024;
#endif

enum class State : uint8_t { fresh, ready, at_barrier, in_warp, done };

struct Copy { void* to; const void* from; int bytes; bool valid; int group; void* began; };

constexpr unsigned in_flight = 256;  // asynchronous copies of one thread

struct Thread {
    uint3 index;
    int lane, warp;
    State state;
    char* stack = nullptr;             // lowest address
    void* stack_pointer = nullptr;     // where the fiber stopped
    void* sanitizer = nullptr;         // its fake stack (ASan) or its fiber (TSan)
    unsigned mask = 0;                 // of the collective it waits in
    const char* operation = nullptr;   // what it waits in, and where
    const char* file = nullptr;
    int line = 0;
    void* operands = nullptr;
    int verdict = 0;                   // of the last barrier: see __syncthreads_count
    void* meeting = nullptr;           // what ThreadSanitizer knows the last meeting by
    int groups = 0;                    // of copies closed so far
    unsigned started = 0, finished = 0;
    void* copying = nullptr;           // where the copy that is being finished began
    Copy copies[in_flight];            // those between `finished` and `started`, in a ring
};

struct Block {
    uint3 index;
    dim3 size, grid;
    std::vector<Thread> threads;
    int alive = 0, waiting = 0;
    int count = 0, all = 1, any = 0;   // of the votes at the barrier being gathered
    unsigned round = 0;                // barriers that all have passed
    char* shared = nullptr;            // dynamic shared memory
};

extern Block block;
extern Thread* self;  // the fiber that runs; null while the scheduler does

// Ends the launch. The message names what went wrong; place, block and thread are added.
[[noreturn]] void fail(const char* file, int line, const char* format, ...)
    __attribute__((format(printf, 3, 4)));

int barrier(int predicate, const char* file, int line);

// All lanes of `mask` meet here; the last to come runs `meet` over the operands of all 32 (null:
// not in the mask).
using Meeting = void (*)(void* context, void** operands);
void collective(unsigned mask, const char* operation, void* operands, Meeting meet, void* context,
                const char* file, int line);

template <typename Operands, typename Function>
void collective(unsigned mask, const char* operation, Operands& mine, Function meet,
                const char* file, int line) {
    auto call = [](void* context, void** all) {
        (*static_cast<Function*>(context))(reinterpret_cast<Operands**>(all));
    };
    collective(mask, operation, &mine, call, &meet, file, line);
}

void start_copy(const Copy& copy, const char* file, int line);  // all but its group are told
void close_group();
bool finish_copy(int groups_left, Copy& copy);

// The list of kernels in this library.
using Entry = void (*)(void** arguments);
void enlist(const char* name, Entry entry, std::string signature);

}  // namespace emu
