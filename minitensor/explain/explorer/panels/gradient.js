// 5. The gradients: what comes back to a pixel, or to a weight, and from which outputs.

PANELS.gradient = {
  controls: ["cot", "n", "k", "s", "d", "p", "own"],
  roles: ["m", "t"],
  draw(s, p) {
    const pick = picked(s, {m: shapeOf(p.win, "m"), t: shapeOf(p.win, "t")}, p.names, "m");
    const g = cotangent(s, p.p.shape), back = p.gradients(g), scale = largest(p.m, p.t, back.m, back.t);
    const near = touched(linksOf(p.win, pick.role, pick.offset)), at = planesAt(p, pick);
    const draw = (role, tensor, title, pads, lit = true) => grid(plane(role, tensor, at[role], pads), {
      title, note: planeNote(p, role, at[role]), scale, lit: (cell) => lit && near[role].has(cell.offset),
      chosen: (cell) => role === pick.role && cell.offset === pick.offset});
    const arrays = {p: g, t: p.t, m: p.m}, names = {p: "g", t: p.names.t, m: p.names.m};
    const name = address(pick.role === "m" ? "dX" : "dW", shortIndex(pick.role, p[pick.role].index(pick.offset)));
    const terms = termsOf(Object.assign({}, p, {names}), arrays, pick.role, pick.offset);
    return row(draw("m", p.m, say("input"), p.win.pad), draw("t", p.t, say("kernel")), draw("p", g, say("cotangent")))
      + sumLine(name, terms, back[pick.role].data[pick.offset])
      + `<p class="note">${say(pick.role === "m" ? "dx_rule" : "dw_rule")}</p>`
      + row(draw("m", back.m, `dX = ${say("gradient_in", {name: say("input")})}`, undefined, false),
        draw("t", back.t, `dW = ${say("gradient_in", {name: say("kernel")})}`, undefined, false))
      + scaleBar(scale);
  },
};
