// What people use of CUDA's header of this name. half_t stands in machine.h; arithmetic is done in
// float, or in double where CUDA rounds once, and rounded to 16 bits after each operation.
#pragma once

typedef half_t __half;
typedef half_t half;
struct __half2 { half x, y; } __attribute__((aligned(4)));
typedef __half2 half2;

inline half emu_half(double value) {
    half h;
    h.bits = emu_bits<unsigned short>(static_cast<_Float16>(value));
    return h;
}
inline float __half2float(half h) { return h; }
inline half __float2half(float x) { return half(x); }
inline half __float2half_rn(float x) { return half(x); }
inline half __int2half_rn(int x) { return half(float(x)); }
inline half2 __floats2half2_rn(float x, float y) { return {half(x), half(y)}; }
inline half2 __float2half2_rn(float x) { return {half(x), half(x)}; }
inline half2 __halves2half2(half x, half y) { return {x, y}; }
inline half2 __half2half2(half x) { return {x, x}; }
inline half __low2half(half2 v) { return v.x; }
inline half __high2half(half2 v) { return v.y; }
inline float __low2float(half2 v) { return v.x; }
inline float __high2float(half2 v) { return v.y; }
inline float2 __half22float2(half2 v) { return {float(v.x), float(v.y)}; }

#define EMU_HALF(name, operation)                                                          \
    inline half operator operation(half a, half b) { return half(float(a) operation float(b)); } \
    inline half name(half a, half b) { return a operation b; }                             \
    inline half2 name##2(half2 a, half2 b) { return {a.x operation b.x, a.y operation b.y}; }
EMU_HALF(__hadd, +)
EMU_HALF(__hsub, -)
EMU_HALF(__hmul, *)
inline half operator/(half a, half b) { return half(float(a) / float(b)); }
inline half operator-(half a) { return half(-float(a)); }
inline half& operator+=(half& a, half b) { return a = a + b; }
inline half& operator-=(half& a, half b) { return a = a - b; }
inline half& operator*=(half& a, half b) { return a = a * b; }
inline half __hdiv(half a, half b) { return a / b; }
inline half __hneg(half a) { return -a; }
inline half __hfma(half a, half b, half c) { return emu_half(double(float(a)) * float(b) + float(c)); }
inline half2 __hfma2(half2 a, half2 b, half2 c) {
    return {__hfma(a.x, b.x, c.x), __hfma(a.y, b.y, c.y)};
}
inline half __hmax(half a, half b) { return float(a) != float(a) || float(a) < float(b) ? b : a; }
inline half __hmin(half a, half b) { return float(a) != float(a) || float(b) < float(a) ? b : a; }
inline bool __hgt(half a, half b) { return float(a) > float(b); }
inline bool __hlt(half a, half b) { return float(a) < float(b); }
inline bool __hisnan(half a) { return float(a) != float(a); }
inline half hexp(half a) { return half(expf(a)); }
inline half hsqrt(half a) { return half(sqrtf(a)); }
