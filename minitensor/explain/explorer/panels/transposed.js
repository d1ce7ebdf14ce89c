// 4. A transposed convolution in three views that give the same number.

PANELS.transposed = {
  controls: ["n", "k", "s", "d", "p", "e", "own"],
  roles: ["m", "p"],
  draw(s, p) {
    const pick = picked(s);
    const m = pick.role === "m" ? pick.offset : (linksOf(p.win, "p", pick.offset).find((l) => l.m >= 0) || {m: 0}).m;
    const index = p.m.index(m), scale = largest(p.m, p.t, p.p);
    const ways = [scatterView, slideView, matrixView].map((view) => view(p, m, index, scale, pick));
    const values = ways.map((way) => num(way.value));
    const name = address(say("output"), shortIndex("m", index));
    const value = `<output data-value="${ways[0].value}">${values[0]}</output>`;
    return `<p class="sum"><b>${name}</b>: ${say("agree", {value})}
      ${values.every((v) => v === values[0]) ? "✓" : `✗ ${values}`}</p>`
      + ways.map((way) => `<section class="way"><h3>${way.title}</h3>${way.html}</section>`).join("")
      + scaleBar(scale) + lawLines(p.win, true) + overlapView(p);
  },
};

// Each input number stamps the kernel, times itself, onto the output.
function scatterView(p, m, index, scale, pick) {
  const paint = painter(p, pick, scale), terms = termsOf(p, p, "m", m), value = p.m.data[m];
  const planes = row(paint("p", say("input")), sign("→"), paint("t", say("kernel")), sign("="),
    paint("m", say("output")));
  return {title: say("scatter_add"), value: total(terms.map((t) => t.value)),
    html: planes + sumLine(say("sum"), terms, value)};
}

// The same as a convolution of the input with zeros between its numbers, by the turned kernel.
function slideView(p, m, index, scale) {
  const {win} = p, [, row0, col0, c] = index, at = planesAt(p, {role: "m", offset: m}), o = at.p[3];
  const low = win.pad.map(([before], axis) => before - win.span[axis] + 1); // of the stretched plane
  const high = win.size.map((n, axis) => n + win.pad[axis][0]);
  const read = new Set(indices(win.kernel).map(([a, b]) =>
    String([row0 + win.pad[0][0] - a * win.dilation[0], col0 + win.pad[1][0] - b * win.dilation[1]])));
  const focus = [row0, col0].map((q, axis) => q + win.pad[axis][0] - win.span[axis] + 1);
  const stretched = {role: "p", shape: high.map((h, axis) => h - low[axis]), low, high, focus, cell(i, j) {
    const place = [i, j].map((q, axis) => q / win.stride[axis]);
    const real = place.every((q, axis) => Number.isInteger(q) && q >= 0 && q < win.out[axis]);
    if (!real) return {value: 0, pad: true};
    const offset = p.p.offset([index[0], ...place, o]);
    return {value: p.p.data[offset], offset};
  }};
  const turned = table("t", ...win.kernel, (a, b) => {
    const offset = p.t.offset([win.kernel[0] - 1 - a, win.kernel[1] - 1 - b, at.t[2], o]);
    return {value: p.t.data[offset], offset};
  });
  const value = total(range(win.filters / win.groups).map((f) => slid(p, index, f)));
  const zeros = pairText(win.stride.map((step) => step - 1));
  return {title: say("inserted", {zeros}), value,
    html: row(
      grid(stretched, {title: say("stretched"), scale, lit: (cell, i, j) => read.has(String([i, j]))}), sign("∗"),
      grid(turned, {title: say("turned"), scale, lit: () => true}), sign("="),
      grid(plane("m", p.m, index), {title: say("output"), scale, chosen: (cell) => cell.offset === m}))};
}

// One filter's share of an output, by the turned kernel over the stretched input.
function slid({win, p, t}, [n, i, j, c], f) {
  const each = win.channels / win.groups, o = Math.floor(c / each) * (win.filters / win.groups) + f;
  return total(indices(win.kernel).map(([a, b]) => {
    const place = [[i, a], [j, b]].map(([q, tap], axis) =>
      (q + win.pad[axis][0] - tap * win.dilation[axis]) / win.stride[axis]);
    const real = place.every((q, axis) => Number.isInteger(q) && q >= 0 && q < win.out[axis]);
    return real ? p.data[p.offset([n, ...place, o])] * t.data[t.offset([a, b, c % each, o])] : 0;
  }));
}

// The row of W' transposed, times the input laid out as a vector.
function matrixView(p, m, index, scale) {
  const {win} = p, positions = product(win.out) * win.filters, pixels = product(win.size) * win.channels;
  const image = index[0], rowOf = m - image * pixels; // of one image
  const weight = (i, j) => {
    const t = tapOf(win, p.p.index(image * positions + j), p.m.index(image * pixels + i));
    return t < 0 ? 0 : p.t.data[t];
  };
  const input = (j) => p.p.data[image * positions + j];
  const matrix = table("m", pixels, positions, (i, j) =>
    ({value: weight(i, j), offset: image * pixels + i}), [rowOf, 0]);
  const vector = table("p", positions, 1, (j) => ({value: input(j), offset: image * positions + j}));
  const value = total(range(positions).map((j) => weight(rowOf, j) * input(j)));
  return {title: say("transposed_row", {row: rowOf}), value,
    html: row(
      grid(matrix, {title: "W'ᵀ", scale, most: [12, 16], lit: (cell, i) => i === rowOf}), sign("×"),
      grid(vector, {title: say("input"), note: say("vector"), scale, lit: () => true}))};
}

// How many inputs reach each output.
function overlapView(p) {
  const ones = (tensor) => tensor.map(() => 1), {win} = p;
  const one = Object.assign({}, win, {channels: 1, filters: 1, groups: 1, links: null, batch: 1});
  const count = combine(one, "m", {p: ones(new Tensor(shapeOf(one, "p"))), t: ones(new Tensor(shapeOf(one, "t")))});
  const most = largest(count), drawn = grid(plane("-", count, [0, 0, 0, 0]), {title: say("output"), scale: most});
  return `<section class="way"><h3>${say("overlap")}</h3>${drawn}</section>`;
}
