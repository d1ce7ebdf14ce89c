// Every load and store of a kernel, written down: g++ -fsanitize=thread calls these functions before
// each access, and here they are ours, not ThreadSanitizer's. Locals and the engine's own
// variables are left out; what remains are arrays and shared memory.
#include "engine.h"

extern "C" char __ehdr_start[] __attribute__((visibility("hidden")));  // where the library lies
extern "C" char etext[] __attribute__((visibility("hidden")));         // and where its code ends
extern "C" char __start_emu_shared[] __attribute__((weak, visibility("hidden")));
extern "C" char __stop_emu_shared[] __attribute__((weak, visibility("hidden")));

namespace {

struct Access {
    uint64_t address;
    uint64_t instruction;
    uint32_t block[3], thread[3];
    uint32_t round;
    uint16_t bytes;
    uint8_t is_write, is_shared;
};

constexpr size_t most = 1 << 22;  // that are kept: 200 MB; the rest is only counted
std::vector<Access> accesses;
size_t counted;

bool lies_in(uintptr_t address, const void* start, size_t bytes) {
    return address - reinterpret_cast<uintptr_t>(start) < bytes;
}

void note(void* where, size_t bytes, bool is_write, void* instruction) {
    using emu::block, emu::self;
    const uintptr_t address = reinterpret_cast<uintptr_t>(where);
    // A signal while the list grows would leave malloc's lock taken: so an overflow is told early.
    const char* here = static_cast<const char*>(__builtin_frame_address(0));
    if (self && here - self->stack < 8 * 1024) emu::fail(nullptr, 0, "overflows its stack");
    const size_t threads = block.threads.size() * sizeof(emu::Thread);
    if (!self || lies_in(address, self->stack, emu::stack_size) || lies_in(address, &block, sizeof block) ||
        lies_in(address, &self, sizeof self) || lies_in(address, block.threads.data(), threads))
        return;
    const bool is_shared =
        lies_in(address, __start_emu_shared, __stop_emu_shared - __start_emu_shared) ||
        lies_in(address, block.shared, block.shared ? 1 << 18 : 0);
    if (++counted > most) return;
    if (self->copying) instruction = self->copying;  // not where it is waited for
    const uint3 b = block.index, t = self->index;
    accesses.push_back({address, reinterpret_cast<uint64_t>(instruction), {b.x, b.y, b.z},
                        {t.x, t.y, t.z}, block.round, uint16_t(bytes), is_write, is_shared});
}

}  // namespace

#define HOOK extern "C" __attribute__((visibility("hidden"))) void

HOOK __tsan_init() {}
HOOK __tsan_func_entry(void*) {}
HOOK __tsan_func_exit() {}

#define EACH_SIZE(bytes)                                                                           \
    HOOK __tsan_read##bytes(void* at) { note(at, bytes, false, __builtin_return_address(0)); }     \
    HOOK __tsan_write##bytes(void* at) { note(at, bytes, true, __builtin_return_address(0)); }     \
    HOOK __tsan_unaligned_read##bytes(void* at) {                                                  \
        note(at, bytes, false, __builtin_return_address(0));                                       \
    }                                                                                              \
    HOOK __tsan_unaligned_write##bytes(void* at) {                                                 \
        note(at, bytes, true, __builtin_return_address(0));                                        \
    }
EACH_SIZE(1)
EACH_SIZE(2)
EACH_SIZE(4)
EACH_SIZE(8)
EACH_SIZE(16)
HOOK __tsan_read_range(void* at, size_t bytes) {
    note(at, bytes, false, __builtin_return_address(0));
}
HOOK __tsan_write_range(void* at, size_t bytes) {
    note(at, bytes, true, __builtin_return_address(0));
}

// Atomics are a load and, where it succeeds, a store.
#define ATOMIC(bits, type)                                                                         \
    extern "C" __attribute__((visibility("hidden"))) type __tsan_atomic##bits##_load(              \
        const volatile type* at, int) {                                                            \
        note(const_cast<type*>(at), sizeof *at, false, __builtin_return_address(0));               \
        return *at;                                                                                \
    }                                                                                              \
    extern "C" __attribute__((visibility("hidden"))) int                                           \
        __tsan_atomic##bits##_compare_exchange_strong(volatile type* at, type* old, type fresh,    \
                                                      int, int) {                                  \
        const bool same = *at == *old; /* of threads of an emulated grid one runs at a time */     \
        *old = *at;                                                                                \
        if (!same) return false;                                                                   \
        note(const_cast<type*>(at), sizeof *at, true, __builtin_return_address(0));                \
        *at = fresh;                                                                               \
        return true;                                                                               \
    }
ATOMIC(16, uint16_t)
ATOMIC(32, uint32_t)
ATOMIC(64, uint64_t)
// g++ guards a static array of half_t, though there is nothing to construct, and asks the guard so.
extern "C" __attribute__((visibility("hidden"))) char __tsan_atomic8_load(
    const volatile char* at, int) {
    return *at;
}

// How often each straight piece of a kernel ran, by where in the library it begins:
// g++ -fsanitize-coverage=trace-pc calls this there.
static std::vector<uint64_t> turns;

HOOK __sanitizer_cov_trace_pc() {
    if (!emu::self) return;
    if (turns.empty()) turns.resize(etext - __ehdr_start);
    ++turns[static_cast<char*>(__builtin_return_address(0)) - __ehdr_start];
}

// The turns, for the caller to read and to set to zero.
extern "C" __attribute__((visibility("default"))) uint64_t* emu_turns(size_t* count) {
    *count = turns.size();
    return turns.data();
}

// The accesses since the last call, how many are kept, and how many there were.
extern "C" __attribute__((visibility("default"))) const void* emu_trace(size_t* count, size_t* all) {
    static std::vector<Access> taken;
    taken.clear();
    taken.swap(accesses);
    *count = taken.size();
    *all = counted;
    counted = 0;
    return taken.data();
}
