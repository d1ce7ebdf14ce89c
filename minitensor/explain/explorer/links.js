// The index map that everything is read off: which output reads which pixel through which weight.
//
// Link k joins position p[k] of (N, h, w, O), tap t[k] of (kh, kw, C/G, O) and pixel m[k] of
// (N, H, W, C); m is -1 where the window stands on padding. A pool has one filter per channel.

const ROLES = ["p", "t", "m"];
const shapeOf = (win, role) => ({
  p: [win.batch, ...win.out, win.filters],
  t: [...win.kernel, win.channels / win.groups, win.filters],
  m: [win.batch, ...win.size, win.channels],
}[role]);

function links(win) {
  if (win.links) return win.links;
  const [pixels, taps] = [new Tensor(shapeOf(win, "m"), []), new Tensor(shapeOf(win, "t"), [])];
  const each = win.channels / win.groups;
  const weights = indices([...win.kernel, each]);
  const positions = indices(shapeOf(win, "p"));
  const count = positions.length * weights.length;
  const found = {p: new Int32Array(count), t: new Int32Array(count), m: new Int32Array(count), count};
  let k = 0;
  positions.forEach(([n, i, j, o], p) => {
    const first = Math.floor(o / (win.filters / win.groups)) * each; // channel of its group
    for (const [a, b, c] of weights) {
      const y = i * win.stride[0] + a * win.dilation[0] - win.pad[0][0];
      const x = j * win.stride[1] + b * win.dilation[1] - win.pad[1][0];
      const real = y >= 0 && y < win.size[0] && x >= 0 && x < win.size[1];
      found.p[k] = p;
      found.t[k] = taps.offset([a, b, c, o]);
      found.m[k++] = real ? pixels.offset([n, y, x, first + c]) : -1;
    }
  });
  return (win.links = found);
}

// The array of one role, summed from the other two over all links: with positions it is the
// convolution, with pixels its gradient in the input and so the transposed convolution, with taps
// its gradient in the kernel.
function combine(win, role, arrays) {
  const all = links(win), found = new Tensor(shapeOf(win, role));
  const [a, b] = ROLES.filter((other) => other !== role);
  for (let k = 0; k < all.count; k++) {
    if (all.m[k] < 0) continue;
    found.data[all[role][k]] += arrays[a].data[all[a][k]] * arrays[b].data[all[b][k]];
  }
  return found;
}

// The links of one number; padding is met by positions only. Role k: the one link of that number.
function linksOf(win, role, offset) {
  const all = links(win), found = [];
  if (role === "k") return [{p: all.p[offset], t: all.t[offset], m: all.m[offset]}];
  for (let k = 0; k < all.count; k++) {
    if (all[role][k] === offset && (role === "p" || all.m[k] >= 0)) {
      found.push({p: all.p[k], t: all.t[k], m: all.m[k]});
    }
  }
  return found;
}

// The offset of the tap through which a position reads a pixel; -1 if it does not.
function tapOf(win, [n, i, j, o], [image, y, x, c]) {
  const each = win.channels / win.groups, made = win.filters / win.groups;
  const [a, b] = [[y, i], [x, j]].map(([pixel, q], axis) =>
    (pixel + win.pad[axis][0] - q * win.stride[axis]) / win.dilation[axis]);
  const isTap = (tap, axis) => Number.isInteger(tap) && tap >= 0 && tap < win.kernel[axis];
  const reads = n === image && Math.floor(o / made) === Math.floor(c / each) && isTap(a, 0) && isTap(b, 1);
  return reads ? ((a * win.kernel[1] + b) * each + c % each) * win.filters + o : -1;
}
