// 8. Pooling: the maximum or the mean of a window, and the way of its gradient back.

PANELS.pool = {
  controls: ["pool", "scrub", "n", "k", "s", "p", "cot", "own"],
  roles: ["p", "m"],
  draw(s, p) {
    const kind = s.f.slice(0, 3), pick = picked(s, {p: shapeOf(p.win, "p"), m: shapeOf(p.win, "m")}, p.names, "p");
    const members = membersOf(p.win), g = cotangent(s, p.p.shape), back = p.gradients(g).m, scale = largest(p.m, p.p, back);
    const weights = (q) => shares(p.m, members[q], kind);
    const feeding = (m) => range(members.length).filter((q) => members[q].some((x, k) => x === m && weights(q)[k]));
    const near = pick.role === "p" ? {p: new Set([pick.offset]), m: new Set(members[pick.offset])}
      : {m: new Set([pick.offset]), p: new Set(feeding(pick.offset))};
    const winners = pick.role === "p" ? new Set(members[pick.offset].filter((_, k) => weights(pick.offset)[k])) : new Set();
    const window = pick.role === "p" ? windowCells(p.win, pick.offset) : new Set(), at = planesAt(p, pick);
    const draw = (role, tensor, title, pads) => grid(plane(role, tensor, at[role], pads), {
      title, note: planeNote(p, role, at[role]), scale,
      lit: (cell, i, j) => near[role].has(cell.offset) || (cell.pad && window.has(String([i, j]))),
      chosen: (cell) => (role === pick.role ? cell.offset === pick.offset : kind === "max" && winners.has(cell.offset))});
    const index = shortIndex(pick.role, p[pick.role].index(pick.offset));
    const values = pick.role === "p" ? members[pick.offset].map((m) => p.m.data[m]) : [];
    const top = Math.max(...values), tied = values.filter((v) => v === top).length;
    const line = pick.role === "m"
      ? sumLine(address("dX", index), feeding(pick.offset).map((q) => ({value: g.data[q] * weights(q)[members[q].indexOf(pick.offset)]})), back.data[pick.offset])
      : `<p class="sum"><b>${address(say("output"), index)}</b> = ${kind === "max" ? "max" : say("mean_of", {count: values.length})}(${values.map(num).join(", ")})
        = <output data-value="${p.p.data[pick.offset]}">${num(p.p.data[pick.offset])}</output></p>`;
    return row(draw("m", p.m, say("input"), p.win.pad), sign("→"), draw("p", p.p, say("output")))
      + line + (kind === "max" && tied > 1 ? `<p class="note">${say("ties", {count: tied})}</p>` : "")
      + row(draw("m", back, `dX = ${say("gradient_in", {name: say("input")})}`), sign("←"), draw("p", g, say("cotangent")))
      + `<p class="note">${say(kind === "max" ? "max_rule" : "avg_rule")}</p>` + scaleBar(scale) + lawLines(p.win, false);
  },
};
