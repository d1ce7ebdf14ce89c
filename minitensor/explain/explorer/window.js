// Where a window looks: sizes and padding, each axis by itself. See minitensor/window.py.

const extent = (taps, dilation) => (taps - 1) * dilation + 1;

const fits = (size, pads, span, stride) =>
  Math.max(Math.floor((size + total(pads) - span) / stride) + 1, 0);

function samePad(size, span, stride) {
  const pad = Math.max((Math.ceil(size / stride) - 1) * stride + span - size, 0);
  return [Math.floor(pad / 2), pad - Math.floor(pad / 2)]; // the odd pixel goes after
}

// All sizes whose convolution has `count` positions, as [smallest, largest].
function transposedSizes(count, span, stride, padding) {
  if (padding === "SAME") return [(count - 1) * stride + 1, count * stride];
  const smallest = (count - 1) * stride + span - total(padding === "VALID" ? [0] : padding);
  return [Math.max(smallest, 1), smallest + stride - 1];
}

// `padding` is "SAME", "VALID" or [[top, bottom], [left, right]]; adds span, pad and out.
function windowOf(given) {
  const win = Object.assign({batch: 1, channels: 1, filters: 1, groups: 1}, given);
  win.span = win.kernel.map((taps, axis) => extent(taps, win.dilation[axis]));
  win.pad = win.size.map((size, axis) =>
    win.padding === "SAME" ? samePad(size, win.span[axis], win.stride[axis])
    : win.padding === "VALID" ? [0, 0] : win.padding[axis]);
  win.out = win.size.map((size, axis) =>
    fits(size, win.pad[axis], win.span[axis], win.stride[axis]));
  return win;
}

// The laws of one axis, as words and numbers. See minitensor/explain/laws.py.
function lawsOf(win, axis, transposed) {
  const [size, span, stride] = [win.size[axis], win.span[axis], win.stride[axis]];
  const [before, after] = win.pad[axis];
  const n = {size, span, stride, before, after, pad: before + after, out: win.out[axis],
             taps: win.kernel[axis], dilation: win.dilation[axis]};
  const dilated = n.dilation > 1 ? [["span", n]] : [];
  return dilated.concat(transposed ? transposedLaws(win, n, axis) : forwardLaws(win, n));
}

function forwardLaws(win, n) {
  const out = Math.ceil(n.size / n.stride);
  const needed = (out - 1) * n.stride + n.span - n.size;
  const [before, after] = samePad(n.size, n.span, n.stride);
  const same = Object.assign({}, n, {out, total: needed, before, after});
  const odd = needed < 0 ? [["none", {}]] : needed % 2 ? [["odd", {}]] : [];
  if (win.padding === "SAME") {
    const valid = Object.assign({}, n, {out: fits(n.size, [0], n.span, n.stride)});
    return [["same", same], ["same_pads", same], ...odd, ["valid_would", valid]];
  }
  const explicit = win.padding === "VALID" ? [] : [["explicit", n]];
  const rest = (n.size + n.pad - n.span) % n.stride;
  const left = rest > 0 ? [["left", {left: rest}]] : [];
  return [["valid", n], ...explicit, ...left, ["same_would", same], ...odd];
}

function transposedLaws(win, n, axis) {
  const padding = typeof win.padding === "string" ? win.padding : win.pad[axis];
  const [smallest, largest] = transposedSizes(n.out, n.span, n.stride, padding);
  const legal = smallest === largest ? `${smallest}` : `${smallest} ... ${largest}`;
  const numbers = Object.assign({}, n, {positions: n.out, smallest, largest, legal});
  return [[win.padding === "SAME" ? "transposed_same" : "transposed", numbers], ["legal", numbers]];
}
