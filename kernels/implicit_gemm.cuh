// The three convolutions as matrix products that store no column matrix:
//
//     c (rows, columns) = a (rows, depth) @ b (depth, columns)
//
// Element (row, depth) of a is looked up in the image when it is needed.
//
//                rows                columns   depth                a    b        c
//   Forward      position (n, i, j)  o         tap (u, v, c)        x    filter   y
//   InputGrad    pixel (n, i, j)     c         tap (u, v, o)        y    filter   x
//   FilterGrad   tap (u, v, c)       o         position (n, i, j)   x    y        filter
//
// One problem is one group; a strided InputGrad is one problem per phase as well (see `Phase`).
// The structs below hold integers only: kernels of any type and any tiling read them. The twin is
// minitensor/backend/numpy/blocked.py, which does store its columns, a block at a time.
#pragma once

// An index written as three digits: index = (high * middles + middle) * lows + low.
struct Digits {
    int high, middle, low;
};

// How many values the two lower digits have.
struct Radix {
    int middles, lows;

    __device__ Digits digits(long long index) const {
        if (index >> 32 == 0) {  // the usual case: 32-bit divisions are several times faster
            const unsigned upper = unsigned(index) / unsigned(lows);
            return {int(upper / unsigned(middles)), int(upper % unsigned(middles)),
                    int(unsigned(index) % unsigned(lows))};
        }
        const long long upper = index / lows;
        return {int(upper / middles), int(upper % middles), int(index % lows)};
    }

    // Addition with carries: how a loop walks on without dividing.
    __device__ Digits add(Digits a, Digits b) const {
        Digits sum = {a.high + b.high, a.middle + b.middle, a.low + b.low};
        if (sum.low >= lows) {
            sum.low -= lows;
            ++sum.middle;
        }
        if (sum.middle >= middles) {
            sum.middle -= middles;
            ++sum.high;
        }
        return sum;
    }
};

// What one index of `a` says about where its element lies in the image. The other index says the
// rest: the element is at y = y1 + y2, x = x1 + x2, and base1 + base2 numbers in front.
struct alignas(16) Part {
    long long base;
    int y, x;
};

// A part that no other brings back into an image. Images have fewer than 2^29 rows.
__device__ __forceinline__ Part outside() { return {0, -(1 << 29), 0}; }

// The image that `a` is looked up in.
struct Image {
    int H, W, channels;

    // Whether the element of a row and a depth is a pixel's, not padding.
    __device__ bool holds(const Part& row, const Part& depth) const {
        return unsigned(row.y + depth.y) < unsigned(H) && unsigned(row.x + depth.x) < unsigned(W);
    }

    // Where it lies.
    __device__ long long offset(const Part& row, const Part& depth) const {
        const long long pixel = static_cast<long long>(row.y + depth.y) * W + (row.x + depth.x);
        return row.base + depth.base + pixel * channels;
    }
};

// x as the window sees it: what a position (n, i, j) and what a tap (u, v, c) of a group say.
struct Patches {
    Window window;
    Image image;
    int first_channel;
    Radix positions, taps;

    Patches() = default;
    __device__ Patches(const Window& window, int C, int groups, int group)
        : window(window), image{window.H, window.W, C}, first_channel(C / groups * group),
          positions{window.h, window.w}, taps{window.kw, C / groups} {}

    __device__ Part position(Digits at) const {
        const long long pixels = static_cast<long long>(image.H) * image.W;
        return {at.high * pixels * image.channels, at.middle * window.sy - window.top,
                at.low * window.sx - window.left};
    }

    __device__ Part tap(Digits at) const {
        return {first_channel + at.low, at.high * window.dy, at.middle * window.dx};
    }
};

// The columns of Forward and FilterGrad: the outputs of a group, neighbours in b and in c.
struct Outputs {
    int columns, first_column, O;

    Outputs() = default;
    __device__ Outputs(int O, int groups, int group)
        : columns(O / groups), first_column(O / groups * group), O(O) {}

    __device__ long long b_offset(long long index, Digits, int column) const {
        return index * O + first_column + column;
    }
    __device__ long long c_offset(long long index, int column) const {
        return index * O + first_column + column;
    }
};

struct Forward : Outputs {
    static constexpr bool A_ALONG_DEPTH = true;   // neighbours in memory are neighbours in depth
    static constexpr bool B_ALONG_DEPTH = false;  // ... or neighbours in rows or columns

    Patches patches;
    long long rows, depth;

    Forward() = default;
    __device__ Forward(const Window& window, int N, int C, int O, int groups, int part)
        : Outputs(O, groups, part), patches(window, C, groups, part),
          rows(static_cast<long long>(N) * window.h * window.w),
          depth(static_cast<long long>(window.kh) * window.kw * (C / groups)) {}

    __device__ Image image() const { return patches.image; }
    __device__ Part row(long long index) const {
        return patches.position(patches.positions.digits(index));
    }
    __device__ Radix depth_radix() const { return patches.taps; }
    __device__ Part depth_part(Digits at) const { return patches.tap(at); }
};

struct FilterGrad : Outputs {
    static constexpr bool A_ALONG_DEPTH = false;
    static constexpr bool B_ALONG_DEPTH = false;

    Patches patches;
    long long rows, depth;

    FilterGrad() = default;
    __device__ FilterGrad(const Window& window, int N, int C, int O, int groups, int part)
        : Outputs(O, groups, part), patches(window, C, groups, part),
          rows(static_cast<long long>(window.kh) * window.kw * (C / groups)),
          depth(static_cast<long long>(N) * window.h * window.w) {}

    __device__ Image image() const { return patches.image; }
    __device__ Part row(long long index) const { return patches.tap(patches.taps.digits(index)); }
    __device__ Radix depth_radix() const { return patches.positions; }
    __device__ Part depth_part(Digits at) const { return patches.position(at); }
};

// One axis of an input gradient, one residue of it. Pixel p of the image was seen from position i
// under tap u where p + before = i * stride + u * dilation. So the pixels whose p + before leaves
// one residue modulo the stride share the taps that matter: every tap_step-th, from `tap` on. Among
// themselves they are a convolution without stride: pixel number r sees, under tap number t,
// position r + origin + t * step. No product is wasted on the zeros between strides: of three
// taps at stride 2, every other pixel meets the outer two and the pixels between meet the middle.
struct Phase {
    int pixel, pixels;        // the first pixel, and how many, `stride` apart
    int tap, taps, tap_step;  // the first tap, how many, how far apart
    int origin, step;

    Phase() = default;
    __device__ Phase(int residue, int size, int kernel, int stride, int dilation, int before) {
        pixel = ((residue - before) % stride + stride) % stride;
        pixels = pixel < size ? (size - 1 - pixel) / stride + 1 : 0;
        int common = stride, rest = dilation;  // greatest common divisor, by Euclid
        while (rest != 0) {
            const int smaller = common % rest;
            common = rest;
            rest = smaller;
        }
        tap_step = stride / common;
        tap = 0;
        while (tap < kernel && (residue - static_cast<long long>(tap) * dilation) % stride != 0) {
            ++tap;
        }
        taps = (kernel - tap + tap_step - 1) / tap_step;  // 0 if no tap falls on this residue
        origin = taps == 0 ? 0 : (pixel + before - tap * dilation) / stride;
        step = -(dilation / common);
    }
};

struct InputGrad {
    static constexpr bool A_ALONG_DEPTH = true;
    static constexpr bool B_ALONG_DEPTH = true;

    Phase vertical, horizontal;
    Radix pixels, taps;
    long long rows, depth;
    int columns, first_column, first_output;
    int H, W, h, w, kw, sy, sx, C, O;

    // A part is (residue of y * sx + residue of x) * groups + group.
    InputGrad() = default;
    __device__ InputGrad(const Window& window, int N, int C, int O, int groups, int part)
        : vertical(part / groups / window.sx, window.H, window.kh, window.sy, window.dy,
                   window.top),
          horizontal(part / groups % window.sx, window.W, window.kw, window.sx, window.dx,
                     window.left),
          pixels{vertical.pixels, horizontal.pixels},
          taps{horizontal.taps > 0 ? horizontal.taps : 1, O / groups},  // a digit needs one value
          rows(static_cast<long long>(N) * vertical.pixels * horizontal.pixels),
          depth(static_cast<long long>(vertical.taps) * horizontal.taps * (O / groups)),
          columns(C / groups), first_column(C / groups * (part % groups)),
          first_output(O / groups * (part % groups)), H(window.H), W(window.W), h(window.h),
          w(window.w), kw(window.kw), sy(window.sy), sx(window.sx), C(C), O(O) {}

    __device__ Image image() const { return {h, w, O}; }

    __device__ Part row(long long index) const {
        const Digits at = pixels.digits(index);
        return {at.high * (static_cast<long long>(h) * w * O), at.middle + vertical.origin,
                at.low + horizontal.origin};
    }

    __device__ Radix depth_radix() const { return taps; }

    __device__ Part depth_part(Digits at) const {
        return {first_output + at.low, at.high * vertical.step, at.middle * horizontal.step};
    }

    __device__ long long b_offset(long long, Digits at, int column) const {
        const int u = vertical.tap + at.high * vertical.tap_step;
        const int v = horizontal.tap + at.middle * horizontal.tap_step;
        const long long filter_row = static_cast<long long>(u * kw + v) * columns + column;
        return filter_row * O + first_output + at.low;
    }

    __device__ long long c_offset(long long index, int column) const {
        const Digits at = pixels.digits(index);
        const long long y = static_cast<long long>(at.high) * H + vertical.pixel + at.middle * sy;
        const long long x = horizontal.pixel + at.low * sx;
        return (y * W + x) * C + first_column + column;
    }
};

// What a block computes: a tile of c, from one of `splits` pieces of the depth, of one problem.
// The grid is (tiles of rows, tiles of columns, parts * splits).
struct Share {
    long long first_row;
    int first_column, split, part;

    Share() = default;
    __device__ Share(int tile_rows, int tile_columns, int splits)
        : first_row(static_cast<long long>(blockIdx.x) * tile_rows),
          first_column(blockIdx.y * tile_columns), split(blockIdx.z % splits),
          part(blockIdx.z / splits) {}
};

// The piece of the depth that belongs to one of `splits`: whole tiles, the last may be short. Host
// code splits so that a piece has fewer than 2^31 steps.
struct Range {
    long long begin;
    int count;

    Range() = default;
    __device__ Range(long long depth, int tile, int splits, int split) {
        const long long tiles = (depth + tile - 1) / tile;
        const long long each = (tiles + splits - 1) / splits * tile;
        begin = each * split < depth ? each * split : depth;
        count = int(each < depth - begin ? each : depth - begin);
    }
};
