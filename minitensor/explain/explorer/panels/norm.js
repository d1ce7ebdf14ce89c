// 9. Normalisation: who shares a mean, training and inference, backward, and moving statistics.

PANELS.norm = {
  controls: ["kind", "training", "m", "b", "even"],
  roles: ["m"],
  names: {m: "input"},
  draw(s) {
    const x = new Tensor([s.b, 2, 2, s.c]).map((_, i) => (i * 7 + 3) % 11 - 3), C = s.c;
    const drawn = range(C), offset = drawn.map((c) => c), scale = drawn.map((c) => c + 1);
    const given = s.training || s.kind !== "batch" ? null : {mean: drawn.map((c) => c), variance: drawn.map((c) => 4 + c)};
    const done = normalise(x, {kind: s.kind, scale, offset, epsilon: 0.001, given});
    const g = x.map((_, i) => (i * 3 + 1) % 5 - 1), back = normGradient(done, g);
    const pick = picked(s, {m: x.shape}, this.names, "m"), i = pick.offset, key = done.keys[i], c = i % C;
    const sharing = new Set(given ? [i] : done.members[key]), most = largest(x, done.y, back.dx);
    const planes = (tensor, title) => `<section class="way"><h3>${title}</h3>${range(s.b).map((n) => `<p class="note">${say("image_note", {n})}</p><div class="tight">${range(C).map((channel) =>
      grid(plane("m", tensor, [n, 0, 0, channel]), {title: say("channel_note", {c: channel}), scale: most, bare: true, zoom: 0.9,
        lit: (cell) => sharing.has(cell.offset), chosen: (cell) => cell.offset === i})).join("")}</div>`).join("")}</section>`;
    const at = address("", x.index(i));
    return `<p>${given ? say("given") : say("shares", {members: sharing.size, count: done.members.length})}. `
      + `${say("norm_numbers", {mean: num(done.mean[key]), variance: num(done.variance[key])})}</p>`
      + `<p class="sum"><b>y${at}</b> = (${num(x.data[i])} − ${factor(done.mean[key])}) / √(${num(done.variance[key])} + 0.001) · ${num(scale[c])} + ${num(offset[c])}
        = <output data-value="${done.y.data[i]}">${num(done.y.data[i])}</output></p>`
      + sumLine(`dX${at}`, back.parts[i].map((value) => ({value})), back.dx.data[i])
      + `<p class="note">${say(given ? "norm_back_given" : "norm_back")}</p>`
      + `<div class="products">${planes(x, say("input"))}${planes(done.y, say("output"))}${planes(back.dx, `dX = ${say("gradient_in", {name: say("input")})}`)}</div>`
      + scaleBar(most) + (s.kind === "batch" ? movingCurve(s, done) : "");
  },
};

// The moving mean over 50 steps from 0, while each batch has mean 1, by both conventions.
function movingCurve(s, done) {
  const steps = 50, [width, height, left] = [420, 160, 34];
  const x = (i) => left + i * (width - left - 8) / steps, y = (v) => 8 + (1 - v) * (height - 30);
  const line = (m, look) => `<polyline class="${look}" points="${moving(0, 1, m, steps).map((v, i) => `${x(i).toFixed(1)},${y(v).toFixed(1)}`).join(" ")}"/>`;
  const tick = (at, up, text, anchor) => `<text class="tick" x="${at}" y="${up}" text-anchor="${anchor}">${text}</text>`;
  const n = done.members[0].length;
  return `<section class="way"><h3>${say("moving")}</h3><figure class="grid"><svg viewBox="0 0 ${width} ${height}" width="${width}" role="img" aria-label="${say("moving")}">
    <path class="axis" d="M${left} 8V${y(0)}H${width - 8}"/>${tick(left - 6, y(1) + 4, "1", "end")}${tick(left - 6, y(0) + 4, "0", "end")}${tick(left, height - 6, "0", "middle")}${tick(width - 8, height - 6, say("steps", {steps}), "end")}
    ${line(s.m, "curve")}${line(1 - s.m, "curve other")}</svg></figure>
    <p><span class="key curve"></span> ${say("keras_momentum", {m: num(s.m), rest: num(Number((1 - s.m).toFixed(4)))})}<br><span class="key other"></span> ${say("torch_momentum", {m: num(s.m), rest: num(Number((1 - s.m).toFixed(4)))})}</p>
    <p class="note">${say("biased", {n, less: n - 1})}</p></section>`;
}
