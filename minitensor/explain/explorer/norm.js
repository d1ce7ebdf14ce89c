// Normalisation of (N, H, W, C): numbers with the same key share a mean and a variance.

const KEYS = {
  batch: ([, , , c]) => c,
  layer: ([n]) => n,
  instance: ([n, , , c], C) => n * C + c,
  group: ([n, , , c], C) => n * 2 + Math.floor(c / (C / 2)), // two groups of channels
};

// y = (x - mean) / sqrt(variance + epsilon) * scale + offset; mean and variance of each key, or,
// when `given`, those of each channel.
function normalise(x, {kind, scale, offset, epsilon, given}) {
  const C = x.shape[3], all = indices(x.shape);
  const keys = all.map((index) => (given ? index[3] : KEYS[kind](index, C)));
  const members = [];
  keys.forEach((key, i) => (members[key] = members[key] || []).push(i));
  const mean = given ? given.mean : members.map((m) => total(m.map((i) => x.data[i])) / m.length);
  const variance = given ? given.variance : members.map((m, key) =>
    total(m.map((i) => Math.pow(x.data[i] - mean[key], 2))) / m.length);
  const inverse = variance.map((v) => 1 / Math.sqrt(v + epsilon));
  const standard = x.map((v, i) => (v - mean[keys[i]]) * inverse[keys[i]]);
  const y = standard.map((v, i) => v * scale[i % C] + offset[i % C]);
  return {y, standard, mean, variance, inverse, keys, members, scale, given};
}

// With h = g * scale: dx = inverse * (h - mean(h) - standard * mean(h * standard)); where the
// statistics were given, only inverse * h. The three parts stand beside each other.
function normGradient(done, g) {
  const C = g.shape[3];
  const h = g.map((v, i) => v * done.scale[i % C]);
  const mean = (of) => done.members.map((m) => total(m.map(of)) / m.length);
  const [first, second] = [mean((i) => h.data[i]), mean((i) => h.data[i] * done.standard.data[i])];
  const parts = range(h.data.length).map((i) => {
    const key = done.keys[i], inverse = done.inverse[key];
    const own = inverse * h.data[i];
    if (done.given) return [own];
    return [own, -inverse * first[key], -inverse * done.standard.data[i] * second[key]];
  });
  const perChannel = (of) => range(C).map((c) =>
    total(range(h.data.length).filter((i) => i % C === c).map(of)));
  return {
    parts,
    dx: new Tensor(g.shape, Float64Array.from(parts, total)),
    dscale: perChannel((i) => g.data[i] * done.standard.data[i]),
    doffset: perChannel((i) => g.data[i]),
  };
}

// A moving statistic after each step: the share of the old one is the momentum.
function moving(start, latest, momentum, steps) {
  const found = [start];
  for (let i = 0; i < steps; i++) found.push(momentum * found[i] + (1 - momentum) * latest);
  return found;
}
