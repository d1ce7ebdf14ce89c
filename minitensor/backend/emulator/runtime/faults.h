// Accesses that the machine refuses: arrays lie against pages that may not be touched, so a read or
// write past an array's end arrives here as a signal, and leaves as an error of the kernel. So does
// Ctrl-C: a kernel that does not end would otherwise hold the process for good.
#pragma once
#include "launch.h"

// The end of the section of the shared arrays, which may not be touched.
extern char emu_shared_end[emu::guard] __attribute__((visibility("hidden")));

namespace emu::faults {

// Catches signals while a launch runs; puts the process's own handlers back afterwards.
class Watch {
public:
    explicit Watch(Launch* launch);
    ~Watch();

private:
    int watched = 0;  // signals that come to us
    bool has_stack;   // the handler's own
};

}  // namespace emu::faults
