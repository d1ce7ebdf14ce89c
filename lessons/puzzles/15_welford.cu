// Mean and variance in one pass, of numbers far from zero.
//
//     v = x[r] + shift,   mean[r] = sum of v / n,   variance[r] = sum of (v - mean)^2 / n
//     x (6, n), mean (6), variance (6); n = 300, shift = 4096
//
// Block r is one warp. The mean of squares minus the square of the mean loses all digits in float;
// two passes read x twice. Welford: with each v, count += 1, d = v - m, m += d / count, s += d *
// (v - m). Two parts (count, m, s) and (count', m', s') join, with d = m' - m and c = count +
// count', to
//     m + d * count' / c    and    s + s' + d * d * count * count' / c
// Lanes join as in the dot product (puzzle 8): __shfl_down_sync(0xffffffff, value, by) is the value
// of the lane `by` further, for by = 16, 8, 4, 2, 1; with n = 300 the counts differ. Lane 0 writes.
__global__ void welford(const float* x, float* mean, float* variance, int n, float shift) {
    // yours
}
