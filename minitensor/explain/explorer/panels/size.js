// 1. The law of sizes, and padding that may be lopsided, along one axis at a time.

const PANELS = {};

PANELS.size = {
  controls: ["f", "n", "k", "s", "d", "p", "e"],
  draw(s, p) {
    return lawLines(p.win, p.back) + `<div class="row">${strip(p, 0)}${strip(p, 1)}</div>`
      + `<p>${say(p.back ? "size_result_back" : "size_result", {input: size(p.back ? p.win.out : p.win.size),
        output: size(p.back ? p.win.size : p.win.out)})}
        <output data-value="${(p.back ? p.win.size : p.win.out).join()}"></output></p>`;
  },
};

// The pixels of an axis, and below them the taps of each position.
function strip({win, back}, axis) {
  const [before, after] = win.pad[axis], size = win.size[axis], unit = 30, label = 78;
  const cells = before + size + after, x = (pixel) => label + (pixel + before) * unit;
  const box = (pixel, y, extra) => `<rect x="${x(pixel)}" y="${y}" width="${unit}" height="${unit}" ${extra}/>`;
  const text = (at, y, words, extra = "") => `<text x="${at}" y="${y + unit / 2}" ${extra}>${words}</text>`;
  const pixels = range(cells).map((i) => i - before).map((pixel) => {
    const pad = pixel < 0 || pixel >= size;
    return box(pixel, 0, `class="${pad ? "pad" : "pixel"}"`) + (pad ? box(pixel, 0, 'fill="url(#hatch)"') : "")
      + text(x(pixel) + unit / 2, 0, num(pixel));
  });
  const windows = range(win.out[axis]).map((i) => {
    const y = (i + 1) * (unit + 4) + 4, first = i * win.stride[axis] - before;
    const taps = range(win.kernel[axis]).map((a) => first + a * win.dilation[axis]);
    return `<line class="span" x1="${x(first)}" x2="${x(first + win.span[axis])}" y1="${y + unit / 2}" y2="${y + unit / 2}"/>`
      + taps.map((pixel) => box(pixel, y + 3, 'class="tap"')).join("")
      + text(label - 8, y, `${say(back ? "input" : "output")} ${i}`, 'class="name"');
  });
  const height = (win.out[axis] + 1) * (unit + 4) + 8;
  const name = say(["height", "width"][axis]);
  return `<figure class="grid wide"><figcaption><b>${name}</b> <span>${say("strip", {before, after})}</span></figcaption>`
    + `<div class="scroll"><svg viewBox="0 0 ${label + cells * unit + 4} ${height}" width="${label + cells * unit + 4}" role="img" aria-label="${name}">`
    + `${text(label - 8, 0, say(back ? "output" : "input"), 'class="name"')}${pixels.join("")}${windows.join("")}</svg></div></figure>`;
}
