// 5. The gradients: what comes back to a pixel, or to a weight, and from which outputs.

PANELS.gradient = {
  controls: ["cot", "n", "k", "s", "d", "p", "own"],
  roles: ["m", "t"],
  draw(s, p) {
    const pick = picked(s), g = cotangent(s, p.p.shape), back = p.gradients(g);
    const scale = largest(p.m, p.t, back.m, back.t);
    const paint = painter(p, pick, scale), only = {lit: () => false};
    const titleOf = (name, word) => `${name} = ${say("gradient_in", {name: say(word)})}`;
    const index = shortIndex(pick.role, p[pick.role].index(pick.offset));
    const name = address(pick.role === "m" ? "dX" : "dW", index);
    const named = Object.assign({}, p, {names: {p: "g", t: p.names.t, m: p.names.m}});
    const terms = termsOf(named, {p: g, t: p.t, m: p.m}, pick.role, pick.offset);
    return row(paint("m", say("input"), {pads: p.win.pad}), paint("t", say("kernel")),
      paint("p", say("cotangent"), {tensor: g}))
      + sumLine(name, terms, back[pick.role].data[pick.offset])
      + `<p class="note">${say(pick.role === "m" ? "dx_rule" : "dw_rule")}</p>`
      + row(paint("m", titleOf("dX", "input"), {tensor: back.m, look: only}),
        paint("t", titleOf("dW", "kernel"), {tensor: back.t, look: only}))
      + scaleBar(scale);
  },
};
