// A batched transpose, (B, R, S) -> (B, S, R): NCHW to NHWC is R = C, S = H*W, and back.
//
// A block moves one tile of 32 x 32 through shared memory, so that both the reads and the writes of
// a warp are one run of 32 neighbours; a thread moves four elements. A row of the tile is 33 long:
// with 32, a column would lie in one bank and its 32 reads would queue.
//
// transpose_thin: where R or S is a handful, as an image has three colours, tiles would be all but
// empty. One thread moves one element of the result; the caches make up for the strided reads.
//
// Only the size of T matters: half_t stands for every type of two bytes.
// Twin: transpose in minitensor/backend/numpy/__init__.py.
#include "common.cuh"
#include "rows.cuh"

constexpr int Tile = 32;
constexpr int Lines = 8;  // of a tile that a block of 32 x 8 threads moves at once

// blockIdx: x counts tiles along S, y along R, z images; y and z go on beyond the grid's limit.
template <typename T>
__global__ void __launch_bounds__(256)
    transpose(const T* __restrict__ x, T* __restrict__ y, int B, int R, int S) {
    __shared__ T tile[Tile][Tile + 1];
    const long long area = static_cast<long long>(R) * S;
    const int left = blockIdx.x * Tile;
    for (int image = blockIdx.z; image < B; image += gridDim.z) {
        for (int top = blockIdx.y * Tile; top < R; top += gridDim.y * Tile) {
            const int column = left + threadIdx.x;
#pragma unroll
            for (int first = 0; first < Tile; first += Lines) {
                const int line = first + threadIdx.y;
                const long long from = static_cast<long long>(top + line) * S + column;
                if (top + line < R && column < S) tile[line][threadIdx.x] = x[image * area + from];
            }
            __syncthreads();
            const int row = top + threadIdx.x;
#pragma unroll
            for (int first = 0; first < Tile; first += Lines) {
                const int line = first + threadIdx.y;
                const long long to = static_cast<long long>(left + line) * R + row;
                if (left + line < S && row < R) y[image * area + to] = tile[threadIdx.x][line];
            }
            __syncthreads();  // before the next tile overwrites this one
        }
    }
}

// rows = B; items = R * S.
template <typename T>
__global__ void __launch_bounds__(256)
    transpose_thin(const T* __restrict__ x, T* __restrict__ y, int R, int S, int items, int rows) {
    const long long item = thread_index();
    if (item >= items) return;
    const long long from = static_cast<long long>(int(item) % R) * S + int(item) / R;
    for (unsigned row = row_index(); row < rows; row += row_count()) {
        const long long image = static_cast<long long>(row) * items;
        y[image + item] = x[image + from];
    }
}

KERNEL(transpose<unsigned char>);
KERNEL(transpose<half_t>);
KERNEL(transpose<int>);
KERNEL(transpose<long long>);
KERNEL(transpose_thin<unsigned char>);
KERNEL(transpose_thin<half_t>);
KERNEL(transpose_thin<int>);
KERNEL(transpose_thin<long long>);
