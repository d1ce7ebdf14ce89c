// The scheduler: runs the blocks of a launch one after the other, and the threads of a block as
// fibers, in forward, reverse or random order. A kernel whose result depends on the order lacks a
// barrier or an atomic.
//
// The engine is compiled apart from the kernels, without sanitizers, and linked to each of their
// libraries. What is not here: memory access (faults.cpp), reports of UBSan (ubsan.cpp).
#include "engine.h"

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <new>

#include "faults.h"
#include "launch.h"
#include "sanitizers.h"
#include "switch.h"

// The linker's bounds of the kernels' shared arrays; absent if they have none.
extern "C" char __start_emu_shared[] __attribute__((weak, visibility("hidden")));
char emu_shared_end[emu::guard] __attribute__((section("emu_shared"), aligned(emu::page), used));

namespace emu {

Block block;
Thread* self;

static Launch* launch;
static void* scheduler;                 // its stack pointer while a fiber runs
static std::vector<char*> stacks;       // unused
static uint32_t random_state;
// For ThreadSanitizer. Who comes releases `arrivals`; the last to come acquires it and releases a
// tag of this one meeting, which the others acquire when they go on. One tag for both would also
// order what early leavers do next before what late leavers do: it would hide a missing barrier.
static char arrivals, ends, warp_arrivals[32], meetings[4096];
static unsigned meeting;

// ----- errors -----

static void report(const Thread* thread, const char* file, int line, const char* format,
                   va_list arguments) {
    if (launch->failed) return;
    launch->failed = 1;
    launch->file = file;
    launch->line = line;
    launch->block = block.index;
    launch->has_thread = thread != nullptr;
    if (thread) launch->thread = thread->index;
    vsnprintf(launch->message, sizeof launch->message, format, arguments);
}

// An error of the whole block, found by the scheduler, at the place where `thread` waits.
__attribute__((format(printf, 2, 3)))
static void fail_block(const Thread* thread, const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    report(thread, thread ? thread->file : nullptr, thread ? thread->line : 0, format, arguments);
    va_end(arguments);
}

static void leave(bool for_good) {
    Thread& thread = *self;
    if (for_good) sanitizers::release(&ends);
    sanitizers::leave(thread, for_good);
    emu_switch(&thread.stack_pointer, scheduler);
    sanitizers::entered(thread.sanitizer);
}

void fail(const char* file, int line, const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    report(self, file, line, format, arguments);
    va_end(arguments);
    leave(true);  // for good: kernels own nothing that would have to be released
    abort();
}

// ----- memory -----

// `bytes`, whole pages, between two guards; null, and the launch has failed, if there is no more.
static char* take_guarded(size_t bytes, const char* what) {
    const size_t all = bytes + 2 * guard;
    void* memory = mmap(nullptr, all, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory != MAP_FAILED) {
        char* start = static_cast<char*>(memory) + guard;
        if (!mprotect(start, bytes, PROT_READ | PROT_WRITE)) return start;
        munmap(memory, all);
    }
    fail_block(nullptr, "the system has no %zu bytes for %s: %s", bytes, what, strerror(errno));
    return nullptr;
}

// Static shared arrays end where nothing may be touched, too.
static void guard_shared() {
    static bool guarded = false;
    guarded = guarded || !mprotect(emu_shared_end, guard, PROT_NONE);
    if (!guarded) fail_block(nullptr, "mprotect: %s", strerror(errno));
}

static size_t whole_pages(size_t bytes) { return (bytes + page - 1) / page * page; }

// ----- fibers -----

static void body() {
    sanitizers::entered(nullptr);
    launch->entry(launch->arguments);
    self->state = State::done;
    leave(true);
    abort();
}

static char* take_stack() {
    if (stacks.empty()) return take_guarded(stack_size, "the stack of a thread");
    char* stack = stacks.back();
    stacks.pop_back();
    return stack;
}

static bool start(Thread& thread) {
    thread.stack = take_stack();
    if (!thread.stack) return false;
    sanitizers::born(thread);
    // Tops at equal distances would fight for the same lines of the cache.
    const size_t stagger = (thread.warp * 32 + thread.lane) * 192 % 4096 / 64 * 64;
    thread.stack_pointer = fresh_stack(thread.stack + stack_size - stagger, body);
    return true;
}

static void retire(Thread& thread) {
    if (!thread.stack) return;
    sanitizers::died(thread);
    stacks.push_back(thread.stack);
    thread.stack = nullptr;
}

static void run(Thread& thread) {
    if (thread.state == State::fresh && !start(thread)) return;
    thread.state = State::ready;
    self = &thread;
    sanitizers::enter(thread);
    emu_switch(&scheduler, thread.stack_pointer);
    sanitizers::left();
    self = nullptr;
}

// ----- meetings -----

static void* new_meeting(void* arrived) {
    void* tag = &meetings[meeting++ % sizeof meetings];
    sanitizers::acquire(arrived);
    sanitizers::release(tag);
    return tag;
}

// All threads must wait at the same one: on a GPU it is undefined what others would do.
static void check_barrier(const Thread& me) {
    for (const Thread& thread : block.threads)
        if (thread.line != me.line)
            fail(me.file, me.line, "barrier divergence: thread (%u, %u, %u) waits at another "
                 "__syncthreads, in line %d", thread.index.x, thread.index.y, thread.index.z,
                 thread.line);
}

static void open_barrier() {
    void* tag = new_meeting(&arrivals);
    const int verdict = block.count << 2 | block.any << 1 | block.all;
    for (Thread& thread : block.threads)
        if (thread.state == State::at_barrier) {
            thread.state = State::ready;
            thread.verdict = verdict;
            thread.meeting = tag;
        }
    block.waiting = block.count = block.any = 0;
    block.all = 1;
    ++block.round;
    ++launch->barriers;
}

int barrier(int predicate, const char* file, int line) {
    Thread& me = *self;
    sanitizers::release(&arrivals);
    me.state = State::at_barrier;
    me.operation = "__syncthreads";
    me.file = file;
    me.line = line;
    block.count += predicate != 0;
    block.all &= predicate != 0;
    block.any |= predicate != 0;
    if (++block.waiting == int(block.threads.size())) {
        check_barrier(me);
        open_barrier();
    }
    leave(false);
    sanitizers::acquire(me.meeting);
    return me.verdict;
}

static bool all_here(const Thread& me, Thread* warp, int size) {
    for (int lane = 0; lane < size; ++lane) {
        const Thread& other = warp[lane];
        if (!(me.mask >> lane & 1)) continue;
        if (other.state != State::in_warp || other.mask != me.mask) return false;
        if (strcmp(other.operation, me.operation)) return false;
    }
    return true;
}

void collective(unsigned mask, const char* operation, void* operands, Meeting meet, void* context,
                const char* file, int line) {
    Thread& me = *self;
    Thread* warp = &block.threads[me.warp * 32];
    const int size = std::min<int>(32, block.threads.size() - me.warp * 32);
    if (!(mask >> me.lane & 1))
        fail(file, line, "%s: lane %d calls with the mask %08x, which does not name it", operation,
             me.lane, mask);
    const bool whole = mask == ~0u && size < 32;  // "all of us", in the last, shorter warp
    me.mask = whole ? (1u << size) - 1 : mask;
    if (size < 32 && me.mask >> size)
        fail(file, line, "%s: the mask %08x names lanes of a warp that has only %d", operation,
             mask, size);
    me.operation = operation;
    me.operands = operands;
    me.file = file;
    me.line = line;
    me.state = State::in_warp;
    sanitizers::release(&warp_arrivals[me.warp]);
    if (!all_here(me, warp, size)) {
        leave(false);
        sanitizers::acquire(me.meeting);
        return;
    }
    sanitizers::acquire(&warp_arrivals[me.warp]);
    void* all[32] = {};
    for (int lane = 0; lane < size; ++lane)
        if (me.mask >> lane & 1) all[lane] = warp[lane].operands;
    ++launch->collectives;
    meet(context, all);
    void* tag = new_meeting(&warp_arrivals[me.warp]);  // after it: its results are seen
    for (int lane = 0; lane < size; ++lane)
        if (me.mask >> lane & 1) {
            warp[lane].state = State::ready;
            warp[lane].meeting = tag;
        }
}

void start_copy(const Copy& copy, const char* file, int line) {
    self->file = file;
    self->line = line;
    if (self->started - self->finished == in_flight)
        fail(file, line, "more than %u asynchronous copies of one thread are on their way", in_flight);
    Copy& place = self->copies[self->started++ % in_flight];
    place = copy;
    place.group = self->groups;
}

void close_group() { ++self->groups; }

bool finish_copy(int groups_left, Copy& copy) {
    self->copying = nullptr;
    if (self->started == self->finished) return false;
    const Copy& oldest = self->copies[self->finished % in_flight];
    if (oldest.group >= self->groups - groups_left) return false;
    copy = oldest;
    self->copying = oldest.began;
    ++self->finished;
    return true;
}

// ----- blocks -----

static uint32_t draw(uint32_t bound) {
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % bound;
}

template <typename Number> static std::vector<Number> ordered(Number count) {
    std::vector<Number> order(count);
    for (Number i = 0; i < count; ++i) order[i] = launch->order == 1 ? count - 1 - i : i;
    if (launch->order == 2)
        for (Number i = count - 1; i > 0; --i) std::swap(order[i], order[draw(i + 1)]);
    return order;
}

// All bits set: NaN, for every float format. Not by memset, which AddressSanitizer watches: it
// guards the gaps between shared arrays, and we write there too.
static void fill_with_nan(char* memory, size_t bytes) {
    volatile uint64_t* words = reinterpret_cast<volatile uint64_t*>(memory);
    for (size_t i = 0; i < (bytes + 7) / 8; ++i) words[i] = ~uint64_t(0);
}

static void prepare(long long number) {
    const unsigned x = launch->grid[0], y = launch->grid[1];
    block.index = {unsigned(number % x), unsigned(number / x % y), unsigned(number / x / y)};
    block.alive = block.threads.size();
    block.waiting = block.count = block.any = block.round = 0;
    block.all = 1;
    int i = 0;
    for (Thread& thread : block.threads) {
        const unsigned bx = block.size.x, by = block.size.y;
        thread.index = {i % bx, i / bx % by, i / (bx * by)};
        thread.lane = i % 32;
        thread.warp = i / 32;
        thread.state = State::fresh;
        thread.started = thread.finished = 0;
        thread.groups = 0;
        ++i;
    }
    char* first = __start_emu_shared;
    const size_t bytes = first ? emu_shared_end - first : 0;
    sanitizers::forget(first, bytes);
#if !defined(EMULATOR_COVERAGE)  // whose counters g++ puts beside the shared arrays
    fill_with_nan(first, bytes);
#endif
    if (launch->shared) {
        char* first = block.shared - reinterpret_cast<uintptr_t>(block.shared) % page;
        sanitizers::forget(first, whole_pages(launch->shared));
    }
    fill_with_nan(block.shared, launch->shared);
}

static void explain_deadlock() {
    int at_barrier = 0, in_warp = 0, returned = 0;
    const Thread* witness = nullptr;
    for (const Thread& thread : block.threads) {
        at_barrier += thread.state == State::at_barrier;
        in_warp += thread.state == State::in_warp;
        returned += thread.state == State::done;
        if (thread.state == State::in_warp) witness = &thread;
    }
    if (!witness)
        for (const Thread& thread : block.threads)
            if (thread.state == State::at_barrier) witness = &thread;
    if (in_warp)
        fail_block(witness,
                   "deadlock: %d threads wait in a warp's %s (mask %08x here), %d at "
                   "__syncthreads, %d have returned",
                   in_warp, witness->operation, witness->mask, at_barrier, returned);
    else
        fail_block(witness,
                   "barrier divergence: %d of %zu threads wait at __syncthreads, which %d others "
                   "never reach: they returned, or an if or a loop led them past it",
                   at_barrier, block.threads.size(), returned);
}

static void check_copies() {
    for (const Thread& thread : block.threads)
        if (const unsigned left = thread.started - thread.finished)
            return fail_block(&thread, "%u asynchronous copies were never waited for", left);
}

static void run_block() {
    const std::vector<int> order = ordered<int>(block.threads.size());
    while (block.alive && !launch->failed) {
        bool progress = false;
        if (launch->interrupted) fail_block(nullptr, "interrupted");
        if (launch->failed) break;
        for (int i : order) {
            Thread& thread = block.threads[i];
            if (thread.state != State::fresh && thread.state != State::ready) continue;
            run(thread);
            progress = true;
            if (launch->failed) break;
            if (thread.state == State::done) {
                --block.alive;
                retire(thread);
            }
        }
        if (!progress) explain_deadlock();
    }
    if (!launch->failed) check_copies();
    for (Thread& thread : block.threads) retire(thread);
}

struct Kernel { std::string name; Entry entry; std::string signature; };
static std::vector<Kernel>& kernels() {
    static std::vector<Kernel> list;
    return list;
}
void enlist(const char* name, Entry entry, std::string signature) {
    kernels().push_back({name, entry, signature});
}

static void run_grid() {
    const long long blocks = 1ll * launch->grid[0] * launch->grid[1] * launch->grid[2];
    // Some blocks, for `minitensor kernel`, stay in their order; all are ordered only if they must.
    const std::vector<long long> order =
        launch->blocks || !launch->order ? std::vector<long long>{} : ordered(blocks);
    for (long long i = 0, end = launch->blocks ? launch->blocks : blocks; i < end; ++i) {
        prepare(launch->blocks ? launch->only[i] : order.empty() ? i : order[i]);
        run_block();
        if (launch->failed) return;
        launch->done = launch->done + 1;
    }
}

}  // namespace emu

#define API extern "C" __attribute__((visibility("default")))

API const char* emu_kernel_name(size_t i) {
    return i < emu::kernels().size() ? emu::kernels()[i].name.c_str() : nullptr;
}

API const char* emu_kernel_signature(size_t i) { return emu::kernels()[i].signature.c_str(); }

API void emu_launch(size_t kernel, emu::Launch* request) {
    using namespace emu;
    launch = request;
    launch->entry = kernels()[kernel].entry;
    random_state = launch->seed;
    block.index = {0, 0, 0};
    block.grid = {launch->grid[0], launch->grid[1], launch->grid[2]};
    block.size = {launch->size[0], launch->size[1], launch->size[2]};
    const size_t room = whole_pages(launch->shared);
    char* shared = room ? take_guarded(room, "dynamic shared memory") : nullptr;
    block.shared = shared + (room - launch->shared) / 16 * 16;  // it ends at the guard
    guard_shared();
    sanitizers::begin();
    try {
        block.threads.resize(size_t(block.size.x) * block.size.y * block.size.z);
        const faults::Watch watch(launch);
        if (!launch->failed) run_grid();
    } catch (const std::bad_alloc&) {
        fail_block(nullptr, "the system has no memory for so many threads or blocks");
    }
    sanitizers::acquire(&ends);
    sanitizers::end();
    if (shared) munmap(shared - guard, room + 2 * guard);
    block.shared = nullptr;
}
