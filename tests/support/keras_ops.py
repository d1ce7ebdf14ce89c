"""Calls of keras.ops: one text each, which both libraries evaluate with the same arrays."""

import ast

import numpy as np

R = np.random.default_rng(7)


def _floats(*shape):
    return R.uniform(-2, 2, shape).astype("float32")


# Capitals are floats, small letters are not.
ARRAYS = {
    "A": _floats(2, 3),
    "B": _floats(3),
    "C": _floats(2, 3, 4),
    "D": _floats(2, 3),
    "E": _floats(4, 2),
    "F": _floats(5),
    "G": np.asarray(0.7, "float32"),
    "H": _floats(2, 4, 2, 3),  # heads
    "M": _floats(3, 3),
    "N": np.asarray([[1.0, np.nan, -2.0], [np.nan, 3.0, 0.5]], "float32"),
    "O": np.asarray([[1.0, np.inf, -np.inf], [np.nan, -0.0, 0.0]], "float32"),
    "P": R.uniform(0.2, 2, (2, 3)).astype("float32"),
    "Q": R.uniform(1.1, 3, (2, 3)).astype("float32"),
    "S": R.uniform(0, 1, (2, 7, 8, 3)).astype("float32"),  # images
    "T": R.uniform(0, 1, (2, 3, 7, 8)).astype("float32"),  # channels first
    "U": R.uniform(-0.9, 0.9, (2, 3)).astype("float32"),
    "V": _floats(2, 9, 4),  # signals
    "W": _floats(3, 3, 3, 4),  # a kernel
    "X": _floats(2, 5, 5, 3),
    "Y": _floats(1, 4, 4, 4, 2),  # a volume
    "Z": np.asarray([[0.2, 0.5, 0.3], [0.6, 0.3, 0.1]], "float32"),
    "b": np.asarray([[True, False, True], [False, False, True]]),
    "h": _floats(2, 3).astype("float16"),
    "i": R.integers(-5, 6, (2, 3)).astype("int32"),
    "j": R.integers(1, 6, (2, 3)).astype("int32"),
    "k": np.asarray([1, 0]),
    "l": R.integers(-9, 9, (2, 3)),
    "m": R.integers(0, 9, (3, 3)).astype("uint8"),
    "t": np.asarray([2, 0, 1, 2, 2]).astype("int32"),
    "u": R.integers(0, 200, (2, 3)).astype("uint8"),
    "v": R.integers(0, 4, (2, 5, 5, 3)).astype("uint8"),
    "s": R.integers(-99, 99, (2, 3)).astype("int8"),
}
ANY = "A b h i l u s"  # a float, truths, a half, integers of four kinds
_UNARY = """absolute abs conj conjugate copy negative real imag sign square trunc isfinite isinf
    isnan isneginf isposinf isreal logical_not angle arcsinh arctan cbrt ceil cos cosh deg2rad exp
    exp2 expm1 fabs floor i0 rad2deg sin sinc sinh tan tanh erf erfc nan_to_num round ravel
    zeros_like ones_like empty_like sum prod mean max min amax amin var std all any argmax
    argmin cumsum cumprod median count_nonzero average sort argsort logsumexp size flip nanmax
    nanmin nansum nanmean nanprod nanvar nanstd nanmedian nancumsum nancumprod trace tril triu
    diff relu norm array convert_to_tensor stop_gradient diagonal unstack"""
_POSITIVE = """log log10 log1p log2 sqrt rsqrt reciprocal"""
_ACTIVATIONS = """relu6 selu silu swish sigmoid log_sigmoid softplus softsign hard_sigmoid hard_silu
    hard_swish hard_tanh tanh_shrink sparse_plus sparse_sigmoid elu celu gelu leaky_relu
    hard_shrink soft_shrink squareplus softmax log_softmax normalize layer_normalization
    rms_normalization"""
_BINARY = """add subtract multiply divide true_divide divide_no_nan maximum minimum fmax fmin
    arctan2 hypot logaddexp logaddexp2 equal not_equal less less_equal greater greater_equal
    logical_and logical_or logical_xor heaviside matmul dot inner outer vdot kron isclose
    allclose isin append"""
_SHAPED = {"matmul": "({0}, transpose({1}))", "dot": "({0}, transpose({1}))"}
_BITS = """bitwise_and bitwise_or bitwise_xor"""

CASES = """
argmax(A, axis=-1)  argmax(C, axis=1, keepdims=True)  argmin(A, axis=0)  nanargmax(N, axis=1)
nanargmin(N)  mean(C, axis=(0, 2), keepdims=True)  max(A, initial=1.5)  min(i, axis=1, initial=0)
sum(C, axis=[1])  prod(A, axis=1)  cumsum(C, axis=1)  cumprod(A, axis=-1)
cumsum(i, axis=0, dtype="float32")  average(A, axis=1, weights=B)  average(A, weights=P)
average(A, axis=0)  average(i, axis=1, weights=j)  all(b, axis=1)  any(b, axis=0, keepdims=True)
nanmax(N, axis=0)  nanmin(N)  nansum(N, axis=1)  nanmean(N, axis=1)  nanprod(N)  nanvar(N, axis=1)
nanstd(N)  nanmedian(N, axis=1)  nancumsum(N, axis=1)  nancumprod(N)  std(C, axis=2)
isfinite(O)  isinf(O)  isnan(O)  isneginf(O)  isposinf(O)  signbit(O)  nan_to_num(O)
nan_to_num(O, nan=1.0, posinf=2.0, neginf=-3.0)  sign(O)
arccos(U)  arcsin(U)  arctanh(U)  arccosh(Q)  erfinv(U)  power(P, A)  power(A, 2)  power(2, A)
power(j, 2)  floor_divide(A, P)  floor_divide(i, j)  mod(A, P)  mod(i, j)  mod(i, 3)  fmod(A, P)
fmod(i, j)  gcd(i, j)  lcm(i, j)  ldexp(A, j)  nextafter(A, B)  clip(A, -1, 0.5)  clip(i, 0, 3)
clip(u, 10, 100)  round(A, 1)  round(l, -1)  isclose(A, A)  isclose(N, N, equal_nan=True)
allclose(A, D)  bitwise_invert(i)  bitwise_not(u)  bitwise_left_shift(j, j)
bitwise_right_shift(u, 2)  left_shift(j, 1)  right_shift(j, j)  fmax(N, A)  fmin(N, 0.5)
maximum(N, A)  minimum(A, 0)  add(A, 1)  add(i, 1.5)  subtract(2, u)  multiply(u, 0.5)
add(h, A)  add(i, l)  add(u, s)  multiply(h, 2)  divide(i, j)  divide(u, 2)  true_divide(1, A)
add(A, B)  multiply(C, E[:, 0])  subtract(A, A[:1])  heaviside(A, 0.5)  heaviside(i, j)
arctan2(A, D)  logaddexp(A, D)  where(b, A, D)  where(b, A, 0)  where(b, i, 1.5)  where(b, u, i)
where(b)  nonzero(i)  select([b, A > 0], [A, D], 3.0)
zeros((2, 3))  ones(3, "int32")  empty([2])  full((2, 2), 7)  full((2,), 1.5, "float16")
full_like(i, 2)  full_like(A, 2, "int32")  zeros_like(A, dtype="int32")  eye(3)  eye(2, 4)
eye(3, dtype="int32", k=-1)  identity(2)  tri(3)  tri(2, 4, 1)  arange(5)  arange(1, 3, 0.5)
arange(2, 8, dtype="float32")  arange(3, 0, -1)  linspace(0, 1, 5)
linspace(0, 10, 4, endpoint=False)
linspace(A, D, 4)  linspace(A, D, 4, axis=-1)  linspace(0, 1, 5, retstep=True)
linspace(0, 10, 4, dtype="int32")  logspace(0, 2, 4)  logspace(0, 2, 4, base=2, endpoint=False)
geomspace(1, 8, 4)  geomspace(P, Q, 3)  geomspace(1, 8, 3, endpoint=False)
meshgrid(B, F)  meshgrid(B, F, indexing="ij")  vander(B)  vander(B, 4, increasing=True)
bartlett(5)  blackman(5)  hamming(5)  hanning(6)  kaiser(6, 4.0)  bartlett(1)
view(i, "float32")  view(A, "int32")  view(A, "uint8")
reshape(A, (3, 2))  reshape(A, -1)  reshape(C, (2, -1))  expand_dims(A, 0)  expand_dims(A, (0, -1))
squeeze(expand_dims(A, 1))  squeeze(expand_dims(A, 1), 1)  transpose(C)  transpose(C, (0, 2, 1))
moveaxis(C, 0, -1)  moveaxis(C, (0, 1), (-1, 0))  swapaxes(C, 0, 2)  broadcast_to(B, (2, 3))
tile(A, 2)  tile(A, (2, 1))  tile(B, (2, 2))  repeat(A, 2)  repeat(A, 2, axis=1)
repeat(A, [1, 2], axis=0)  flip(A, axis=1)  fliplr(A)  flipud(A)  rot90(A)  rot90(C, 3, (1, 2))
rot90(M, 2)  ptp(A)  ptp(i, 1)  roll(A, 1)  roll(A, 1, axis=1)  roll(C, (1, 2), axis=(0, 2))
pad(A, ((1, 0), (0, 2)))  pad(A, ((1, 1), (2, 2)), constant_values=3)
pad(A, ((0, 1), (1, 2)), mode="reflect")  pad(A, ((1, 1), (1, 1)), mode="symmetric")
concatenate([A, D])  concatenate([A, i], axis=1)  concatenate([u, s], axis=-1)  stack([A, D])
stack([A, D], axis=-1)  stack([A, i])  hstack([A, D])  hstack([B, F])  vstack([C, C])
vstack([A, D])  dstack([A, D])  dstack([C, C])  append(A, D)  append(A, D, axis=0)
split(C, 2, axis=2)  split(F, [1, 3])  split(C, [1], axis=1)  array_split(F, 3)
array_split(C, 3, axis=2)  hsplit(A, 3)  vsplit(A, 2)  dsplit(C, 2)  unstack(C, axis=1)
get_item(A, 0)  get_item(C, (0, 1))  get_item(A, (Ellipsis, None, -1))
take(A, 1)  take(A, k, axis=0)  take(C, [0, -1], axis=2)  take(C, [[0, 1], [2, 0]], axis=1)
take_along_axis(A, [[1], [0]], axis=1)  take_along_axis(A, [0, -1])
take_along_axis(C, argsort(C, axis=1), axis=1)  unravel_index(t, (2, 2))  isin(i, [1, 2])
isin(A, A[0], invert=True)  diagonal(M)  diagonal(C, 1, 1, 2)  diagonal(M, offset=-1)  diag(B)
diag(M)  diag(B, 1)  diag(M, k=-1)  diagflat(A, 1)  trace(M)  trace(M, 1)  trace(m)
tril(M)  tril(C, 1)  triu(M, -1)  diff(A)  diff(C, n=2, axis=2)  diff(b)  diff(A, axis=0)
trapezoid(A)  trapezoid(A, dx=0.5, axis=0)  trapezoid(A, B)
sort(C, axis=1)  sort(A, axis=None)  argsort(i, axis=0)  median(C, axis=(0, 1))
median(A, axis=1, keepdims=True)  quantile(A, 0.3)  quantile(C, [0.25, 0.5], axis=1)
quantile(C, 0.6, axis=(0, 2), keepdims=True)  quantile(A, 0.4, method="lower")
quantile(A, 0.4, method="higher", axis=1)  quantile(A, 0.4, method="nearest")
quantile(A, 0.5, method="midpoint")  percentile(A, [30.0, 60.0], axis=1)  quantile(N, 0.5, axis=0)
nanquantile(N, 0.3, axis=1)  nanpercentile(N, 30.0)  quantile(i, 0.3)
searchsorted([1.0, 2.0, 3.0], B)  searchsorted([1, 2, 2, 3], [2, 5], side="right")
digitize(A, [-1.0, 0.0, 1.0])  digitize(i, [0, 2])  bincount(t)  bincount(t, minlength=6)
bincount(t, weights=F)  bincount(j)  histogram(F, bins=4, range=(-1.0, 1.0))
unique(t)  unique(t, sorted=False)  unique(i, return_index=True, return_counts=True)
unique(t, return_inverse=True)  unique(t, size=5, fill_value=9)  unique(t, size=2)
unique(i, return_inverse=True)
unique(t, size=5)
unique(j, axis=0)
unique(t, True, True, return_counts=True, size=6)
matmul(A, M)  matmul(M, B)  matmul(B, B)  matmul(C, E)  matmul(C, swapaxes(C, 1, 2))  matmul(i, m)
matmul(B, M)  matmul(s, transpose(s))  dot(A, B)  dot(C, E)  dot(A, 2)  dot(G, A)  inner(A, B)
inner(A, 3)  vdot(A, D)  outer(B, F)  tensordot(A, M, 1)  tensordot(C, C, [[0, 1], [0, 1]])
tensordot(A, A, axes=2)  tensordot(A, E, axes=0)  einsum("ij,jk->ik", A, M)  einsum("ij->j", A)
einsum("...i,i", C, E[:, 0])  einsum("ij,ij->i", i, j)  kron(A, M)  kron(B, B)  cross(M, M[::-1])
cross(A, D)  cross(A[:, :2], D[:, :2])  cross(A, D[:, :2])  cross(M, M[0], axisa=0, axisc=0)
corrcoef(C[0])  correlate(F, B)  correlate(F, B, mode="full")  correlate(F, B, mode="same")
correlate(t, t, mode="full")
cast(A, "int32")  cast(i, "float16")  cast(b, "float32")  saturate_cast(A * 200, "uint8")
saturate_cast(l * 99, "int8")  array(A, dtype="float64")  convert_to_tensor([1, 2])
convert_to_tensor(A, dtype="float16")  slice(C, (0, 1, 1), (2, 2, 3))
slice_update(C, (0, 1, 2), C[1:, :2, :2])  slice_update(A, (1, 1), D[:1, :2])
scatter([[0], [2], [0]], M, (4, 3))
scatter([[0, 1], [1, 0]], B[:2], (2, 2))  scatter_update(A, [[0, 1], [1, 2]], B[:2])
scatter_update(M, [[0], [2]], A)  scatter_update(M, [[0], [0]], A, reduction="add")
scatter_update(M, [[0], [1]], A, "max")  scatter_update(M, [[0], [2]], A, "min")
scatter_update(M, [[0], [0]], A, "mul")
logsumexp(C, axis=(0, 1))  logsumexp(A, axis=1, keepdims=True)  top_k(A, 2)  top_k(i, 1)
in_top_k(k, A, 2)  cdist(A, M)  cdist(C, C)  extract_sequences(F, 2, 1)  extract_sequences(V, 2, 2)
segment_sum(F, t)  segment_sum(V[0], array([0, 0, 1, 1, 2, 2, 2, 3, 3]), 5)  segment_max(F, t, 3)
segment_min(F, t)  segment_prod(F, t, 4)  segment_sum(t, t, 3)  segment_max(t, t, 4)
norm(A)  norm(A, axis=1)  norm(A, 1, axis=1)  norm(A, 3, 1, True)  norm(A, "fro", (0, 1))
norm(A, float("inf"), 1)  norm(A, -float("inf"), axis=0)  norm(A, 0, 1)  norm(C, 1, (0, 2))
norm(C, float("inf"), (2, 0))  norm(C, -1, (0, 1), keepdims=True)  norm(A, 2.5, 0)
elu(A, 0.5)  celu(A, alpha=0.5)  gelu(A, approximate=False)  glu(C)  glu(E, axis=0)
leaky_relu(A, 0.3)  hard_shrink(A, 1.0)  soft_shrink(A, threshold=1.0)  squareplus(A, 1)
threshold(A, 0.5, -1)  softmax(C, axis=(1, 2))  softmax(C, axis=0)  log_softmax(C, axis=1)
max_pool(X, 2)  max_pool(X, (3, 2), strides=2, padding="same")  average_pool(X, 2, strides=1)
average_pool(X, 3, padding="same")  max_pool(V, 3, 2)  average_pool(Y, 2)
max_pool(T, 2, data_format="channels_first")  average_pool(T, 2, None, "same", "channels_first")
adaptive_average_pool(X, 2)  adaptive_max_pool(X, (2, 3))  adaptive_average_pool(V, 4)
adaptive_max_pool(T, 3, data_format="channels_first")  adaptive_average_pool(Y, 3)
conv(X, W)  conv(X, W, 2, "same")  conv(X, W, padding="same", dilation_rate=2)
conv(X, W[:, :, :1, :3], 1, "valid")  conv(V, reshape(W, (3, 4, 9)))
conv(T, W, (2, 1), "same", "channels_first")  conv(Y, ones((2, 2, 2, 2, 3)), 1)
depthwise_conv(X, W[..., :2])  depthwise_conv(X, W[..., :1], 2, "same")
depthwise_conv(X, W[..., :2], padding="same", dilation_rate=2)
separable_conv(X, W[..., :1], W[:1, :1], 1, "same")
separable_conv(X, W[..., :1], W[:1, :1], strides=2)
conv_transpose(X, swapaxes(W, 2, 3), 2)  conv_transpose(X, swapaxes(W, 2, 3), 2, "same")
conv_transpose(X, swapaxes(W, 2, 3), 2, "same", output_padding=1)
conv_transpose(X, swapaxes(W, 2, 3), (2, 1), "valid", dilation_rate=1)
depth_to_space(H[:, :, :, :1] * ones((4,)), 2)  space_to_depth(H, 2)
space_to_depth(T[..., :6, :], 2, data_format="channels_first")
unfold(T, 2)  unfold(T, (2, 3), dilation=2, padding=1, stride=2)  fold(unfold(T, 2), (7, 8), 2)
fold(unfold(T, 3, 1, 1, 2), (7, 8), 3, 1, 1, 2)
one_hot(k, 3)  one_hot(j, 7, axis=1)  one_hot(k, 3, dtype="int32")
one_hot(k, 2, axis=0, dtype="bool")
multi_hot(j, 7)  multi_hot(k, 3)  multi_hot(j, num_classes=6, dtype="int32")
binary_crossentropy(P, Z)  binary_crossentropy(Z, A, from_logits=True)
categorical_crossentropy(Z, P)  categorical_crossentropy(Z, A, from_logits=True)
categorical_crossentropy(transpose(Z), transpose(A), from_logits=True, axis=0)
sparse_categorical_crossentropy(k, Z)  sparse_categorical_crossentropy(k, A, from_logits=True)
moments(C, [0, 1])  moments(C, axes=(1,), keepdims=True)  moments(h, [0])
batch_normalization(A, B, P[0], -1)  batch_normalization(C, B, P[0], 1, B, B, 1e-2)
batch_normalization(A, B, P[0], axis=1, scale=B)
layer_normalization(C, E[:, 0], E[:, 1])  layer_normalization(C, axis=(1, 2), epsilon=1e-2)
rms_normalization(A, B)  rms_normalization(C, axis=(1, 2))  rms_normalization(h)
normalize(C, axis=1)  normalize(A, order=1)  normalize(A, axis=0, order=3)  psnr(A, D, 2.0)
dot_product_attention(H, H, H)  dot_product_attention(H, H, H, is_causal=True)
dot_product_attention(H, H[:, :2], H[:, :2], scale=0.3)
dot_product_attention(H, H, H, mask=einsum("bqhd,bkhd->bhqk", H, H) > 0)
dot_product_attention(H, H, H, bias=H[:1, :1, :1, :1])
rearrange(S, "b h w c -> b c h w")  rearrange(S, "b h (w s) c -> b (h s) w c", s=2)
vectorized_map(sum, C)  map(sum, C)  shape(C)  scan(lambda c, x: (c + x, c * x), B, A)
scan(lambda c, x: (c + x, c), B, A, reverse=True)  associative_scan(add, A, axis=1)
associative_scan(multiply, C, reverse=True, axis=2)  associative_scan(maximum, F)
fori_loop(0, 3, lambda i, s: s * 2, A)  while_loop(lambda s: sum(s) < 9, lambda s: s + 1, P)
while_loop(lambda a, n: n < 3, lambda a, n: (a + B, n + 1), (A, 0))
cond(True, lambda: A, lambda: D)
switch(1, [lambda x: x, lambda x: -x], A)  switch(9, [lambda x: x, lambda x: x * 2], A)
jvp(sin, (A,), (D,))
jvp(lambda x, y: x * sum(y), (A, B), (D, B))  jvp(lambda x: (x ** 2, x), (A,), (D,), has_aux=True)
custom_gradient(lambda x: (x * 2, lambda g: g * 5))(A)
is_tensor(A)
image.rgb_to_grayscale(S)  image.rgb_to_grayscale(T, data_format="channels_first")
image.rgb_to_grayscale(v)  image.rgb_to_hsv(S)  image.hsv_to_rgb(S)  image.hsv_to_rgb(S[0])
image.rgb_to_hsv(T, "channels_first")  image.sobel_edges(S)
image.resize(S, (4, 5))  image.resize(S, (9, 9), "nearest")  image.resize(S, (4, 4), "bicubic")
image.resize(S, (4, 4), "lanczos3", antialias=True)  image.resize(S[0], (3, 4), "area")
image.resize(S, (4, 8), crop_to_aspect_ratio=True)  image.resize(v, (3, 3))
image.resize(S, (4, 8), pad_to_aspect_ratio=True, fill_value=0.5)
image.resize(T, (4, 5), data_format="channels_first")
image.pad_images(S, 1, 2, 1, 0)  image.pad_images(S[0], 1, 2, target_height=10, target_width=12)
image.crop_images(S, 1, 2, 1, 0)  image.crop_images(S, 1, 2, target_height=4, target_width=5)
image.extract_patches(S, 2)  image.extract_patches(S, (3, 2), strides=(2, 1), padding="same")
image.extract_patches(S[0], 3, dilation_rate=2, strides=1)  image.extract_patches(Y, (2, 2, 2))
image.extract_patches_3d(Y, 2)  image.extract_patches_3d(Y[0], (2, 1, 2), 1)
image.affine_transform(S, array([1.0, 0.2, 0.5, -0.1, 0.9, 1.0, 0.0, 0.0]))
image.affine_transform(S, array([1.0, 0.0, 1.5, 0.0, 1.0, 0.0, 0.01, 0.02]), "nearest", "reflect")
image.affine_transform(S[0], array([1.0, 0.0, 1.5, 0.0, 1.0, 0.5, 0.0, 0.0]), "bilinear", "wrap")
image.perspective_transform(S[0], [[0, 0], [0, 6], [6, 0], [6, 6]],
    [[1, 0], [0, 6], [6, 1], [5, 6]], fill_value=0.5)
image.map_coordinates(M, [[0.3, 1.2, 2.4], [0.1, 1.9, -0.5]], 1)
image.map_coordinates(M, [[0.3, 1.2, 2.4], [0.1, 1.9, 3.5]], 0, "nearest")
image.map_coordinates(M, A, 1, "mirror")  image.map_coordinates(M, A * 2, 1, "reflect")
image.map_coordinates(M, A * 2, 1, "wrap", 0.5)  image.gaussian_blur(S, (3, 3), (1.0, 0.5))
image.gaussian_blur(S[0], (5, 3), (1.0, 1.0))  image.ssim(S, S * 0.5, 1.0, 5)
image.scale_and_translate(S, (2, 5, 5, 3), [0.7, 0.6], [0.2, -0.3], (1, 2), "linear")
image.scale_and_translate(S, (2, 9, 9, 3), [1.4, 1.2], [0.2, 0.1], (1, 2), "cubic", False)
image.scale_and_translate(S, (2, 4, 4, 3), [0.7, 0.6], [0.0, 0.0], (1, 2), "lanczos3")
"""


def cases():
    """Every call, once."""
    lines = CASES.strip().replace("\n    ", " ").splitlines()
    written = [c.strip() for line in lines for c in line.split(")  ")]
    written = [c if c.count("(") == c.count(")") else f"{c})" for c in written]
    unary = [f"{name}({x})" for name in _UNARY.split() for x in ANY.split()]
    positive = [f"{name}({x})" for name in _POSITIVE.split() for x in ["P", "j", "u"]]
    active = [f"{name}(A)" for name in _ACTIVATIONS.split()]
    pairs = [("A", "D"), ("i", "j"), ("b", "b"), ("u", "s"), ("h", "h"), ("l", "u"), ("A", "i")]
    binary = [
        name + _SHAPED.get(name, "({0}, {1})").format(x, y)
        for name in _BINARY.split()
        for x, y in pairs
    ]
    bits = [
        f"{name}({x}, {y})"
        for name in _BITS.split()
        for x, y in (("i", "j"), ("u", "s"), ("l", "j"))
    ]
    return list(dict.fromkeys([*unary, *positive, *active, *binary, *bits, *written]))


def called(call, ops, arrays):
    """What a call gives, with these tensors as its arrays."""
    names = {name: getattr(ops, name) for name in dir(ops) if name[0] != "_"}
    return eval(call, {**names, **arrays})


def used(call):
    """The arrays that a call names."""
    return [name for name in ARRAYS if name in names_in(call)]


def names_in(call):
    """The names in a call that are no attributes, keywords or texts."""
    return {n.id for n in ast.walk(ast.parse(call)) if isinstance(n, ast.Name)}
