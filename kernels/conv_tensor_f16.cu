// Convolution of float16 images on tensor cores with float32 sums: see conv_tensor.cuh, rung 3.
//
// Copies of 16 bytes need channels of a group in eights; other counts go through float32.
#include "conv_tensor.cuh"

template <typename Problem, int ROWS, int COLUMNS, int THREADS, int WIDTH>
__global__ void __launch_bounds__(THREADS, THREADS == 256 ? 2 : 3)
    conv_tensor_f16(const half_t* __restrict__ a, const half_t* __restrict__ b,
                    const half_t* __restrict__ bias, half_t* __restrict__ c,
                    float* __restrict__ partials, Window window, int N, int C, int O, int groups,
                    int splits, long long size, int relu) {
    conv_tensor<Problem, half_t, ROWS, COLUMNS, THREADS, WIDTH>(
        a, b, bias, c, partials, window, N, C, O, groups, splits, size, relu);
}

KERNEL(conv_tensor_f16<Forward, 128, 128, 256, 8>);
KERNEL(conv_tensor_f16<Forward, 128, 64, 128, 8>);
KERNEL(conv_tensor_f16<Forward, 64, 64, 128, 8>);
KERNEL(conv_tensor_f16<Forward, 128, 32, 128, 8>);
KERNEL(conv_tensor_f16<InputGrad, 128, 128, 256, 8>);
KERNEL(conv_tensor_f16<InputGrad, 128, 64, 128, 8>);
KERNEL(conv_tensor_f16<InputGrad, 64, 64, 128, 8>);
KERNEL(conv_tensor_f16<InputGrad, 128, 32, 128, 8>);
KERNEL(conv_tensor_f16<FilterGrad, 128, 128, 256, 8>);
KERNEL(conv_tensor_f16<FilterGrad, 128, 64, 128, 8>);
KERNEL(conv_tensor_f16<FilterGrad, 64, 64, 128, 8>);
KERNEL(conv_tensor_f16<FilterGrad, 128, 32, 128, 8>);
