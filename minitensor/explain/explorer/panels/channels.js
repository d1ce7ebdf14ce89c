// 3. Channels and groups: one slider from a standard to a depthwise convolution.

const MOST_PLANES = 8;

PANELS.channels = {
  controls: ["c", "o", "g", "n", "k", "s", "p"],
  roles: ["p"],
  draw(s, p) {
    const {win} = p, pick = picked(s), scale = largest(p.m, p.t, p.p);
    const [n, , , o] = p.p.index(pick.offset), near = touched(linksOf(win, "p", pick.offset));
    const each = win.channels / win.groups, group = Math.floor(o / (win.filters / win.groups));
    const window = windowCells(win, pick.offset), isRead = (c) => Math.floor(c / each) === group;
    const draw = (role, index, title) => grid(plane(role, p[role], index, role === "m" ? win.pad : undefined), {
      title, scale, bare: true, zoom: 0.75,
      lit: (cell, i, j) => near[role].has(cell.offset)
        || (role === "m" && cell.pad && isRead(index[3]) && window.has(String([i, j]))),
      chosen: (cell) => role === "p" && cell.offset === pick.offset,
    });
    return channelCost(win, each) + '<div class="channels">'
      + planeList(say("input"), win.channels, 2, (c) => draw("m", [n, 0, 0, c], say("channel_note", {c})))
      + wiring(win, o)
      + planeList(say("kernel_of", {o}), each, 1, (c) =>
        draw("t", [0, 0, c, o], say("for_channel", {c: group * each + c})))
      + planeList(say("output"), win.filters, 2, (c) => draw("p", [n, 0, 0, c], say("channel_note", {c})))
      + `</div>${chosenSum(p, pick)}${pointwise(s, product(shapeOf(win, "t")))}`
      + scaleBar(scale) + lawLines(win, false);
  },
};

function planeList(title, count, columns, draw) {
  const more = count > MOST_PLANES ? `<p class="note">${say("more_planes", {count: count - MOST_PLANES})}</p>` : "";
  const planes = range(Math.min(count, MOST_PLANES)).map(draw).join("");
  return `<div><h3>${title}</h3><div class="columns-${columns}">${planes}</div>${more}</div>`;
}

function channelCost(win, each) {
  const weights = product(shapeOf(win, "t")), formula = `${size(win.kernel)}×${each}×${win.filters}`;
  const groups = say("groups", {groups: win.groups, channels: win.channels, each});
  return `<p>${win.groups > 1 ? `${groups}. ` : ""}`
    + `${say("channel_cost", {formula, weights, macs: weights * product(win.out)})}
    <b>${say(win.groups === 1 ? "standard" : each === 1 ? "depthwise" : "grouped")}</b></p>`;
}

// Of a separable convolution, what follows the depthwise one.
function pointwise(s, weights) {
  const {v} = PRESETS[s.preset] || {};
  if (!v) return "";
  const more = product(v.shape), standard = weights * v.shape[3];
  return `<p>${say("pointwise", {shape: size(v.shape), more, weights, both: weights + more, standard})}</p>`;
}

// Which input channels reach which output channels; those of the picked one bold.
function wiring(win, picked) {
  const rows = Math.max(win.channels, win.filters), gap = Math.min(34, 400 / rows), height = 40 + (rows - 1) * gap;
  const [each, made] = [win.channels / win.groups, win.filters / win.groups];
  const y = (i, count) => 20 + (i + (rows - count) / 2) * gap;
  const lines = indices([win.filters, each]).map(([o, c]) => {
    const from = y(Math.floor(o / made) * each + c, win.channels), to = y(o, win.filters);
    return `<line class="wire${o === picked ? " chosen-wire" : ""}" x1="26" y1="${from}" x2="134" y2="${to}"/>`;
  });
  const dots = (count, x, at) => range(count).map((i) => `<circle cx="${x}" cy="${y(i, count)}" r="6"/>`
    + (gap > 10 ? `<text x="${at}" y="${y(i, count)}">${i}</text>` : "")).join("");
  return `<figure class="grid"><figcaption><b>${say("wiring")}</b></figcaption>
    <svg viewBox="0 0 160 ${height}" width="160" role="img" aria-label="${say("wiring")}">
    ${lines.join("")}${dots(win.channels, 26, 9)}${dots(win.filters, 134, 151)}</svg></figure>`;
}
