// Convolution of float32 images on tensor cores, in TF32: see conv_tensor.cuh, rung 3.
//
// Factors lose 13 bits on their way into the multiplication, so this is for those who opted in
// (config.experimental.enable_tensor_float_32_execution). WIDTH 4 copies 16 bytes at once and needs
// channels of a group in fours; WIDTH 1 serves all other counts. (A first layer's 3 channels are given
// a fourth of zeros: minitensor/backend/host/packs.py.)
#include "conv_tensor.cuh"

template <typename Problem, int ROWS, int COLUMNS, int THREADS, int WIDTH>
__global__ void __launch_bounds__(THREADS, THREADS == 256 ? 2 : 3)
    conv_tensor_tf32(const float* __restrict__ a, const float* __restrict__ b,
                     const float* __restrict__ bias, float* __restrict__ c,
                     float* __restrict__ partials, Window window, int N, int C, int O, int groups,
                     int splits, long long size, int relu) {
    conv_tensor<Problem, float, ROWS, COLUMNS, THREADS, WIDTH>(
        a, b, bias, c, partials, window, N, C, O, groups, splits, size, relu);
}

KERNEL(conv_tensor_tf32<Forward, 128, 128, 256, 4>);
KERNEL(conv_tensor_tf32<Forward, 128, 64, 128, 4>);
KERNEL(conv_tensor_tf32<Forward, 64, 64, 128, 4>);
KERNEL(conv_tensor_tf32<Forward, 128, 32, 128, 4>);
KERNEL(conv_tensor_tf32<Forward, 64, 64, 128, 1>);
KERNEL(conv_tensor_tf32<InputGrad, 128, 128, 256, 4>);
KERNEL(conv_tensor_tf32<InputGrad, 128, 64, 128, 4>);
KERNEL(conv_tensor_tf32<InputGrad, 64, 64, 128, 4>);
KERNEL(conv_tensor_tf32<InputGrad, 128, 32, 128, 4>);
KERNEL(conv_tensor_tf32<InputGrad, 64, 64, 128, 1>);
KERNEL(conv_tensor_tf32<FilterGrad, 128, 128, 256, 4>);
KERNEL(conv_tensor_tf32<FilterGrad, 128, 64, 128, 4>);
KERNEL(conv_tensor_tf32<FilterGrad, 64, 64, 128, 4>);
KERNEL(conv_tensor_tf32<FilterGrad, 128, 32, 128, 4>);
KERNEL(conv_tensor_tf32<FilterGrad, 64, 64, 128, 1>);
