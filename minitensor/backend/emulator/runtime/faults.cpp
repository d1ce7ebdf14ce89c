// The signal handler sends the faulting fiber to `land`, which ends the launch like any error.
#include "faults.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <pthread.h>
#include <ucontext.h>

#include "sanitizers.h"

namespace emu::faults {

static Launch* launch;
#if defined(EMULATOR_ASAN) || defined(EMULATOR_TSAN)
static const int signals[] = {SIGSEGV, SIGBUS};  // the sanitizers defer others
#else
static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGINT};
#endif
constexpr int count = sizeof signals / sizeof *signals;
static struct sigaction previous[count];
static pthread_t runner;  // the thread that runs the launch: others' signals are not ours
static stack_t previous_stack;
static char handler_stack[64 * 1024];

static bool lies_in(const char* start, size_t bytes) {
    return launch->address >= start && launch->address < start + bytes;
}

static void land() {
    sanitizers::abandon(*self);
    if (launch->interrupted) fail(nullptr, 0, "interrupted");
    if (!launch->address) fail(nullptr, 0, "divides an integer by zero");
    const char* what = nullptr;
    if (lies_in(self->stack - guard, guard)) {
        what = "overflows its stack";
        launch->failed = 0;  // it did so while it reported something else
    }
    if (lies_in(emu_shared_end, guard)) what = "touches shared memory past its end";
    if (launch->shared && lies_in(block.shared + launch->shared, guard))
        what = "touches dynamic shared memory past its end";
    if (what) launch->address = nullptr;  // a place that Python need not look up
    fail(nullptr, 0, "%s", what ? what : "touches memory that is no argument's");
}

// What the process itself would have done.
static void pass_on(int signal, siginfo_t* info, void* opaque) {
    for (int i = 0; i < count; ++i) {
        if (signals[i] != signal) continue;
        if (previous[i].sa_flags & SA_SIGINFO)
            previous[i].sa_sigaction(signal, info, opaque);
        else if (previous[i].sa_handler != SIG_DFL && previous[i].sa_handler != SIG_IGN)
            previous[i].sa_handler(signal);
        else if (previous[i].sa_handler == SIG_DFL)
            sigaction(signal, &previous[i], nullptr);  // and it comes again
    }
}

static bool is_on_fiber(const ucontext_t& context) {
#if defined(__x86_64__)
    const uintptr_t at = static_cast<uintptr_t>(context.uc_mcontext.gregs[REG_RSP]);
#elif defined(__aarch64__)
    const uintptr_t at = context.uc_mcontext.sp;
#endif
    return at - reinterpret_cast<uintptr_t>(self->stack) < stack_size;
}

static void arrive(int signal, siginfo_t* info, void* opaque) {
    const bool ours = pthread_equal(pthread_self(), runner);
    if (signal == SIGINT && ours) launch->interrupted = 1;  // the scheduler looks at it
    if (!self || !ours) {
        if (signal != SIGINT || !ours) pass_on(signal, info, opaque);
        return;
    }
    ucontext_t& context = *static_cast<ucontext_t*>(opaque);
    if (signal == SIGINT && !is_on_fiber(context)) return;
    const bool access = signal == SIGSEGV || signal == SIGBUS;
    launch->address = access ? info->si_addr : nullptr;
    if (access && !launch->address) launch->address = reinterpret_cast<void*>(1);
    // The frames of this fiber are done for: `land` may take its stack from the top.
    const uintptr_t top = reinterpret_cast<uintptr_t>(self->stack) + stack_size - 64;
#if defined(__x86_64__)
    launch->instruction = reinterpret_cast<void*>(context.uc_mcontext.gregs[REG_RIP]);
    launch->is_write = context.uc_mcontext.gregs[REG_ERR] >> 1 & 1;
    context.uc_mcontext.gregs[REG_RIP] = reinterpret_cast<greg_t>(land);
    context.uc_mcontext.gregs[REG_RSP] = static_cast<greg_t>(top / 16 * 16 - 8);
#elif defined(__aarch64__)
    launch->instruction = reinterpret_cast<void*>(context.uc_mcontext.pc);
    context.uc_mcontext.pc = reinterpret_cast<uintptr_t>(land);
    context.uc_mcontext.sp = top / 16 * 16;
#endif
}

static void refused(const char* call) {
    launch->failed = 1;
    snprintf(launch->message, sizeof launch->message, "%s: %s", call, strerror(errno));
}

Watch::Watch(Launch* request) {
    launch = request;
    runner = pthread_self();
    stack_t stack = {};
    stack.ss_sp = handler_stack;
    stack.ss_size = sizeof handler_stack;
    has_stack = !sigaltstack(&stack, &previous_stack);
    if (!has_stack) refused("sigaltstack");
    struct sigaction action = {};
    action.sa_sigaction = arrive;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    for (; watched < count && !launch->failed; ++watched)
        if (sigaction(signals[watched], &action, &previous[watched])) {
            refused("sigaction");
            break;
        }
}

Watch::~Watch() {
    while (watched) {
        --watched;
        sigaction(signals[watched], &previous[watched], nullptr);
    }
    if (has_stack) sigaltstack(&previous_stack, nullptr);
}

}  // namespace emu::faults
