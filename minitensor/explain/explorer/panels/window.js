// 2. One window and its numbers.

PANELS.window = {
  controls: ["scrub", "n", "k", "s", "d", "p", "own"],
  roles: ["p", "m", "t"],
  draw(s, p) {
    const pick = picked(s), scale = largest(p.m, p.t, p.p);
    return threePlanes(p, pick, scale) + chosenSum(p, pick) + scaleBar(scale) + lawLines(p.win, false);
  },
};

// input * kernel = output
function threePlanes(p, pick, scale) {
  const paint = painter(p, pick, scale);
  return row(paint("m", say("input"), {pads: p.win.pad}), sign("∗"), paint("t", say("kernel")), sign("="),
    paint("p", say("output")));
}

// Draws planes that a pick is about: what it touches is outlined, and the pick itself in colour.
function painter(p, pick, scale, near = touched(linksOf(p.win, pick.role, pick.offset))) {
  const at = planesAt(p, pick);
  const window = pick.role === "p" ? windowCells(p.win, pick.offset) : new Set();
  return (role, title, {tensor = p[role], pads, look} = {}) => {
    const usual = {
      title, note: planeNote(p, role, at[role]), scale,
      lit: (cell, i, j) => near[role].has(cell.offset) || (cell.pad && window.has(String([i, j]))),
      chosen: (cell) => role === pick.role && cell.offset === pick.offset,
    };
    return grid(plane(role, tensor, at[role], pads), Object.assign(usual, look));
  };
}

// The indices at which the planes lie that a pick is about: its image, its channels.
function planesAt(p, pick) {
  const all = linksOf(p.win, pick.role, pick.offset);
  const first = all.find((link) => link.m >= 0) || {p: 0, t: 0, m: 0}, at = {};
  for (const role of ROLES) {
    const offset = role === pick.role ? pick.offset : first[role];
    at[role] = new Tensor(shapeOf(p.win, role), []).index(offset);
  }
  return at;
}

function planeNote(p, role, index) {
  const {channels, filters, batch} = p.win;
  if (role === "t") return channels * filters > 1 ? say("filter_note", {c: index[2], o: index[3]}) : "";
  const notes = batch > 1 ? [say("image_note", {n: index[0]})] : [];
  if ((role === "m" ? channels : filters) > 1) notes.push(say("channel_note", {c: index[3]}));
  return notes.join(", ");
}

// The sum of the number that is picked; of a pixel or a weight, how many numbers it reaches.
function chosenSum(p, pick) {
  if (pick.role === "k") return linkSum(p, pick.offset);
  const index = new Tensor(shapeOf(p.win, pick.role), []).index(pick.offset);
  const name = address(say(p.names[pick.role]), shortIndex(pick.role, index));
  if (pick.role === "p") {
    const bias = p.bias ? p.bias[index[3]] : undefined;
    return sumLine(name, termsOf(p, p, "p", pick.offset), p.p.data[pick.offset], {bias});
  }
  const count = touched(linksOf(p.win, pick.role, pick.offset)).p.size;
  return `<p class="sum"><b>${name}</b> ${say("reaches", {count})} <output data-value="${count}"></output></p>`;
}

// What one link contributes to its output.
function linkSum(p, k) {
  const [{p: position, t, m}] = linksOf(p.win, "k", k), pixel = m < 0 ? 0 : p.m.data[m];
  const name = address(say("output"), shortIndex("p", p.p.index(position)));
  return sumLine(say("in_it", {name}), [{factors: [pixel, p.t.data[t]]}], pixel * p.t.data[t]);
}
