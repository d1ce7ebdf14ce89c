// What AddressSanitizer and ThreadSanitizer must be told about fibers. Nothing, in a plain build.
//
// This file's functions are called by the engine, which is itself never instrumented: sanitizers
// see the kernels' accesses and nothing else. For ThreadSanitizer every CUDA thread is a thread
// of its own; only barriers and collectives order them.
#pragma once
#include <cstddef>
#include <cstdio>
#include <deque>
#include <sys/mman.h>

extern "C" {
#if defined(EMULATOR_ASAN)
void __sanitizer_start_switch_fiber(void** fake, const void* bottom, size_t size);
void __sanitizer_finish_switch_fiber(void* fake, const void** bottom, size_t* size);
void __asan_unpoison_memory_region(const volatile void*, size_t);
#elif defined(EMULATOR_TSAN)
void* __tsan_get_current_fiber();
void* __tsan_create_fiber(unsigned);
void __tsan_destroy_fiber(void*);
void __tsan_set_fiber_name(void*, const char*);
void __tsan_switch_to_fiber(void*, unsigned no_sync);
void __tsan_acquire(void*);
void __tsan_release(void*);
#endif
}

namespace emu::sanitizers {

#if defined(EMULATOR_ASAN)
static const void* main_stack;
static size_t main_size;
static void* main_fake;
inline void begin() {}
inline void end() {}
inline void enter(Thread& thread) {
    __sanitizer_start_switch_fiber(&main_fake, thread.stack, stack_size);
}
inline void entered(void* fake) { __sanitizer_finish_switch_fiber(fake, &main_stack, &main_size); }
inline void leave(Thread& thread, bool for_good) {
    __sanitizer_start_switch_fiber(for_good ? nullptr : &thread.sanitizer, main_stack, main_size);
}
inline void left() { __sanitizer_finish_switch_fiber(main_fake, nullptr, nullptr); }
inline void abandon(Thread& thread) {  // frames that an error ended
    __asan_unpoison_memory_region(thread.stack, stack_size);
}
inline void born(Thread& thread) {
    thread.sanitizer = nullptr;
    abandon(thread);
}
inline void died(Thread&) {}
inline void acquire(void*) {}
inline void release(void*) {}
inline void forget(void*, size_t) {}

#elif defined(EMULATOR_TSAN)
static void* main_fiber;
inline void forget(void* memory, size_t bytes) {
    if (bytes) mmap(memory, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}
static std::deque<void*> dead;  // fibers whose thread has returned
static unsigned deaths;         // of this launch
inline void bury(size_t kept) {
    for (; dead.size() > kept; dead.pop_front()) __tsan_destroy_fiber(dead.front());
}
inline void begin() {
    main_fiber = __tsan_get_current_fiber();
    deaths = 0;
}
inline void end() { bury(0); }  // TSan has room for 8,128 fibers, of all libraries together
inline void enter(Thread& thread) { __tsan_switch_to_fiber(thread.sanitizer, 1); }
inline void entered(void*) {}
inline void leave(Thread&, bool) { __tsan_switch_to_fiber(main_fiber, 1); }
inline void left() {}
inline void abandon(Thread&) {}
inline void born(Thread& thread) {
    forget(thread.stack, stack_size);  // the last owner's accesses are not this one's
    thread.sanitizer = __tsan_create_fiber(0);
    const uint3 b = block.index, t = thread.index;
    char name[64];  // as reports have it: all that TSan keeps
    snprintf(name, sizeof name, "%u, %u, %u; %u, %u, %u", b.x, b.y, b.z, t.x, t.y, t.z);
    __tsan_set_fiber_name(thread.sanitizer, name);
}
inline void died(Thread& thread) {
    // Of a fiber that is destroyed TSan soon forgets name and line. So the first are kept for a
    // while; not all, as that takes the system twice the time.
    dead.push_back(thread.sanitizer);
    bury(++deaths < 4096 ? 512 : 0);
}
inline void acquire(void* tag) { __tsan_acquire(tag); }
inline void release(void* tag) { __tsan_release(tag); }

#else
inline void begin() {}
inline void end() {}
inline void enter(Thread&) {}
inline void entered(void*) {}
inline void leave(Thread&, bool) {}
inline void left() {}
inline void abandon(Thread&) {}
inline void born(Thread&) {}
inline void died(Thread&) {}
inline void acquire(void*) {}
inline void release(void*) {}
inline void forget(void*, size_t) {}
#endif

}  // namespace emu::sanitizers
