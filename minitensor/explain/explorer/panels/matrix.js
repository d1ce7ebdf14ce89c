// 6. im2col and W': the same product as a matrix of patches, and as one matrix of the whole op.

PANELS.matrix = {
  controls: ["n", "k", "s", "d", "p", "own"],
  roles: ["p", "m", "t", "k"],
  draw(s, p) {
    const {win} = p, pick = picked(s), scale = largest(p.m, p.t, p.p);
    const near = touched(linksOf(win, pick.role, pick.offset)), at = planesAt(p, pick), o = at.p[3];
    const isNear = ({k}) => k !== undefined && ROLES.every((role) => near[role].has(links(win)[role][k]));
    const draw = (spec, title, note) => grid(spec, {
      title, note, scale, most: WIDE,
      lit: (cell) => (spec.role === "k" ? isNear(cell) : near[spec.role].has(cell.offset)),
      chosen: (cell) => spec.role === pick.role && cell.offset === pick.offset,
    });
    const [columns, matrix] = [im2colTable(p, at), matrixTable(p, at)];
    const [rows, taps, pixels] = [columns.shape[0], columns.shape[1], matrix.shape[1]];
    const vector = (role, count, focus, of) => draw(table(role, count, 1, (i) =>
      ({value: p[role].data[of(i)], offset: of(i)}), [focus, 0]), say(p.names[role]));
    const output = vector("p", rows, columns.focus[0], (i) => i * win.filters + o);
    const product = (left, right) => row(left, sign("×"), right, sign("="), output);
    const whole = rows * pixels, filled = countedLinks(win) / win.filters;
    const numbers = {filled, whole, percent: percent(filled, whole)};
    return threePlanes(p, pick, scale) + chosenSum(p, pick)
      + `<section class="way"><h3>im2col × ${say("kernel")} = ${say("output")}</h3>`
      + product(draw(columns, "im2col", say("im2col_note")), vector("t", taps, 0, (i) => i * win.filters + o))
      + `</section><section class="way"><h3>W' × ${say("input")} = ${say("output")}</h3>`
      + `<p class="note">${say("matrix_note", numbers)}</p>`
      + product(draw(matrix, "W'"), vector("m", pixels, matrix.focus[1], (i) => i)) + "</section>" + scaleBar(scale);
  },
};

const percent = (part, whole) => num(Number((100 * part / whole).toPrecision(3)));

// (positions, taps): the pixel of each link of output channel o.
function im2colTable({win, m}, at) {
  const all = links(win), taps = product(win.kernel) * win.channels / win.groups;
  return table("k", product(win.out), taps, (i, j) => {
    const k = (i * win.filters + at.p[3]) * taps + j;
    return all.m[k] < 0 ? {value: 0, pad: true, k} : {value: m.data[all.m[k]], offset: k, k};
  }, [at.p[1] * win.out[1] + at.p[2], 0]);
}

// (positions, pixels): the weight of each link of output channel o; nothing where there is none.
function matrixTable({win, p, t, m}, at) {
  const taps = product(win.kernel) * win.channels / win.groups, o = at.p[3];
  return table("k", product(win.out), product(win.size) * win.channels, (i, j) => {
    const found = tapOf(win, p.index(i * win.filters + o), m.index(j));
    if (found < 0) return {value: null};
    const k = (i * win.filters + o) * taps + Math.floor(found / win.filters);
    return {value: t.data[found], offset: k, k};
  }, [at.p[1] * win.out[1] + at.p[2], (at.m[1] * win.size[1] + at.m[2]) * win.channels + at.m[3]]);
}
