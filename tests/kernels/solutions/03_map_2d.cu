__global__ void map_2d(const float* a, const float* b, float* y, int height, int width) {
    const int column = blockIdx.x * blockDim.x + threadIdx.x;
    const int row = blockIdx.y * blockDim.y + threadIdx.y;
    if (row < height && column < width) y[row * width + column] = a[row] + b[column];
}
