// Planes of numbers as SVG: one signed colour scale, padding hatched, what is read outlined.

const CELL = 40, EDGE = 16; // units of a cell, of the indices beside it
const MOST = [16, 16], WIDE = [25, 48]; // rows and columns that are shown, of a plane, of a matrix
const PIXELS = [[7, 40], [12, 32], [WIDE[1], 23]]; // up to so many rows and columns, so large a cell

// A plane of an array: two of its axes, the others held at `index`.
function plane(role, tensor, index, pads = [[0, 0], [0, 0]]) {
  const axes = role === "t" ? [0, 1] : [1, 2], [rows, cols] = axes.map((axis) => tensor.shape[axis]);
  return {
    role, shape: [rows, cols], focus: axes.map((axis) => index[axis]), low: pads.map((pair) => -pair[0]),
    high: [rows + pads[0][1], cols + pads[1][1]],
    cell(i, j) {
      if (i < 0 || j < 0 || i >= rows || j >= cols) return {value: 0, pad: true};
      const at = index.slice();
      [at[axes[0]], at[axes[1]]] = [i, j];
      const offset = tensor.offset(at);
      return {value: tensor.data[offset], offset};
    },
  };
}

// A plane from a function of row and column; around `focus` it is cropped.
const table = (role, rows, cols, cell, focus = [0, 0]) =>
  ({role, shape: [rows, cols], focus, low: [0, 0], high: [rows, cols], cell});

const LOOK = {note: "", scale: 1, lit: () => false, chosen: () => false, bare: false, most: MOST, zoom: 1};

// Looks: title, note, scale (the largest number), lit(cell, i, j), chosen(cell, i, j), bare (no
// numbers at the edges), most (rows and columns), zoom.
function grid(spec, look) {
  const {title, note, scale, lit, chosen, bare, most, zoom} = Object.assign({}, LOOK, look);
  const [low, high] = crop(spec, most), [rows, cols] = [high[0] - low[0], high[1] - low[1]];
  const cells = indices([rows, cols]).map(([row, col]) => {
    const [i, j] = [row + low[0], col + low[1]], cell = spec.cell(i, j);
    return Object.assign({i, j, lit: lit(cell, i, j), chosen: chosen(cell, i, j)}, cell);
  });
  const isWhole = rows * cols === (spec.high[0] - spec.low[0]) * (spec.high[1] - spec.low[1]), edge = bare ? 2 : EDGE;
  const pixels = (PIXELS.find(([most]) => Math.max(rows, cols) <= most) || PIXELS[2])[1];
  const place = (c) => [edge + (c.j - low[1]) * CELL, edge + (c.i - low[0]) * CELL];
  const [width, height] = [edge + cols * CELL + 3, edge + rows * CELL + 3];
  const svg = cells.map((c) => drawnCell(c, place(c), spec.role, scale)).join("")
    + cells.filter((c) => c.lit || c.chosen).map((c) => outline(c, place(c))).join("")
    + (bare ? "" : edgeNumbers(low, high));
  const box = {top: low[0], bottom: high[0] - 1, left: low[1], right: high[1] - 1};
  const cropped = isWhole ? ""
    : `<p class="note">${say("cropped", Object.assign(box, {rows: spec.shape[0], columns: spec.shape[1]}))}</p>`;
  return `<figure class="grid${Math.max(rows, cols) > 12 ? " wide" : ""}"><figcaption><b>${title}</b> `
    + `<span>${[bare ? "" : size(spec.shape), note].filter((part) => part).join(" · ")}</span></figcaption>`
    + `<div class="scroll"><svg viewBox="0 0 ${width} ${height}" role="img" `
    + `width="${Math.round(width / CELL * pixels * zoom)}" aria-label="${title} ${size(spec.shape)}">`
    + `${svg}</svg></div>${cropped}</figure>`;
}

// Of a plane too large, the part around what it is about.
function crop({low, high, focus}, most) {
  const from = low.map((first, axis) => (high[axis] - first <= most[axis] ? first
    : Math.min(Math.max(focus[axis] - Math.floor(most[axis] / 4), first), high[axis] - most[axis])));
  return [from, from.map((first, axis) => Math.min(high[axis], first + most[axis]))];
}

function drawnCell(cell, [x, y], role, scale) {
  const rect = (extra) => `<rect x="${x}" y="${y}" width="${CELL}" height="${CELL}" ${extra}/>`;
  if (cell.pad) return `${rect('class="pad"')}${rect('fill="url(#hatch)"')}`;
  const {value, offset} = cell;
  if (value === null) return rect('class="empty"');
  const strength = Math.sqrt(Math.min(Math.abs(value) / scale, 1)).toFixed(3);
  const mark = offset === undefined ? "" : `data-role="${role}" data-offset="${offset}"`;
  const text = brief(value), font = Math.min(16, 54 / text.length);
  return rect('class="zero"') + rect(`class="${value < 0 ? "neg" : "pos"}" fill-opacity="${strength}" ${mark}`)
    + `<text x="${x + CELL / 2}" y="${y + CELL / 2}" font-size="${font.toFixed(1)}">${text}</text>`;
}

function outline(cell, [x, y]) {
  const side = CELL - 4;
  const name = cell.chosen ? "chosen" : "lit";
  return `<rect class="${name}" x="${x + 2}" y="${y + 2}" width="${side}" height="${side}"/>`;
}

function edgeNumbers(low, high) {
  const text = (x, y, i) => `<text class="edge" x="${x}" y="${y}">${num(i)}</text>`;
  const middle = (i, axis) => EDGE + (i - low[axis] + 0.5) * CELL;
  const along = (axis) => range(high[axis] - low[axis]).map((i) => i + low[axis]);
  return along(0).map((i) => text(EDGE / 2, middle(i, 0), i)).join("")
    + along(1).map((j) => text(middle(j, 1), EDGE / 2, j)).join("");
}

const largest = (...tensors) => tensors.reduce((most, tensor) =>
  tensor ? Array.from(tensor.data).reduce((a, v) => Math.max(a, Math.abs(v)), most) : most, 1e-9);

const tick = (x, y, text, anchor) => `<text class="tick" x="${x}" y="${y}" text-anchor="${anchor}">${text}</text>`;

// The bar of the colour scale: one for all planes of a panel.
function scaleBar(scale) {
  const steps = range(11).map((i) => (i - 5) / 5);
  const cells = steps.map((v, i) => {
    const rect = (look) => `<rect x="${i * 24}" y="0" width="24" height="14" ${look}/>`;
    const strength = Math.sqrt(Math.abs(v)).toFixed(3);
    return rect('class="zero"') + rect(`class="${v < 0 ? "neg" : "pos"}" fill-opacity="${strength}"`);
  });
  const ends = tick(0, 27, num(-scale), "start") + tick(132, 27, "0", "middle") + tick(264, 27, num(scale), "end");
  return `<figure class="bar"><svg viewBox="0 0 264 34" width="264" role="img" aria-label="${say("scale")}">
    ${cells.join("")}${ends}</svg>`
    + `<figcaption>${say("scale")}</figcaption></figure>`;
}

// name = 1·2 + 3·4 = 14, with the number of the page's own arithmetic at its end.
function sumLine(name, terms, value, {bias, most = 30} = {}) {
  const shown = terms.slice(0, most).map(({factors, value: v, title = ""}) =>
    `<span class="term" title="${title}">${factors ? factors.map(factor).join("·") : factor(v)}</span>`);
  const rest = terms.slice(most);
  if (rest.length) {
    shown.push(`<i>${say("more", {count: rest.length, value: num(total(rest.map((t) => t.value)))})}</i>`);
  }
  if (bias !== undefined) shown.push(`<span class="term" title="${say("bias")}">${factor(bias)}</span>`);
  const sum = shown.length ? shown.join(" + ") : "0";
  return `<p class="sum"><b>${name}</b> = ${sum} = <output data-value="${value}">${num(value)}</output></p>`;
}

const address = (name, index) => `${name}[${index.join(",")}]`;

// The terms of a number of any role: what its links multiply.
function termsOf(p, arrays, role, offset) {
  const [a, b] = ROLES.filter((other) => other !== role);
  return linksOf(p.win, role, offset).map((link) => {
    const factors = [a, b].map((r) => (link[r] < 0 ? 0 : arrays[r].data[link[r]]));
    const title = [a, b].map((r) => (link[r] < 0 ? say("padding")
      : address(p.names[r], shortIndex(r, arrays[r].index(link[r]))))).join(" · ");
    return {factors: factors.reverse(), value: factors[0] * factors[1], title, link};
  });
}

// Which offsets of each role the links of a pick touch.
function touched(links) {
  const found = {};
  for (const role of ROLES) found[role] = new Set(links.map((link) => link[role]));
  return found;
}

// The cells "row,column" under the window at a position, padding too.
function windowCells(win, p) {
  const [, i, j] = new Tensor(shapeOf(win, "p"), []).index(p), found = new Set();
  for (const [a, b] of indices(win.kernel)) {
    const at = [i, j].map((q, axis) => q * win.stride[axis] + [a, b][axis] * win.dilation[axis] - win.pad[axis][0]);
    found.add(String(at));
  }
  return found;
}

const lawLines = (win, transposed) => {
  const lines = [0, 1].map((axis) => lawsOf(win, axis, transposed).map(([key, n]) => say(key, n)).join("; "));
  const named = lines[0] === lines[1] ? [[say("height") + ", " + say("width"), lines[0]]]
    : [[say("height"), lines[0]], [say("width"), lines[1]]];
  return `<div class="laws">${named.map(([name, line]) => `<p><b>${name}</b>: ${line}</p>`).join("")}</div>`;
};

const row = (...parts) => `<div class="row">${parts.join("")}</div>`;
const sign = (text) => `<span class="sign">${text}</span>`;
