// What the 32 threads of a warp do together: shuffles, votes, sums. All are one function, a
// meeting: each lane posts its operands, the last to come computes for all.
#pragma once

namespace emu {

template <typename T> struct Shuffle { T value; int from; T result; };

template <typename T>
T shuffle(unsigned mask, const char* operation, T value, int from, const char* file, int line) {
    Shuffle<T> mine{value, from, value};
    auto meet = [=](Shuffle<T>** lanes) {
        for (int lane = 0; lane < 32; ++lane) {
            if (!lanes[lane]) continue;
            Shuffle<T>* source = lanes[lanes[lane]->from];
            if (!source)
                fail(file, line, "%s: lane %d reads lane %d, which the mask %08x leaves out",
                     operation, lane, lanes[lane]->from, mask);
            lanes[lane]->result = source->value;
        }
    };
    collective(mask, operation, mine, meet, file, line);
    return mine.result;
}

template <typename T, typename Function>
T reduce(unsigned mask, const char* operation, T value, Function join, const char* file, int line) {
    T mine = value;
    auto meet = [=](T** lanes) {
        bool first = true;
        T total{};
        for (int lane = 0; lane < 32; ++lane) {
            if (!lanes[lane]) continue;
            total = first ? *lanes[lane] : join(total, *lanes[lane]);
            first = false;
        }
        for (int lane = 0; lane < 32; ++lane)
            if (lanes[lane]) *lanes[lane] = total;
    };
    collective(mask, operation, mine, meet, file, line);
    return mine;
}

inline unsigned ballot(unsigned mask, const char* operation, int p, const char* file, int line) {
    auto join = [](unsigned a, unsigned b) { return a | b; };
    return reduce(mask, operation, p ? 1u << self->lane : 0u, join, file, line);
}

}  // namespace emu

inline void __syncwarp(unsigned mask = ~0u, EMU_PLACE) {
    int nothing = 0;
    emu::collective(mask, "__syncwarp", nothing, [](int**) {}, file, line);
}

template <typename T> T __shfl_sync(unsigned mask, T value, int from, int width = 32, EMU_PLACE) {
    const int first = emu::self->lane / width * width;
    return emu::shuffle(mask, "__shfl_sync", value, first + (from & (width - 1)), file, line);
}
template <typename T>
T __shfl_up_sync(unsigned mask, T value, unsigned by, int width = 32, EMU_PLACE) {
    const int lane = emu::self->lane, first = lane / width * width, from = lane - int(by);
    return emu::shuffle(mask, "__shfl_up_sync", value, from >= first ? from : lane, file, line);
}
template <typename T>
T __shfl_down_sync(unsigned mask, T value, unsigned by, int width = 32, EMU_PLACE) {
    const int lane = emu::self->lane, end = lane / width * width + width, from = lane + int(by);
    return emu::shuffle(mask, "__shfl_down_sync", value, from < end ? from : lane, file, line);
}
template <typename T>
T __shfl_xor_sync(unsigned mask, T value, int with, int width = 32, EMU_PLACE) {
    const int lane = emu::self->lane, end = lane / width * width + width, from = lane ^ with;
    return emu::shuffle(mask, "__shfl_xor_sync", value, from < end ? from : lane, file, line);
}

inline unsigned __ballot_sync(unsigned mask, int p, EMU_PLACE) {
    return emu::ballot(mask, "__ballot_sync", p, file, line);
}
inline int __any_sync(unsigned mask, int p, EMU_PLACE) {
    return emu::ballot(mask, "__any_sync", p, file, line) != 0;
}
inline int __all_sync(unsigned mask, int p, EMU_PLACE) {
    return emu::ballot(mask, "__all_sync", !p, file, line) == 0;
}
inline unsigned __reduce_add_sync(unsigned mask, unsigned value, EMU_PLACE) {
    auto add = [](unsigned a, unsigned b) { return a + b; };
    return emu::reduce(mask, "__reduce_add_sync", value, add, file, line);
}
