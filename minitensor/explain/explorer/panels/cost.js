// 10. What each algorithm costs.

PANELS.cost = {
  controls: ["layer", "b", "n_large", "c_large", "o_large", "k", "s", "d", "p"],
  draw(s) {
    const win = windowOf(Object.assign(given(s), {groups: 1}));
    if (Math.min(...win.out) < 1) return `<p class="error">${misfit(win)}</p>`;
    const rows = costs(win), inputs = product(win.size) * win.channels, outputs = product(win.out) * win.filters;
    const filled = countedLinks(win), whole = inputs * outputs, memory = (count) => bytes(4 * win.batch * count);
    const sizes = {input: memory(inputs), output: memory(outputs), weights: grouped(product(shapeOf(win, "t")))};
    const share = {filled: grouped(filled), whole: grouped(whole), percent: percent(filled, whole)};
    const names = ["direct", "im2col", "matrix", "winograd"];
    return costTable(rows)
      + `<p>${say("cost_sizes", sizes)}<output data-value="${rows.map((r) => `${r.macs}:${r.bytes}`)}"></output></p>`
      + `<p>${say("matrix_cost", share)}</p>`
      + `<ul>${names.map((name) => `<li><b>${name}</b>: ${say(`cost_${name}`)}</li>`).join("")}</ul>`
      + lawLines(win, false);
  },
};

function costTable(rows) {
  const most = Math.max(...rows.map((r) => r.bytes), 1), head = ["algorithm", "macs", "extra_bytes"];
  const line = (r) => `<tr><th>${r.name}</th><td>${grouped(r.macs)}</td><td>${bytes(r.bytes)}</td>
    <td class="meter"><i style="width:${100 * r.bytes / most}%"></i></td></tr>`;
  const titles = head.map((word) => `<th>${say(word)}</th>`).join("");
  return `<div class="scroll"><table><thead><tr>${titles}<th></th></tr></thead>
    <tbody>${rows.map(line).join("")}</tbody></table></div>`;
}

// How many numbers of W' are no zeros: pairs of a position and a real pixel, axis by axis.
function countedLinks(win) {
  const along = (axis) => indices([win.out[axis], win.kernel[axis]]).filter(([i, a]) => {
    const pixel = i * win.stride[axis] + a * win.dilation[axis] - win.pad[axis][0];
    return pixel >= 0 && pixel < win.size[axis];
  }).length;
  return along(0) * along(1) * win.channels / win.groups * win.filters;
}

const grouped = (value) => String(value).replace(/\B(?=(\d{3})+$)/g, " ");
const bytes = (value) => {
  const power = Math.min(Math.floor(Math.log2(Math.max(value, 1)) / 10), 4);
  return `${num(value / Math.pow(1024, power))} ${["B", "KiB", "MiB", "GiB", "TiB"][power]}`;
};
