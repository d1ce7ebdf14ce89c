// 10. What each algorithm costs.

PANELS.cost = {
  controls: ["layer", "b", "n_large", "c_large", "o_large", "k", "s", "p"],
  draw(s) {
    const win = windowOf(Object.assign(given(s), {groups: 1}));
    if (Math.min(...win.out) < 1) return `<p class="error">${misfit(win)}</p>`;
    const rows = costs(win), most = Math.max(...rows.map((r) => r.bytes));
    const image = product(win.size) * win.channels, result = product(win.out) * win.filters;
    const line = (r) => `<tr><th>${r.name}</th><td>${grouped(r.macs)}</td><td>${bytes(r.bytes)}</td><td class="meter"><i style="width:${100 * r.bytes / (most || 1)}%"></i></td></tr>`;
    const links = countedLinks(win);
    return `<div class="scroll"><table><thead><tr><th>${say("algorithm")}</th><th>${say("macs")}</th><th>${say("extra_bytes")}</th><th></th></tr></thead>
      <tbody>${rows.map(line).join("")}</tbody></table></div>
      <p>${say("cost_sizes", {input: bytes(4 * win.batch * image), output: bytes(4 * win.batch * result), weights: grouped(product(shapeOf(win, "t")))})}
      <output data-value="${rows.map((r) => `${r.macs}:${r.bytes}`).join()}"></output></p>
      <p>${say("matrix_cost", {filled: grouped(links), whole: grouped(image * result), percent: num(Number((100 * links / (image * result)).toPrecision(2)))})}</p>
      <ul>${["direct", "im2col", "matrix", "winograd"].map((name) => `<li><b>${name}</b>: ${say(`cost_${name}`)}</li>`).join("")}</ul>`
      + lawLines(win, false);
  },
};

// How many numbers of W' are no zeros: pairs of a position and a real pixel, axis by axis.
function countedLinks(win) {
  const along = (axis) => total(range(win.out[axis]).map((i) => range(win.kernel[axis]).filter((a) => {
    const pixel = i * win.stride[axis] + a * win.dilation[axis] - win.pad[axis][0];
    return pixel >= 0 && pixel < win.size[axis];
  }).length));
  return along(0) * along(1) * win.channels / win.groups * win.filters;
}

const grouped = (value) => String(value).replace(/\B(?=(\d{3})+$)/g, " ");
const bytes = (value) => {
  const power = Math.min(Math.floor(Math.log2(Math.max(value, 1)) / 10), 4);
  return `${num(value / Math.pow(1024, power))} ${["B", "KiB", "MiB", "GiB", "TiB"][power]}`;
};
