// What the page shows. It stands after # in the address, so that every view is a link.

const DEFAULTS = {
  op: "window", // the panel
  f: "conv2d", // the op whose code, cost and sizes are shown
  preset: "",
  n: [5, 5], k: [3, 3], s: [1, 1], d: [1, 1], p: "VALID", e: [0, 0], // e: pixels of output padding
  b: 1, c: 1, o: 1, g: 1, // batch, channels, filters, groups
  x: "", w: "", // numbers of one's own
  of: "", at: [], // which array's number is picked, and where
  cot: "ones", kind: "batch", training: 1, m: 0.9, lib: "numpy",
  lang: "", theme: "",
};
const FIRST = "#preset=A001-6";
const PAIRS = ["n", "k", "s", "d", "e"];

let state = Object.assign({}, DEFAULTS);
let hover = null; // what the mouse is over; not part of the link

const pairText = ([a, b]) => (a === b ? `${a}` : `${a}x${b}`);

function fieldText(name, value) {
  if (PAIRS.includes(name)) return pairText(value);
  if (name === "p" && typeof value !== "string") return value.map((pair) => pair.join(".")).join(".");
  return String(value);
}

// What a link says of a field; undefined if that makes no sense.
function fieldOf(name, text) {
  if (PAIRS.includes(name)) {
    const pair = text.split("x").map(Number), legal = (n) => Number.isInteger(n) && n >= (name === "e" ? 0 : 1);
    return pair.every(legal) ? [pair[0], pair[pair.length - 1]] : undefined;
  }
  if (name === "p") return paddingOf(text);
  if (name === "at") return text ? text.split(",").map(Number) : [];
  if (typeof DEFAULTS[name] !== "number") return text;
  return Number(text) >= (["b", "c", "o", "g"].includes(name) ? 1 : 0) ? Number(text) : undefined;
}

function paddingOf(text) {
  if (/^(same|valid)$/i.test(text)) return text.toUpperCase();
  const [top, bottom = top, left = top, right = bottom] = text.split(".").map(Number);
  if (![top, bottom, left, right].every((n) => Number.isInteger(n) && n >= 0)) return undefined;
  return [[top, bottom], [left, right]];
}

// What a course text's example settles.
function presetFields(name) {
  const example = PRESETS[name];
  if (!example) return {};
  const [x, w] = [example.x.shape, example.w ? example.w.shape : null];
  const isTransposed = example.op === "conv2d_transpose";
  const fields = {
    preset: name, f: example.op.replace("separable_", ""),
    b: x[0], n: [x[1], x[2]], c: x[3], k: w ? [w[0], w[1]] : example.ksize,
    s: example.strides, d: example.dilations, p: example.padding,
  };
  if (!w) return Object.assign(fields, {op: "pool"});
  fields.o = isTransposed ? x[3] : w[3];
  fields.c = isTransposed ? w[2] : x[3];
  fields.g = fields.c / w[2];
  fields.op = isTransposed ? "transposed" : fields.c * fields.o > 1 ? "channels" : "window";
  if (isTransposed) {
    const win = transposedWindow(Object.assign({}, DEFAULTS, fields));
    fields.e = [0, 1].map((axis) => example.output[axis + 1] - win.size[axis]);
  }
  return fields;
}

const base = (preset) => Object.assign({}, DEFAULTS, presetFields(preset));

function readHash(hash) {
  const given = new URLSearchParams((hash.length > 1 ? hash : FIRST).slice(1));
  state = Object.assign(base(given.get("preset") || ""), {lang: state.lang, theme: state.theme});
  given.forEach((text, name) => {
    const value = name in DEFAULTS ? fieldOf(name, text) : undefined;
    if (value !== undefined) state[name] = value;
  });
  if (!PRESETS[state.preset]) state.preset = "";
  if (!PANELS[state.op]) state.op = "window";
  ownNumbers();
}

function writeHash() {
  const from = base(state.preset), parts = state.preset ? [`preset=${state.preset}`] : [];
  for (const name of Object.keys(DEFAULTS)) {
    const text = fieldText(name, state[name]);
    const differs = text !== fieldText(name, from[name]);
    if (name !== "preset" && (differs || (name === "op" && !parts.length))) {
      parts.push(`${name}=${encodeURIComponent(text).replace(/%2C/g, ",")}`);
    }
  }
  history.replaceState(null, "", `#${parts.join("&")}`);
}

// "1 2;3 4" as rows of numbers; null if it is none.
function parsed(text) {
  const rows = text.trim().split(";").map((row) => row.trim().split(/[\s,]+/).map(Number));
  const good = text.trim() && rows.every((row) => row.length === rows[0].length && !row.some(isNaN));
  return good ? rows : null;
}

// Numbers of one's own are one image, one channel; their sizes are the problem's.
function ownNumbers() {
  for (const [name, size] of [["x", "n"], ["w", "k"]]) {
    const rows = parsed(state[name]);
    if (rows) Object.assign(state, {[size]: [rows.length, rows[0].length], b: 1, c: 1, o: 1, g: 1});
  }
}
