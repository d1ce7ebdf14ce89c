// 9. Normalisation: who shares a mean, training and inference, backward, and moving statistics.

PANELS.norm = {
  controls: ["kind", "training", "m", "b", "even"],
  roles: ["m"],
  draw(s) {
    const x = new Tensor([s.b, 2, 2, s.c]).map((_, i) => (i * 7 + 3) % 11 - 3), g = cotangent({}, x.shape);
    const drawn = range(s.c), offset = drawn, scale = drawn.map((c) => c + 1), epsilon = 0.001;
    const given = s.training || s.kind !== "batch" ? null : {mean: drawn, variance: drawn.map((c) => 4 + c)};
    const done = normalise(x, {kind: s.kind, scale, offset, epsilon, given}), back = normGradient(done, g);
    const i = picked(s).offset, c = i % s.c, key = done.keys[i];
    const [mean, variance] = [done.mean[key], done.variance[key]], at = address("", x.index(i));
    const near = new Set(given ? [i] : done.members[key]), most = largest(x, done.y, back.dx);
    const planes = (tensor, title) => imagePlanes(tensor, title, most, near, i);
    return `<p>${given ? say("given") : say("shares", {members: near.size, count: done.members.length})}. `
      + `${say("norm_numbers", {mean: num(mean), variance: num(variance)})}</p>`
      + `<p class="sum"><b>y${at}</b> = (${num(x.data[i])} − ${factor(mean)}) / √(${num(variance)} + ${epsilon})`
      + ` · ${scale[c]} + ${offset[c]} = <output data-value="${done.y.data[i]}">${num(done.y.data[i])}</output></p>`
      + sumLine(`dX${at}`, back.parts[i].map((value) => ({value})), back.dx.data[i])
      + `<p class="note">${say(given ? "norm_back_given" : "norm_back")}</p>`
      + planes(x, say("input")) + planes(done.y, say("output"))
      + planes(back.dx, `dX = ${say("gradient_in", {name: say("input")})}`)
      + scaleBar(most) + (s.kind === "batch" ? movingCurve(s.m, done.members[0].length) : "");
  },
};

// All channels of all images.
function imagePlanes(tensor, title, scale, near, picked) {
  const [N, , , C] = tensor.shape, look = {scale, bare: true, zoom: 0.9,
    lit: (cell) => near.has(cell.offset), chosen: (cell) => cell.offset === picked};
  const draw = (n, c) =>
    grid(plane("m", tensor, [n, 0, 0, c]), Object.assign({title: say("channel_note", {c})}, look));
  const images = range(N).map((n) => `<div><p class="note">${say("image_note", {n})}</p>
    <div class="tight">${range(C).map((c) => draw(n, c)).join("")}</div></div>`);
  return `<section class="way"><h3>${title}</h3>${row(...images)}</section>`;
}

// The moving mean over 50 steps from 0, while each batch has mean 1, by both conventions.
function movingCurve(momentum, count) {
  const steps = 50, [width, height, left] = [420, 160, 34];
  const x = (i) => (left + i * (width - left - 8) / steps).toFixed(1);
  const y = (v) => (8 + (1 - v) * (height - 30)).toFixed(1);
  const points = (m) => moving(0, 1, m, steps).map((v, i) => `${x(i)},${y(v)}`).join(" ");
  const line = (m, look) => `<polyline class="${look}" points="${points(m)}"/>`;
  const words = {m: num(momentum), rest: num(Number((1 - momentum).toFixed(4)))};
  return `<section class="way"><h3>${say("moving")}</h3><figure class="grid">
    <svg viewBox="0 0 ${width} ${height}" width="${width}" role="img" aria-label="${say("moving")}">
    <path class="axis" d="M${left} 8V${y(0)}H${width - 8}"/>
    ${tick(left - 6, 12, "1", "end")}${tick(left - 6, Number(y(0)) + 4, "0", "end")}
    ${tick(left, height - 6, "0", "middle")}${tick(width - 8, height - 6, say("steps", {steps}), "end")}
    ${line(momentum, "curve")}${line(1 - momentum, "curve other")}</svg></figure>
    <p><span class="key curve"></span> ${say("keras_momentum", words)}<br>
    <span class="key other"></span> ${say("torch_momentum", words)}</p>
    <p class="note">${say("biased", {n: count, less: count - 1})}</p></section>`;
}
