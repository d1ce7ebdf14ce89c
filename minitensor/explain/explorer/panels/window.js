// 2. One window and its numbers.

PANELS.window = {
  controls: ["scrub", "n", "k", "s", "d", "p", "own"],
  roles: ["p", "m", "t"],
  draw(s, p) {
    const pick = picked(s, {p: shapeOf(p.win, "p"), m: shapeOf(p.win, "m"), t: shapeOf(p.win, "t")}, p.names, "p");
    const scale = largest(p.m, p.t, p.p);
    return row(...threePlanes(p, pick, scale)) + chosenSum(p, pick) + scaleBar(scale) + lawLines(p.win, false);
  },
};

// input * kernel = output, with what the pick touches outlined.
function threePlanes(p, pick, scale, arrays = p, titles = {}) {
  const near = touched(linksOf(p.win, pick.role, pick.offset));
  const window = pick.role === "p" ? windowCells(p.win, pick.offset) : new Set();
  const at = planesAt(p, pick);
  const draw = (role, pads) => grid(plane(role, arrays[role], at[role], pads), {
    title: titles[role] || say(p.names[role]), note: planeNote(p, role, at[role]), scale,
    lit: (cell, i, j) => near[role].has(cell.offset) || (cell.pad && window.has(String([i, j]))),
    chosen: (cell) => role === pick.role && cell.offset === pick.offset,
  });
  return [draw("m", p.win.pad), sign("∗"), draw("t"), sign("="), draw("p")];
}

// The indices at which the planes lie that a pick is about: its image, its channels.
function planesAt(p, pick) {
  const first = linksOf(p.win, pick.role, pick.offset).find((link) => link.m >= 0) || {p: 0, t: 0, m: 0};
  const at = {};
  for (const role of ROLES) {
    const offset = role === pick.role ? pick.offset : Math.max(first[role], 0);
    at[role] = new Tensor(shapeOf(p.win, role), []).index(offset);
  }
  return at;
}

function planeNote(p, role, index) {
  if (role === "t") return p.win.channels * p.win.filters > 1 ? say("filter_note", {c: index[2], o: index[3]}) : "";
  const notes = [];
  if (p.win.batch > 1) notes.push(say("image_note", {n: index[0]}));
  const channels = role === "m" ? p.win.channels : p.win.filters;
  if (channels > 1) notes.push(say("channel_note", {c: index[3]}));
  return notes.join(", ");
}

// What one link contributes to its output.
function linkSum(p, k) {
  const [{p: position, t, m}] = linksOf(p.win, "k", k), pixel = m < 0 ? 0 : p.m.data[m];
  const name = address(say("output"), shortIndex("p", p.p.index(position)));
  return sumLine(say("in_it", {name}), [{factors: [pixel, p.t.data[t]]}], pixel * p.t.data[t]);
}

// The sum of the number that is picked; of a pixel or a weight, where it goes to.
function chosenSum(p, pick) {
  if (pick.role === "k") return linkSum(p, pick.offset);
  const index = shortIndex(pick.role, new Tensor(shapeOf(p.win, pick.role), []).index(pick.offset));
  const name = address(say(p.names[pick.role]), index);
  if (pick.role === "p") {
    const bias = p.bias ? p.bias[pick.offset % p.bias.length] : undefined;
    return sumLine(name, termsOf(p, p, "p", pick.offset), p.p.data[pick.offset], {bias});
  }
  const reached = touched(linksOf(p.win, pick.role, pick.offset)).p;
  return `<p class="sum"><b>${name}</b> ${say("reaches", {count: reached.size})}
    <output data-value="${reached.size}"></output></p>`;
}
