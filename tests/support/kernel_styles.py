"""Twenty kernels in other styles than ours, right as they stand, and mistakes to plant in them.

For each: its text, how it is launched, what it should compute, and its mistakes: what stands there,
what is written instead, and what `minitensor check` must say of it. Mistakes are those that people
make: a barrier too few, a halo too short, a zero where minus infinity belongs.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Style:
    """One kernel; `reference` is the body of a function of its parameters."""

    text: str
    launch: str
    reference: str
    mistakes: tuple[tuple[str, str, str], ...]


STYLES = {
    "tree reduction": Style(
        """\
__global__ void total(const float* x, float* y, int n) {
    __shared__ float part[128];
    const int i = blockIdx.x * 128 + threadIdx.x;
    part[threadIdx.x] = i < n ? x[i] : 0;
    __syncthreads();
    for (int half = 64; half > 0; half /= 2) {
        if (threadIdx.x < half) part[threadIdx.x] += part[threadIdx.x + half];
        __syncthreads();
    }
    if (threadIdx.x == 0) y[blockIdx.x] = part[0];
}
""",
        "--grid 3 --block 128 --arg randn:300 --arg empty:3 --arg 300",
        "return np.array([x[:128].sum(), x[128:256].sum(), x[256:].sum()])",
        (
            ("+ half];\n        __syncthreads();", "+ half];", "a race"),
            ("i < n ? x[i] : 0", "x[i]", "reads at byte 1200 of x"),
            ("half = 64;", "half = 32;", "the reference has"),
            ("= i < n ? x[i] : 0;", "= 0; if (i >= n) return; part[threadIdx.x] = x[i];", "return"),
        ),
    ),
    "shuffles": Style(
        """\
__global__ void means(const float* x, float* y, int columns) {
    const int lane = threadIdx.x, row = blockIdx.x * blockDim.y + threadIdx.y;
    float sum = 0;
    for (int c = lane; c < columns; c += 32) sum += x[row * columns + c];
    for (int step = 16; step > 0; step /= 2) sum += __shfl_down_sync(0xffffffff, sum, step);
    if (lane == 0) y[row] = sum / columns;
}
""",
        "--grid 2 --block 32,4 --arg randn:8,75 --arg empty:8 --arg 75",
        "return x.mean(1)",
        (
            ("step = 16", "step = 8", "the reference has"),
            ("if (lane == 0) y[row]", "y[row]", "a race"),
            ("for (int step", "if (lane < 16) for (int step", "__shfl_down_sync"),
        ),
    ),
    "scan in one buffer": Style(
        """\
__global__ void scanned(const int* x, int* y) {
    __shared__ int sums[64];
    const int i = threadIdx.x;
    sums[i] = x[i];
    __syncthreads();
    for (int step = 1; step < 64; step *= 2) {
        const int left = i >= step ? sums[i - step] : 0;
        __syncthreads();
        sums[i] += left;
        __syncthreads();
    }
    y[i] = sums[i];
}
""",
        "--grid 1 --block 64 --arg randint:9:64 --arg empty:64",
        "return x.cumsum()",
        (
            (
                "        __syncthreads();\n        sums[i] += left;",
                "        sums[i] += left;",
                "a race",
            ),
            ("i >= step ?", "i > step ?", "the reference has"),
        ),
    ),
    "sweeps up and down": Style(
        """\
__global__ void exclusive(const float* x, float* y) {
    extern __shared__ float tree[];
    const int i = threadIdx.x;
    tree[2 * i] = x[2 * i];
    tree[2 * i + 1] = x[2 * i + 1];
    int step = 1;
    for (int pairs = 32; pairs > 0; pairs /= 2, step *= 2) {
        __syncthreads();
        if (i < pairs) tree[step * (2 * i + 2) - 1] += tree[step * (2 * i + 1) - 1];
    }
    if (i == 0) tree[63] = 0;
    for (int pairs = 1; pairs < 64; pairs *= 2) {
        step /= 2;
        __syncthreads();
        if (i < pairs) {
            float& left = tree[step * (2 * i + 1) - 1];
            float& right = tree[step * (2 * i + 2) - 1];
            const float held = left;
            left = right;
            right += held;
        }
    }
    __syncthreads();
    y[2 * i] = tree[2 * i];
    y[2 * i + 1] = tree[2 * i + 1];
}
""",
        "--grid 1 --block 32 --shared 256 --arg randn:64 --arg empty:64",
        "return np.concatenate([[0], x.cumsum()[:-1]])",
        (
            ("    if (i == 0) tree[63] = 0;\n", "", "the reference has"),
            ("tree[63] = 0", "tree[64] = 0", "shared"),
        ),
    ),
    "stencil with a halo": Style(
        """\
__global__ void smooth(const float* x, float* y, int n) {
    __shared__ float near[66];
    const int i = blockIdx.x * 64 + threadIdx.x, at = threadIdx.x + 1;
    near[at] = i < n ? x[i] : 0;
    if (threadIdx.x == 0) near[0] = i > 0 ? x[i - 1] : 0;
    if (threadIdx.x == 63) near[65] = i + 1 < n ? x[i + 1] : 0;
    __syncthreads();
    if (i < n) y[i] = (near[at - 1] + near[at] + near[at + 1]) / 3;
}
""",
        "--grid 3 --block 64 --arg randn:150 --arg empty:150 --arg 150",
        "p = np.pad(x, 1)\n    return (p[:-2] + p[1:-1] + p[2:]) / 3",
        (
            (
                "    if (threadIdx.x == 63) near[65] = i + 1 < n ? x[i + 1] : 0;\n",
                "",
                "nobody wrote",
            ),
            ("i > 0 ? x[i - 1] : 0", "x[i - 1]", "reads at byte -4 of x"),
            ("    __syncthreads();\n", "", "a race"),
        ),
    ),
    "heat in a plane": Style(
        """\
__global__ void heat(const double* now, double* next, int height, int width) {
    const int column = blockIdx.x * blockDim.x + threadIdx.x;
    const int row = blockIdx.y * blockDim.y + threadIdx.y;
    if (row >= height || column >= width) return;
    const int at = row * width + column;
    const bool edge = row == 0 || column == 0 || row == height - 1 || column == width - 1;
    next[at] = now[at];
    if (edge) return;
    next[at] = 0.2 * (now[at] + now[at - 1] + now[at + 1] + now[at - width] + now[at + width]);
}
""",
        "--grid 3,2 --block 8,8 --arg randn:13,21 --arg empty:13,21 --arg 13 --arg 21",
        "x, y = now, now.copy()\n"
        "    near = x[1:-1, :-2] + x[1:-1, 2:] + x[:-2, 1:-1] + x[2:, 1:-1]\n"
        "    y[1:-1, 1:-1] = (x[1:-1, 1:-1] + near) / 5\n"
        "    return y",
        (
            ("now[at - width]", "now[at - height]", "the reference has"),
            (" || row == height - 1", "", "reads at byte"),
            ("if (row >= height || column >= width)", "if (row >= height)", "reads at byte"),
        ),
    ),
    "a cube's neighbours": Style(
        """\
template <int R> __global__ void boxed(const float* x, float* y, int side) {
    const int i = threadIdx.x, j = threadIdx.y, k = blockIdx.x;
    float sum = 0;
    for (int dk = -R; dk <= R; ++dk)
        for (int dj = -R; dj <= R; ++dj)
            for (int di = -R; di <= R; ++di) {
                const int a = k + dk, b = j + dj, c = i + di;
                if (min(a, min(b, c)) < 0 || max(a, max(b, c)) >= side) continue;
                sum += x[(a * side + b) * side + c];
            }
    y[(k * side + j) * side + i] = sum;
}
""",
        "--launch boxed<1> --grid 6 --block 6,6 --arg randn:6,6,6 --arg empty:6,6,6 --arg 6",
        "p = np.lib.stride_tricks.sliding_window_view(np.pad(x, 1), (3, 3, 3))\n"
        "    return p.sum((3, 4, 5))",
        (
            (">= side) continue", "> side) continue", "reads at byte"),
            ("dk <= R", "dk < R", "the reference has"),
        ),
    ),
    "tiled product": Style(
        """\
__global__ void product(const float* a, const float* b, float* c, int n, int k, int m) {
    __shared__ float left[16][16], right[16][17];
    const int x = threadIdx.x, y = threadIdx.y;
    const int row = blockIdx.y * 16 + y, column = blockIdx.x * 16 + x;
    float sum = 0;
    for (int first = 0; first < k; first += 16) {
        left[y][x] = row < n && first + x < k ? a[row * k + first + x] : 0;
        right[y][x] = column < m && first + y < k ? b[(first + y) * m + column] : 0;
        __syncthreads();
        for (int step = 0; step < 16; ++step) sum += left[y][step] * right[step][x];
        __syncthreads();
    }
    if (row < n && column < m) c[row * m + column] = sum;
}
""",
        "--grid 2,2 --block 16,16 --arg randn:20,30 --arg randn:30,25 --arg empty:20,25"
        " --arg 20 --arg 30 --arg 25",
        "return a @ b",
        (
            ("        __syncthreads();\n    }", "    }", "a race"),
            (" && first + x < k", "", "reads at byte"),
            ("c[row * m + column]", "c[row * n + column]", "a race"),
            ("right[step][x]", "right[x][step]", "the reference has"),
        ),
    ),
    "a warp for each row": Style(
        """\
__global__ void times(const float4* a, const float4* x, float* y, int quads) {
    const int row = blockIdx.x, lane = threadIdx.x;
    float sum = 0;
    for (int q = lane; q < quads; q += warpSize) {
        const float4 p = a[row * quads + q], v = x[q];
        sum += p.x * v.x + p.y * v.y + p.z * v.z + p.w * v.w;
    }
    for (int mask = 16; mask; mask >>= 1) sum += __shfl_xor_sync(0xffffffff, sum, mask);
    if (lane == 0) y[row] = sum;
}
""",
        "--grid 5 --block 32 --arg randn:5,36,4 --arg randn:36,4 --arg empty:5 --arg 36",
        "return a.reshape(5, -1) @ x.reshape(-1)",
        (
            ("v = x[q];", "v = *(const float4*)((const float*)x + q);", "no multiple of 16"),
            ("p.w * v.w", "p.w * v.z", "the reference has"),
            ("mask; mask", "mask > 1; mask", "the reference has"),
        ),
    ),
    "histogram": Style(
        """\
__global__ void counted(const unsigned char* x, int* bins, int n) {
    __shared__ int own[16];
    if (threadIdx.x < 16) own[threadIdx.x] = 0;
    __syncthreads();
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
        atomicAdd(&own[x[i] & 15], 1);
    __syncthreads();
    if (threadIdx.x < 16) atomicAdd(&bins[threadIdx.x], own[threadIdx.x]);
}
""",
        "--grid 3 --block 64 --arg randint:256:500 --arg zeros:16 --arg 500",
        "return np.bincount(x & 15, minlength=16)",
        (
            ("atomicAdd(&own[x[i] & 15], 1)", "own[x[i] & 15] += 1", "a race"),
            ("    if (threadIdx.x < 16) own[threadIdx.x] = 0;\n", "", "nobody wrote"),
            (
                "atomicAdd(&bins[threadIdx.x], own[threadIdx.x])",
                "bins[threadIdx.x] = own[threadIdx.x]",
                "order of threads",
            ),
            ("x[i] & 15]", "x[i]]", "out of bounds"),
        ),
    ),
    "transposition": Style(
        """\
__global__ void turned(const short* x, short* y, int rows, int columns) {
    __shared__ short tile[32][33];
    const int left = blockIdx.x * 32, top = blockIdx.y * 32;
    for (int j = threadIdx.y; j < 32; j += 8)
        if (top + j < rows && left + threadIdx.x < columns)
            tile[j][threadIdx.x] = x[(top + j) * columns + left + threadIdx.x];
    __syncthreads();
    for (int j = threadIdx.y; j < 32; j += 8)
        if (left + j < columns && top + threadIdx.x < rows)
            y[(left + j) * rows + top + threadIdx.x] = tile[threadIdx.x][j];
}
""",
        "--grid 2,2 --block 32,8 --arg randint:99:40,50 --arg empty:50,40 --arg 40 --arg 50",
        "return x.T",
        (
            ("tile[32][33]", "tile[32][32]", ""),  # right, though slow: nothing is to be said
            ("left + j < columns && top + threadIdx.x < rows", "true", "writes at byte"),
            ("    __syncthreads();\n", "", "a race"),
        ),
    ),
    "softmax": Style(
        """\
__global__ void soft(const float* x, float* y, int n) {
    __shared__ float most, sum;
    const float* row = x + blockIdx.x * n;
    if (threadIdx.x == 0) {
        most = -INFINITY;
        for (int i = 0; i < n; ++i) most = fmaxf(most, row[i]);
        sum = 0;
        for (int i = 0; i < n; ++i) sum += expf(row[i] - most);
    }
    __syncthreads();
    for (int i = threadIdx.x; i < n; i += blockDim.x)
        y[blockIdx.x * n + i] = expf(row[i] - most) / sum;
}
""",
        "--grid 3 --block 32 --arg randn:3,50 --arg empty:3,50 --arg 50",
        "e = np.exp(x - x.max(1, keepdims=True))\n    return e / e.sum(1, keepdims=True)",
        (
            ("        sum = 0;\n", "", "nobody wrote"),
            # Nothing shows of it: NaN is no maximum, and softmax is the same for any.
            ("i < n; ++i) most", "i <= n; ++i) most", "reads at byte 600 of x"),
            ("i += blockDim.x)", "i += gridDim.x)", "a race"),
            ("threadIdx.x == 0", "threadIdx.x == 1", ""),  # as good a thread as any other
        ),
    ),
    "the best of each row": Style(
        """\
__global__ void best(const float* x, int* y, int n) {
    __shared__ float value[32];
    __shared__ int place[32];
    const int i = threadIdx.x;
    value[i] = -INFINITY;
    place[i] = 0;
    for (int c = i; c < n; c += 32)
        if (x[blockIdx.x * n + c] > value[i]) {
            value[i] = x[blockIdx.x * n + c];
            place[i] = c;
        }
    for (int half = 16; half > 0; half /= 2) {
        __syncthreads();
        if (i < half && value[i + half] > value[i]) {
            value[i] = value[i + half];
            place[i] = place[i + half];
        }
    }
    if (i == 0) y[blockIdx.x] = place[0];
}
""",
        "--grid 6 --block 32 --arg randn:6,70 --arg empty:6 --arg 70",
        "return x.argmax(1)",
        (
            ("value[i] = -INFINITY;\n    place", "place", "nobody wrote"),
            ("            place[i] = place[i + half];\n", "", "the reference has"),
            ("if (i == 0) y", "if (i == 0 && blockIdx.x) y", "never written"),
        ),
    ),
    "sorted in pairs": Style(
        """\
__global__ void sorted(const int* x, int* y) {
    __shared__ int s[64];
    const int i = threadIdx.x;
    s[i] = x[i];
    for (int size = 2; size <= 64; size *= 2)
        for (int step = size / 2; step > 0; step /= 2) {
            __syncthreads();
            const int other = i ^ step;
            if (other > i && (s[i] > s[other]) == ((i & size) == 0)) {
                const int held = s[i];
                s[i] = s[other];
                s[other] = held;
            }
        }
    __syncthreads();
    y[i] = s[i];
}
""",
        "--grid 1 --block 64 --arg randint:99:64 --arg empty:64",
        "return np.sort(x)",
        (
            ("            __syncthreads();\n", "", "a race"),
            ("(i & size) == 0", "(i & step) == 0", "the reference has"),
            ("i ^ step", "i + step", "out of bounds"),
        ),
    ),
    "filter in constant memory": Style(
        """\
__constant__ float taps[5] = {1, 4, 6, 4, 1};
__global__ void filtered(const float* x, float* y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    float sum = 0;
    for (int t = 0; t < 5; ++t) {
        const int at = i + t - 2;
        if (at >= 0 && at < n) sum += taps[t] * x[at];
    }
    y[i] = sum / 16;
}
""",
        "--grid 2 --block 64 --arg randn:100 --arg empty:100 --arg 100",
        "return np.convolve(x, [1, 4, 6, 4, 1], 'same') / 16",
        (
            ("at >= 0 && ", "", "reads at byte -4 of x"),
            ("sum / 16", "sum / 5", "the reference has"),
            ("t < 5", "t < 6", "bounds"),
        ),
    ),
    "grid stride": Style(
        """\
__global__ void saxpy(float a, const float* x, float* y, long long n) {
    for (long long i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += blockDim.x * gridDim.x)
        y[i] += a * x[i];
}
""",
        "--grid 3 --block 32 --arg 0.5 --arg randn:250 --arg zeros:250 --arg 250",
        "return a * x",
        (
            ("i += blockDim.x * gridDim.x", "i += blockDim.x", "a race"),
            ("blockIdx.x * blockDim.x + threadIdx.x", "threadIdx.x", "a race"),
            ("i += blockDim.x * gridDim.x", "n -= 0", "endless"),
        ),
    ),
    "layer norm": Style(
        """\
__device__ float summed(float value, float* room) {
    for (int step = 16; step; step /= 2) value += __shfl_xor_sync(~0u, value, step);
    if (threadIdx.x % 32 == 0) room[threadIdx.x / 32] = value;
    __syncthreads();
    value = 0;
    for (int w = 0; w < blockDim.x / 32; ++w) value += room[w];
    __syncthreads();
    return value;
}
__global__ void normed(const float* x, float* y, int n) {
    __shared__ float room[4];
    const float value = x[blockIdx.x * n + threadIdx.x];
    const float mean = summed(value, room) / n;
    const float apart = value - mean;
    const float variance = summed(apart * apart, room) / n;
    y[blockIdx.x * n + threadIdx.x] = apart * rsqrtf(variance + 1e-5f);
}
""",
        "--grid 3 --block 128 --arg randn:3,128 --arg empty:3,128 --arg 128",
        "return (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-5)",
        (
            ("    __syncthreads();\n    return", "    return", "a race"),
            ("% 32 == 0) room", "% 64 == 0) room", "nobody wrote"),
            ("    __syncthreads();\n    value", "    value", "a race"),
        ),
    ),
    "looked up": Style(
        """\
__global__ void looked_up(const int* words, const float* table, float* y, int known, int width) {
    const int word = words[blockIdx.x];
    if (word < 0 || word >= known) return;
    for (int c = threadIdx.x; c < width; c += blockDim.x)
        y[blockIdx.x * width + c] = table[word * width + c];
}
""",
        "--grid 9 --block 32 --arg randint:20:9 --arg randn:20,40 --arg empty:9,40"
        " --arg 20 --arg 40",
        "return table[words]",
        (
            ("c < width; c +=", "c < 32; c +=", "never written"),
            ("table[word * width + c]", "table[word * (width + 1) + c]", "the reference has"),
            ("word * width + c]", "(word * width + c + 1) * 2000000000 % 2]", "overflow"),
        ),
    ),
    "sparse rows": Style(
        """\
__global__ void sparse(const int* begin, const int* column, const double* value, const double* x,
                       double* y, int rows) {
    const int row = blockIdx.x * blockDim.x + threadIdx.x;
    if (row < rows) {
        double sum = 0;
        for (int i = begin[row]; i < begin[row + 1]; ++i) sum += value[i] * x[column[i]];
        y[row] = sum;
    }
}
""",
        "--grid 2 --block 8 --arg arange:13 --arg randint:10:12 --arg randn:12 --arg randn:10"
        " --arg empty:12 --arg 12",
        "return value * x[column]",
        (
            ("row < rows", "row <= rows", "reads at byte"),
            ("i < begin[row + 1]", "i <= begin[row + 1]", "byte"),
            ("x[column[i]]", "x[column[row ^ 1]]", "the reference has"),
        ),
    ),
    "columns of patches": Style(
        """\
__global__ void patches(const float* x, float* y, int height, int width, int size) {
    const int out = width - size + 1;
    const int row = blockIdx.x, column = threadIdx.x;
    float* to = y + (row * out + column) * size * size;
    for (int i = 0; i < size; ++i)
        for (int j = 0; j < size; ++j)
            *to++ = x[(row + i) * width + column + j];
}
""",
        "--grid 4 --block 7 --arg randn:6,9 --arg empty:28,9 --arg 6 --arg 9 --arg 3",
        "return np.lib.stride_tricks.sliding_window_view(x, (3, 3)).reshape(28, 9)",
        (
            ("width - size + 1", "width - size", "a race"),
            ("*to++", "*++to", "writes at byte 1008 of y"),
            ("(row + i) * width", "(row + i + 1) * width", "reads at byte"),
        ),
    ),
}
