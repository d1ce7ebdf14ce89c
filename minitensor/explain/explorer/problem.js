// The arrays that the settings stand for, and what is computed from them.

const given = (s) => ({
  batch: s.b, size: s.n, kernel: s.k, stride: s.s, dilation: s.d, padding: s.p,
  channels: s.c, filters: s.o, groups: s.g,
});

// Of a transposed convolution n is the size of its input: the positions of the window.
function transposedWindow(s) {
  const size = s.n.map((count, axis) => {
    const padding = typeof s.p === "string" ? s.p : s.p[axis];
    const [smallest, largest] = transposedSizes(count, extent(s.k[axis], s.d[axis]), s.s[axis], padding);
    return Math.min(smallest + s.e[axis], Math.max(largest, smallest));
  });
  return windowOf(Object.assign(given(s), {size}));
}

const FUNCTIONS = { // which function a panel is about; of the others, the last one used
  window: "conv2d", channels: "conv2d", gradient: "conv2d", matrix: "conv2d",
  transposed: "conv2d_transpose",
};

function windowFor(s) {
  if (s.f === "conv2d_transpose") return transposedWindow(s);
  return /pool/.test(s.f) ? poolWindow(Object.assign(given(s), {dilation: [1, 1]})) : windowOf(given(s));
}

const MOST_LINKS = 2e6;
const SETTLED_BY = ["f", "n", "k", "s", "d", "p", "e", "b", "c", "o", "g", "x", "w", "preset", "lang"];
let last = {key: "", found: null}; // a problem is solved once, however often it is looked at

function problem(s) {
  const key = JSON.stringify(SETTLED_BY.map((name) => s[name]));
  if (last.key !== key) last = {key, found: solved(s)};
  return last.found;
}

// A problem: the window, its arrays by role, and names for the roles; or an error.
function solved(s) {
  const win = windowFor(s), back = s.f === "conv2d_transpose";
  const found = {win, back, names: back ? {p: "input", t: "kernel", m: "output"}
                                        : {p: "output", t: "kernel", m: "input", k: "link"}};
  if (Math.min(...win.out) < 1) return Object.assign(found, {error: misfit(win)});
  const count = product(shapeOf(win, "p")) * product(win.kernel) * win.channels / win.groups;
  if (count > MOST_LINKS) return Object.assign(found, {error: say("too_large", {count: grouped(count)})});
  const inputRole = back ? "p" : "m", outputRole = back ? "m" : "p";
  const x = numbersOf(s, "x", shapeOf(win, inputRole), (i) => (i * 7 + 3) % 11 - 3);
  found[inputRole] = x;
  if (/pool/.test(s.f)) {
    const kind = s.f.slice(0, 3);
    found.p = pool(win, x, kind);
    found.gradients = (g) => ({m: poolGradient(win, x, g, kind)});
  } else {
    found.t = numbersOf(s, "w", shapeOf(win, "t"), (i) => (i * 5 + 2) % 7 - 3);
    found.bias = biasOf(s);
    found[outputRole] = combine(win, outputRole, found);
    if (found.bias) found.p = found.p.map((v, i) => v + found.bias[i % found.bias.length]);
    found.gradients = (g) => ({m: combine(win, "m", {p: g, t: found.t}), t: combine(win, "t", {p: g, m: x})});
  }
  return found;
}

function biasOf(s) {
  const example = PRESETS[s.preset];
  return example && example.bias && example.bias.length === s.o ? example.bias : null;
}

// One's own numbers, the example's if they fit, or a pattern of small integers.
function numbersOf(s, name, shape, pattern) {
  const example = PRESETS[s.preset], rows = parsed(s[name]);
  if (rows) return new Tensor(shape, Float64Array.from([].concat(...rows)));
  if (example && example[name] && String(example[name].shape) === String(shape)) {
    return unpack(example[name]);
  }
  return new Tensor(shape).map((_, i) => pattern(i));
}

function cotangent(s, shape) {
  return new Tensor(shape).map((_, i) => (s.cot === "ones" ? 1 : (i * 3 + 1) % 5 - 1));
}

function misfit(win) {
  const axis = win.out[0] < 1 ? 0 : 1;
  return say("misfit", {axis: say(["height", "width"][axis]), size: win.size[axis],
    pad: total(win.pad[axis]), span: win.span[axis]});
}

// The arrays whose numbers can be picked on a panel: their shapes by role, the usual one first.
function pickable(s) {
  if (s.op === "norm") return {shapes: {m: [s.b, 2, 2, s.c]}, names: {m: "input"}};
  const {win, names} = problem(s), shapes = {};
  for (const role of PANELS[s.op].roles || []) {
    shapes[role] = role === "k" ? [links(win).count] : shapeOf(win, role);
  }
  return {shapes, names};
}

// The number that is looked at: under the mouse, or picked, or the first.
function picked(s) {
  const {shapes, names} = pickable(s), roles = Object.keys(shapes);
  if (hover && roles.includes(hover.role) && hover.offset < product(shapes[hover.role])) return hover;
  const role = roles.find((r) => names[r] === s.of) || roles[0], shape = shapes[role];
  const at = s.at.length === 2 && shape.length === 4
    ? (role === "t" ? [...s.at, 0, 0] : [0, ...s.at, 0]) : s.at;
  const legal = at.length === shape.length && at.every((i, axis) => i >= 0 && i < shape[axis]);
  return {role, offset: legal ? new Tensor(shape, []).offset(at) : 0};
}

// The shortest text of an index: row and column where all else is 0.
function shortIndex(role, index) {
  const [inner, rest] = role === "t" ? [index.slice(0, 2), index.slice(2)]
    : [index.slice(1, 3), [index[0], index[3]]];
  return index.length === 4 && !rest.some((i) => i) ? inner : index;
}
