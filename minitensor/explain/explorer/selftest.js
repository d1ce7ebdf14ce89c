// The page's own arithmetic against what TensorFlow answered, values and gradients.

const FLAT = (numbers) => new Tensor([numbers.length], Float64Array.from(numbers));

const COMPUTED = {
  conv2d(c) {
    const {x: m, w: t, g: p} = c.tensors, win = caseWindow(c, m.shape, t.shape);
    const y = combine(win, "p", {t, m});
    const bias = c.bias || [0];
    return {y: y.map((v, i) => v + bias[i % bias.length]),
            dx: combine(win, "m", {p, t}), dw: combine(win, "t", {p, m})};
  },
  conv2d_transpose(c) {
    const {x: p, w: t, g: m} = c.tensors, win = caseWindow(c, m.shape, t.shape);
    return {y: combine(win, "m", {p, t}),
            dx: combine(win, "p", {t, m}), dw: combine(win, "t", {p, m})};
  },
  separable_conv2d(c) {
    const {x: m, w: t, v, g} = c.tensors, C = m.shape[3];
    const depth = caseWindow(Object.assign({}, c, {groups: C}), m.shape, t.shape);
    const middle = combine(depth, "p", {t, m});
    const point = windowOf({batch: m.shape[0], size: depth.out, kernel: [1, 1], stride: [1, 1],
      dilation: [1, 1], padding: "VALID", channels: C, filters: v.shape[3]});
    const p = combine(point, "m", {p: g, t: v});
    return {y: combine(point, "p", {t: v, m: middle}), dx: combine(depth, "m", {p, t}),
            dw: combine(depth, "t", {p, m}), dv: combine(point, "t", {p: g, m: middle})};
  },
  max_pool2d: (c) => pooled(c, "max"),
  avg_pool2d: (c) => pooled(c, "avg"),
  norm(c) {
    const {x, g} = c.tensors, done = normalise(x, c), back = normGradient(done, g);
    const found = {y: done.y, dx: back.dx, dscale: FLAT(back.dscale), doffset: FLAT(back.doffset)};
    if (c.momentum !== undefined) {
      const now = (start, latest) => latest.map((v) => moving(start, v, c.momentum, 1)[1]);
      found.moving_mean = FLAT(now(0, done.mean));
      found.moving_variance = FLAT(now(1, done.variance));
    }
    return found;
  },
};

function caseWindow(c, [batch, H, W, channels], [kh, kw, each, filters]) {
  return windowOf({batch, size: [H, W], kernel: [kh, kw], stride: c.strides, channels, filters,
    dilation: c.dilations, padding: c.padding, groups: c.groups || channels / each});
}

function pooled(c, kind) {
  const {x, g} = c.tensors, [batch, H, W, channels] = x.shape;
  const win = poolWindow({batch, size: [H, W], channels, kernel: c.ksize, stride: c.strides,
    dilation: [1, 1], padding: c.padding});
  return {y: pool(win, x, kind), dx: poolGradient(win, x, g, kind)};
}

// Long answers are recorded in part: every so many numbers.
function agrees(c) {
  c.tensors = {};
  for (const name of Object.keys(c.arrays)) c.tensors[name] = unpack(c.arrays[name]);
  const found = COMPUTED[c.op](c);
  return Object.keys(c.answers).every((name) => {
    const {shape, every, values} = c.answers[name];
    return String(found[name].shape) === String(shape) && values.every((value, i) =>
      Math.abs(found[name].data[i * every] - value) <= 1e-9 * Math.max(1, Math.abs(value)));
  });
}

function selfTest() {
  const golden = JSON.parse(document.getElementById("golden").textContent);
  const good = golden.cases.filter(agrees).length;
  const result = `${good}/${golden.cases.length}`;
  document.body.dataset.selftest = result;
  document.body.dataset.tensorflow = golden.tensorflow;
  return result;
}
