// 3. Channels and groups: one slider from a standard to a depthwise convolution.

PANELS.channels = {
  controls: ["c", "o", "g", "n", "k", "s", "p"],
  roles: ["p"],
  draw(s, p) {
    const {win} = p, shape = shapeOf(win, "p"), pick = picked(s, {p: shape}, p.names, "p");
    const [n, , , o] = p.p.index(pick.offset), each = win.channels / win.groups, group = Math.floor(o / (win.filters / win.groups));
    const scale = largest(p.m, p.t, p.p), near = touched(linksOf(win, "p", pick.offset));
    const window = windowCells(win, pick.offset), most = 8;
    const draw = (role, index, title, isRead) => grid(plane(role, p[role], index, role === "m" ? win.pad : undefined), {
      title, scale, bare: true, zoom: 0.8, lit: (cell, i, j) => near[role].has(cell.offset) || (isRead && cell.pad && window.has(String([i, j]))),
      chosen: (cell) => role === "p" && cell.offset === pick.offset,
    });
    const few = (count, f, columns = 2) => `<div class="columns-${columns}">${range(Math.min(count, most)).map(f).join("")}</div>`
      + (count > most ? `<p class="note">${say("more_planes", {count: count - most})}</p>` : "");
    const weights = product(win.kernel) * each * win.filters;
    const groups = win.groups > 1 ? `${say("groups", {groups: win.groups, channels: win.channels, each})}. ` : "";
    return `<p>${groups}${say("channel_cost", {
      formula: `${size(win.kernel)}×${each}×${win.filters}`, weights, macs: weights * product(win.out)})}
      <b>${say(win.groups === 1 ? "standard" : each === 1 ? "depthwise" : "grouped")}</b></p>`
      + `<div class="channels"><div><h3>${say("input")}</h3>${few(win.channels, (c) =>
        draw("m", [n, 0, 0, c], say("channel_note", {c}), Math.floor(c / each) === group))}</div>`
      + wiring(win, o)
      + `<div><h3>${say("kernel_of", {o})}</h3>${few(each, (c) => draw("t", [0, 0, c, o], say("for_channel", {c: group * each + c})), 1)}</div>`
      + `<div><h3>${say("output")}</h3>${few(win.filters, (f) => draw("p", [n, 0, 0, f], say("channel_note", {c: f})))}</div></div>`
      + chosenSum(p, pick) + pointwise(s, weights) + scaleBar(scale) + lawLines(win, false);
  },
};

// Of a separable convolution, what follows the depthwise one.
function pointwise(s, weights) {
  const {v} = PRESETS[s.preset] || {};
  if (!v) return "";
  const more = product(v.shape);
  return `<p>${say("pointwise", {shape: size(v.shape), more, weights, both: weights + more, standard: weights * v.shape[3]})}</p>`;
}

// Which input channels reach which output channels; those of the picked one bold.
function wiring(win, picked) {
  const rows = Math.max(win.channels, win.filters), gap = Math.min(34, 400 / rows);
  const y = (i, count) => 20 + (i + (rows - count) / 2) * gap, [each, made] = [win.channels, win.filters].map((n) => n / win.groups);
  const lines = range(win.filters).map((o) => range(each).map((c) => {
    const from = Math.floor(o / made) * each + c;
    return `<line class="${o === picked ? "wire chosen-wire" : "wire"}" x1="26" y1="${y(from, win.channels)}" x2="134" y2="${y(o, win.filters)}"/>`;
  }).join(""));
  const dots = (count, x, at) => range(count).map((i) => `<circle cx="${x}" cy="${y(i, count)}" r="6"/>`
    + (gap > 10 ? `<text x="${at}" y="${y(i, count)}">${i}</text>` : "")).join("");
  return `<figure class="grid"><figcaption><b>${say("wiring")}</b></figcaption><svg viewBox="0 0 160 ${40 + (rows - 1) * gap}" width="160"
    role="img" aria-label="${say("wiring")}">${lines.join("")}${dots(win.channels, 26, 9)}${dots(win.filters, 134, 151)}</svg></figure>`;
}
