// One launch as Python describes it, and what became of it: the struct of ctypes in kernel.py,
// field by field.
#pragma once
#include "engine.h"

namespace emu {

struct Launch {
    unsigned grid[3], size[3];
    unsigned long long shared;      // bytes of dynamic shared memory
    void** arguments;
    int order;                      // 0 forward, 1 reverse, 2 random
    unsigned seed;
    const long long* only;          // the blocks to run,
    long long blocks;               // and how many; 0: all
    Entry entry;
    // The answer.
    int failed, line, has_thread, is_write, interrupted;
    const char* file;
    uint3 block, thread;
    void *address, *instruction;    // of an access that the machine refused
    unsigned long long barriers, collectives;
    volatile unsigned long long done;  // blocks; read while the launch runs
    char message[512];
};

}  // namespace emu
