// 8. Pooling: the maximum or the mean of a window, and the way of its gradient back.

PANELS.pool = {
  controls: ["pool", "scrub", "n", "k", "s", "p", "cot", "own"],
  roles: ["p", "m"],
  draw(s, p) {
    const isMax = s.f === "max_pool2d", members = membersOf(p.win), pick = picked(s);
    const g = cotangent(s, p.p.shape), dx = p.gradients(g).m, scale = largest(p.m, p.p, dx);
    const weights = members.map((of) => shares(p.m, of, s.f.slice(0, 3)));
    const near = pick.role === "p" ? {p: [pick.offset], m: members[pick.offset]}
      : {m: [pick.offset], p: range(members.length).filter((q) => shareOf(members[q], weights[q], pick.offset))};
    const sets = {p: new Set(near.p), m: new Set(near.m)}, paint = painter(p, pick, scale, sets);
    const winner = pick.role === "p" && isMax ? members[pick.offset][weights[pick.offset].indexOf(1)] : -1;
    const look = {chosen: (cell) => cell.offset === (pick.role === "m" ? pick.offset : winner)};
    const line = pick.role === "p" ? pooledLine(p, pick.offset, members[pick.offset], isMax)
      : sumLine(address("dX", shortIndex("m", p.m.index(pick.offset))),
        near.p.map((q) => ({value: g.data[q] * shareOf(members[q], weights[q], pick.offset)})), dx.data[pick.offset]);
    const title = `dX = ${say("gradient_in", {name: say("input")})}`;
    return row(paint("m", say("input"), {pads: p.win.pad, look}), sign("→"), paint("p", say("output"))) + line
      + row(paint("m", title, {tensor: dx, look}), sign("←"), paint("p", say("cotangent"), {tensor: g}))
      + `<p class="note">${say(isMax ? "max_rule" : "avg_rule")}</p>` + scaleBar(scale) + lawLines(p.win, false);
  },
};

// The share of a pixel in the window of these members; 0 if it is none of them.
const shareOf = (members, weights, m) => (members.includes(m) ? weights[members.indexOf(m)] : 0);

// output[0,0] = max(1, 2, ...) = 2, and who wins a tie.
function pooledLine(p, offset, members, isMax) {
  const values = members.map((m) => p.m.data[m]), count = values.filter((v) => v === Math.max(...values)).length;
  const name = address(say("output"), shortIndex("p", p.p.index(offset))), value = p.p.data[offset];
  const from = `${isMax ? "max" : say("mean_of", {count: values.length})}(${values.map((v) => num(v)).join(", ")})`;
  return `<p class="sum"><b>${name}</b> = ${from} = <output data-value="${value}">${num(value)}</output></p>`
    + (isMax && count > 1 ? `<p class="note">${say("ties", {count})}</p>` : "");
}
