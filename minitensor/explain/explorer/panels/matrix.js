// 6. im2col and W': the same product as a matrix of patches, and as one matrix of the whole op.

PANELS.matrix = {
  controls: ["n", "k", "s", "d", "p", "own"],
  roles: ["p", "m", "t"],
  draw(s, p) {
    const {win} = p, all = links(win), taps = product(win.kernel) * win.channels / win.groups;
    const shapes = {p: shapeOf(win, "p"), m: shapeOf(win, "m"), t: shapeOf(win, "t"), k: [all.count]};
    const pick = picked(s, shapes, Object.assign({k: "link"}, p.names), "p");
    const near = touched(linksOf(win, pick.role, pick.offset)), o = planesAt(p, pick).p[3], position = (i) => i * win.filters + o; // of one output channel
    const rows = product(win.out), scale = largest(p.m, p.t, p.p);
    const isNear = (k) => ROLES.every((role) => near[role].has(all[role][k]));
    const columns = table("k", rows, taps, (i, j) => {
      const k = position(i) * taps + j;
      return all.m[k] < 0 ? {value: 0, pad: true, k} : {value: p.m.data[all.m[k]], offset: k, k};
    });
    const pixels = product(win.size) * win.channels, entries = new Map();
    range(rows * taps).forEach((i) => {
      const k = position(Math.floor(i / taps)) * taps + i % taps;
      if (all.m[k] >= 0) entries.set(Math.floor(i / taps) * pixels + all.m[k] % pixels, k);
    });
    const matrix = table("k", rows, pixels, (i, j) => {
      const k = entries.get(i * pixels + j);
      return k === undefined ? {value: null} : {value: p.t.data[all.t[k]], offset: k, k};
    });
    const kernel = table("t", taps, 1, (i) => ({value: p.t.data[i * win.filters + o], offset: i * win.filters + o}));
    const vector = (role, count, at) => table(role, count, 1, (i) => ({value: p[role].data[at(i)], offset: at(i)}));
    const look = (title, note) => ({title, note, scale, most: WIDE,
      lit: (cell) => (cell.k === undefined ? false : isNear(cell.k)), chosen: (cell) => pick.role === "k" && cell.offset === pick.offset});
    const side = (role, title, note) => ({title, note, scale, most: WIDE,
      lit: (cell) => near[role].has(cell.offset), chosen: (cell) => role === pick.role && cell.offset === pick.offset});
    const output = vector("p", rows, position);
    const filled = entries.size, whole = rows * pixels;
    return row(...threePlanes(p, pick, scale)) + chosenSum(p, pick) + '<div class="products">'
      + `<section class="way"><h3>im2col · ${say("kernel")} = ${say("output")}</h3>`
      + row(grid(columns, look("im2col", say("im2col_note"))), sign("×"), grid(kernel, side("t", say("kernel"))), sign("="), grid(output, side("p", say("output")))) + "</section>"
      + `<section class="way"><h3>W' · ${say("input")} = ${say("output")}</h3><p class="note">${say("matrix_note", {filled, whole,
        percent: num(Number((100 * filled / whole).toPrecision(3)))})}</p>`
      + row(grid(matrix, look("W'")), sign("×"), grid(vector("m", pixels, (i) => i), side("m", say("input"))), sign("="), grid(output, side("p", say("output")))) + "</section></div>"
      + scaleBar(scale);
  },
};
