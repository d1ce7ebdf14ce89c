// 6. im2col and W': the same product as a matrix of patches, and as one matrix of the whole op.

PANELS.matrix = {
  controls: ["n", "k", "s", "d", "p", "own"],
  roles: ["p", "m", "t", "k"],
  draw(s, p) {
    const {win} = p, pick = picked(s), scale = largest(p.m, p.t, p.p);
    const near = touched(linksOf(win, pick.role, pick.offset)), o = planesAt(p, pick).p[3];
    const isNear = ({k}) => k !== undefined && ROLES.every((role) => near[role].has(links(win)[role][k]));
    const draw = (spec, title, note) => grid(spec, {
      title, note, scale, most: WIDE,
      lit: (cell) => (spec.role === "k" ? isNear(cell) : near[spec.role].has(cell.offset)),
      chosen: (cell) => spec.role === pick.role && cell.offset === pick.offset,
    });
    const [columns, matrix] = [im2colTable(p, o), matrixTable(p, o)];
    const [rows, taps, pixels] = [columns.shape[0], columns.shape[1], matrix.shape[1]];
    const vector = (role, count, at) => draw(table(role, count, 1, (i) =>
      ({value: p[role].data[at(i)], offset: at(i)})), say(p.names[role]));
    const output = vector("p", rows, (i) => i * win.filters + o);
    const product = (left, right) => row(left, sign("×"), right, sign("="), output);
    const whole = rows * pixels, numbers = {filled: matrix.filled, whole, percent: percent(matrix.filled, whole)};
    return threePlanes(p, pick, scale) + chosenSum(p, pick)
      + `<section class="way"><h3>im2col × ${say("kernel")} = ${say("output")}</h3>`
      + product(draw(columns, "im2col", say("im2col_note")), vector("t", taps, (i) => i * win.filters + o))
      + `</section><section class="way"><h3>W' × ${say("input")} = ${say("output")}</h3>`
      + `<p class="note">${say("matrix_note", numbers)}</p>`
      + product(draw(matrix, "W'"), vector("m", pixels, (i) => i)) + "</section>" + scaleBar(scale);
  },
};

const percent = (part, whole) => num(Number((100 * part / whole).toPrecision(3)));

// (positions, taps): the pixel of each link of output channel o.
function im2colTable({win, m}, o) {
  const all = links(win), taps = product(win.kernel) * win.channels / win.groups;
  return table("k", product(win.out), taps, (i, j) => {
    const k = (i * win.filters + o) * taps + j;
    return all.m[k] < 0 ? {value: 0, pad: true, k} : {value: m.data[all.m[k]], offset: k, k};
  });
}

// (positions, pixels): the weight of each link of output channel o; nothing where there is none.
function matrixTable({win, t}, o) {
  const all = links(win), taps = product(win.kernel) * win.channels / win.groups;
  const rows = product(win.out), pixels = product(win.size) * win.channels, entries = new Map();
  for (const i of range(rows)) {
    for (const j of range(taps)) {
      const k = (i * win.filters + o) * taps + j;
      if (all.m[k] >= 0) entries.set(i * pixels + all.m[k], k);
    }
  }
  const found = table("k", rows, pixels, (i, j) => {
    const k = entries.get(i * pixels + j);
    return k === undefined ? {value: null} : {value: t.data[all.t[k]], offset: k, k};
  });
  return Object.assign(found, {filled: entries.size});
}
