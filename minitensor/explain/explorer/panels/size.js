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
  const [before, after] = win.pad[axis], size = win.size[axis], unit = 30, step = 34, label = 78;
  const cells = before + size + after, x = (pixel) => label + (pixel + before) * unit;
  const box = (pixel, y, look) => `<rect x="${x(pixel)}" y="${y}" width="${unit}" height="${unit}" ${look}/>`;
  const text = (at, y, words, look = "") => `<text x="${at}" y="${y + unit / 2}" ${look}>${words}</text>`;
  const named = (y, words) => text(label - 8, y, words, 'class="name"');
  const pixels = range(cells).map((i) => i - before).map((pixel) => {
    const isPad = pixel < 0 || pixel >= size, number = text(x(pixel) + unit / 2, 0, num(pixel));
    return (isPad ? box(pixel, 0, 'class="pad"') + box(pixel, 0, 'fill="url(#hatch)"')
      : box(pixel, 0, 'class="pixel"')) + number;
  });
  const windows = range(win.out[axis]).map((i) => {
    const y = (i + 1) * step + 4, first = i * win.stride[axis] - before, middle = y + unit / 2;
    const taps = range(win.kernel[axis]).map((a) => box(first + a * win.dilation[axis], y + 3, 'class="tap"'));
    return `<line class="span" x1="${x(first)}" x2="${x(first + win.span[axis])}" y1="${middle}" y2="${middle}"/>`
      + taps.join("") + named(y, `${say(back ? "input" : "output")} ${i}`);
  });
  const name = say(["height", "width"][axis]), width = label + cells * unit + 4;
  const drawn = named(0, say(back ? "output" : "input")) + pixels.join("") + windows.join("");
  return `<figure class="grid wide">
    <figcaption><b>${name}</b> <span>${say("strip", {before, after})}</span></figcaption>
    <div class="scroll"><svg viewBox="0 0 ${width} ${(win.out[axis] + 1) * step + 8}" width="${width}" role="img"
    aria-label="${name}">${drawn}</svg></div></figure>`;
}
