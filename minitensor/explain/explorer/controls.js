// Sliders, switches and boxes beside a panel: each changes fields of the state.

const SLIDERS = { // field, smallest, largest, step
  n: ["n", 1, 12], k: ["k", 1, 5], s: ["s", 1, 4], d: ["d", 1, 3], e: ["e", 0, 3], b: ["b", 1, 4],
  c: ["c", 1, 8], o: ["o", 1, 8], m: ["m", 0, 1, 0.01],
  n_large: ["n", 1, 224], c_large: ["c", 1, 512], o_large: ["o", 1, 512],
};
const SELECTS = { // field, values; their words are `field_value`
  f: ["f", ["conv2d", "conv2d_transpose", "max_pool2d", "avg_pool2d"]],
  pool: ["f", ["max_pool2d", "avg_pool2d"]],
  cot: ["cot", ["ones", "drawn"]], kind: ["kind", ["batch", "layer", "instance", "group"]],
  training: ["training", [1, 0]], even: ["c", [2, 4]], lib: ["lib", LIBRARIES],
};
const UNTRANSLATED = ["f", "lib", "c"]; // names and numbers, the same in every language
const isBatchNorm = (s) => s.kind === "batch";
const MEANT = {e: (s) => s.f === "conv2d_transpose", m: isBatchNorm, training: isBatchNorm}; // else hidden
const PLAIN = ["SAME", "VALID"];

const divisors = (s) => range(Math.min(s.c, s.o)).map((i) => i + 1).filter((g) => s.c % g === 0 && s.o % g === 0);
const settleGroups = () => { state.g = divisors(state).filter((g) => g <= state.g).pop(); };
const option = (value, text) => `<option value="${value}">${text}</option>`;
const labelled = (word, html, look = "") => `<label ${look}><span>${say(word)}</span>${html}</label>`;
const select = (name, options) => `<select id="c-${name}" data-control="${name}">${options.join("")}</select>`;

function controlHtml(name) {
  if (name in SELECTS) return selectHtml(name);
  if (name === "p") return paddingHtml();
  if (name === "own") return ownHtml();
  if (name === "layer") {
    return labelled("layer", select("layer", [option("", "—"), ...Object.keys(LAYERS).map((l) => option(l, l))]));
  }
  return sliderHtml(name);
}

function sliderHtml(name) {
  const [field, low, high, step = 1] = SLIDERS[name] || [name, 0, 1];
  const play = name === "scrub" ? `<button type="button" id="play" aria-label="${say("play")}">▶</button>` : "";
  return labelled(`field_${field}`, `<output id="show-${name}"></output><input type="range" id="c-${name}"
    data-control="${name}" min="${low}" max="${high}" step="${step}">`, 'class="slider"') + play;
}

function selectHtml(name) {
  const [field, values] = SELECTS[name];
  const word = (value) => (UNTRANSLATED.includes(field) ? value : say(`${field}_${value}`));
  return labelled(`field_${field}`, select(name, values.map((value) => option(value, word(value)))));
}

function paddingHtml() {
  const words = [...PLAIN.map((word) => option(word, word)), option("explicit", say("explicit_padding"))];
  const sides = ["top", "bottom", "left_side", "right"].map((side, i) =>
    labelled(side, `<input type="number" id="c-pad${i}" data-control="pad${i}" min="0" max="9">`));
  return `${labelled("padding", select("p", words))}<div id="pads">${sides.join("")}</div>`;
}

function ownHtml() {
  const fields = ["x", "w"].map((field) => labelled(`field_${field}`, `<input type="text" id="c-${field}"
    data-control="${field}" placeholder="1 2 3; 4 5 6" spellcheck="false">`));
  return `<details${state.x || state.w ? " open" : ""}><summary>${say("own")}</summary>${fields.join("")}
    <p class="note" id="own-note">${say("own_note")}</p></details>`;
}

// What moving a control changes.
function patchOf(name, value) {
  if (name === "g") return {g: divisors(state)[Number(value)]};
  if (name === "scrub") {
    const p = problem(state), w = p.win.out[1];
    return {of: p.names.p, at: [Math.floor(value / w), value % w]};
  }
  if (name === "layer") return LAYERS[value] || {};
  if (name === "p") return {p: PLAIN.includes(value) ? value : windowFor(state).pad};
  if (/^pad\d/.test(name)) {
    const numbers = [].concat(...state.p);
    numbers[Number(name[3])] = Math.max(0, Math.min(9, Math.floor(Number(value)) || 0));
    return {p: [numbers.slice(0, 2), numbers.slice(2)]};
  }
  const field = (SLIDERS[name] || SELECTS[name] || [name])[0];
  if (PAIRS.includes(field)) return {[field]: [Number(value), Number(value)]};
  return {[field]: typeof DEFAULTS[field] === "number" ? Number(value) : value};
}

// Applies a change, and what follows from it.
function update(patch) {
  const changed = (...names) => names.some((name) => name in patch);
  Object.assign(state, patch);
  if (changed("n", "c", "b")) state.x = patch.x || "";
  if (changed("k", "c", "o", "g")) state.w = patch.w || "";
  if (changed("n", "k", "s", "d", "p", "c", "o", "op", "f") && !changed("at")) state.at = [];
  ownNumbers();
  settleGroups();
  const example = PRESETS[state.preset];
  if (example && changed("n", "k", "c", "o", "g", "b", "f") && !fitsExample(example)) state.preset = "";
  refresh();
}

function fitsExample(example) {
  const p = problem(state), x = p.back ? p.p : p.m;
  const isSame = (array, tensor) => !array || (tensor && String(array.shape) === String(tensor.shape));
  return !p.error && isSame(example.x, x) && isSame(example.w, p.t);
}

// Shows the state in the controls.
function syncControls() {
  for (const input of document.querySelectorAll("[data-control]")) {
    const name = input.dataset.control, pads = typeof state.p === "string" ? [] : [].concat(...state.p);
    if (input === document.activeElement && input.type === "text") continue;
    if (name === "p") input.value = typeof state.p === "string" ? state.p : "explicit";
    else if (/^pad\d/.test(name)) input.value = pads[Number(name[3])];
    else if (name === "layer") input.value = Object.keys(LAYERS).find((layer) => isLayer(LAYERS[layer])) || "";
    else showSlider(name, input);
  }
  const sides = document.getElementById("pads");
  if (sides) sides.hidden = typeof state.p === "string";
}

const isLayer = (layer) => Object.keys(layer).every((field) =>
  fieldText(field, layer[field]) === fieldText(field, state[field]));

function showSlider(name, input) {
  const [field] = SLIDERS[name] || SELECTS[name] || [name];
  let [value, text] = [state[field], fieldText(field in DEFAULTS ? field : "g", state[field])];
  if (PAIRS.includes(field)) value = value[0];
  if (name === "e") input.max = Math.max(...state.s) - 1;
  if (name in MEANT) input.parentElement.hidden = !MEANT[name](state);
  if (name === "g") [input.max, value] = [divisors(state).length - 1, divisors(state).indexOf(state.g)];
  if (name === "scrub") [input.max, value, text] = scrubbed();
  input.value = value;
  const shown = document.getElementById(`show-${name}`);
  if (shown) shown.textContent = text;
}

function scrubbed() {
  const [h, w] = problem(state).win.out, [i, j] = state.at.length === 2 ? state.at : [0, 0];
  const at = Math.min(i * w + j, Math.max(h * w - 1, 0));
  return [Math.max(h * w - 1, 0), at, `${Math.floor(at / Math.max(w, 1))},${at % Math.max(w, 1)}`];
}
