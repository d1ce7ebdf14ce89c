// The program of the same call: NumPy's loops, TensorFlow, Keras, this engine.
// Its last part is what `tf.explain(...).code(...)` gives, letter for letter; a test compares them.

const python = (value) => {
  if (typeof value === "string") return `'${value}'`;
  if (typeof value === "boolean") return value ? "True" : "False";
  return Array.isArray(value) ? `[${value.map(python).join(", ")}]` : String(value);
};
const tuple = (values) => `(${values.map((v) => (Array.isArray(v) ? tuple(v) : v)).join(", ")})`;
const short = ([a, b]) => (a === b ? a : [a, b]); // as a person writes it
const words = (win) => (typeof win.padding === "string" ? win.padding : [[0, 0], ...win.padding, [0, 0]]);

const LIBRARIES = ["numpy", "tf", "keras", "minitensor"];

function program(s, p, library) {
  const kind = s.f === "conv2d_transpose" ? "transposed" : /pool/.test(s.f) ? "pool" : "conv";
  const lines = library === "numpy" ? NUMPY[kind](p, s) : library === "keras" ? keras(p, s, kind) : called(p, s);
  return `${header(p, s, library)}\n${lines}\nprint(output)`;
}

function header(p, s, library) {
  const array = (name, tensor) => {
    const start = tensor.data[0], counts = tensor.data.length > 8 && tensor.data.every((v, i) => v === start + i);
    const numbers = counts ? `np.arange(${start}, ${start + tensor.data.length}, dtype=np.float32)`
      : `np.array([${Array.from(tensor.data).join(", ")}], np.float32)`;
    return `${name} = ${numbers}.reshape${tuple(tensor.shape)}`;
  };
  const imports = {tf: "import tensorflow as tf", keras: "import keras", minitensor: "import minitensor as tf"};
  const lines = ["import numpy as np", imports[library], "", array("input", p.back ? p.p : p.m),
    p.t && array("filters", p.t), p.bias && `bias = np.array(${python(p.bias)}, np.float32)`, ""];
  return lines.filter((line) => typeof line === "string").join("\n");
}

// tf.nn, and this engine, which has its names.
function called({win, back, bias, m}, s) {
  const more = s.f === "conv2d" ? `, dilations=${python(short(win.dilation))}` : "";
  const settings = `strides=${python(short(win.stride))}, padding=${python(words(win))}`;
  if (/pool/.test(s.f)) return `output = tf.nn.${s.f}(input=input, ksize=${python(short(win.kernel))}, ${settings})`;
  if (back) {
    const apart = win.dilation.every((d) => d === 1) ? "" : `, dilations=${python(short(win.dilation))}`;
    const arrays = `input=input, filters=filters, output_shape=${python(m.shape)}`;
    return `output = tf.nn.${s.f}(${arrays}, ${settings}${apart})`;
  }
  return `output = tf.nn.conv2d(input=input, filters=filters, ${settings}${more})`
    + (bias ? "\noutput = tf.nn.bias_add(output, bias)" : "");
}

const patch = (win) => ["i", "j"].map((i, axis) =>
  `${i}*${win.stride[axis]}:${i}*${win.stride[axis]} + ${win.span[axis]}:${win.dilation[axis]}`).join(", ");
const pads = (win) => `[(0, 0), ${win.pad.map(tuple).join(", ")}, (0, 0)]`;

const NUMPY = {
  conv({win, bias}) {
    const each = win.channels / win.groups;
    return `padded = np.pad(input, ${pads(win)})
weights = filters
output = np.zeros(${tuple(shapeOf(win, "p"))}, input.dtype)
for n, i, j, o in np.ndindex(output.shape):
    group = o // ${win.filters / win.groups}
    patch = padded[n, ${patch(win)}, group*${each}:group*${each} + ${each}]
    output[n, i, j, o] = np.sum(patch * weights[..., o])${bias ? " + bias[o]" : ""}`;
  },
  transposed({win}) {
    const each = win.channels / win.groups, padded = win.size.map((n, axis) => n + total(win.pad[axis]));
    const inside = win.size.map((n, axis) => `${win.pad[axis][0]}:${win.pad[axis][0]} + ${n}`).join(", ");
    return `padded = np.zeros(${tuple([win.batch, ...padded, win.channels])}, input.dtype)
for n, i, j, o in np.ndindex(input.shape):
    group = o // ${win.filters / win.groups}
    stamp = input[n, i, j, o] * filters[..., o]
    padded[n, ${patch(win)}, group*${each}:group*${each} + ${each}] += stamp
output = padded[:, ${inside}]`;
  },
  pool({win}, s) {
    return `padded = np.pad(input, ${pads(win)}, constant_values=np.nan)
output = np.zeros(${tuple(shapeOf(win, "p"))}, input.dtype)
for n, i, j in np.ndindex(output.shape[:-1]):
    patch = padded[n, ${patch(win)}]  # nan is padding: not counted
    output[n, i, j] = np.${s.f === "max_pool2d" ? "nanmax" : "nanmean"}(patch, axis=(0, 1))`;
  },
};

function keras({win, bias, m}, s, kind) {
  if (typeof win.padding !== "string") return `output = None  # ${say("no_keras")}`;
  const padding = python(win.padding.toLowerCase());
  if (kind === "pool") {
    const name = s.f === "max_pool2d" ? "MaxPooling2D" : "AveragePooling2D";
    const settings = `${tuple(win.kernel)}, strides=${tuple(win.stride)}, padding=${padding}`;
    return `output = keras.layers.${name}(${settings})(input)`;
  }
  const common = `strides=${tuple(win.stride)}, padding=${padding}, dilation_rate=${tuple(win.dilation)}`;
  if (kind === "conv") {
    const sizes = `${win.filters}, ${tuple(win.kernel)}, groups=${win.groups}`;
    return `layer = keras.layers.Conv2D(${sizes}, ${common}, use_bias=${python(Boolean(bias))})
layer.build(input.shape)
layer.set_weights([filters${bias ? ", bias" : ""}])
output = layer(input)`;
  }
  const over = win.size.map((n, axis) => n - ((win.out[axis] - 1) * win.stride[axis] + win.span[axis]
    - (win.padding === "SAME" ? 2 * Math.floor(win.span[axis] / 2) : 0)));
  if (over.some((n, axis) => n < 0 || n >= win.stride[axis])) return `output = None  # ${say("no_keras")}`;
  return `layer = keras.layers.Conv2DTranspose(
    ${win.channels}, ${tuple(win.kernel)}, ${common}, output_padding=${tuple(over)}, use_bias=False)
layer.build(input.shape)
layer.set_weights([filters])
output = layer(input)`;
}
