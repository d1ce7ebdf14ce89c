// The page: tabs, presets, language and light; what is pressed, clicked, hovered; drawing anew.

const $ = (id) => document.getElementById(id);
const LANGUAGES = ["en", "zh"], THEMES = ["light", "dark"];
let playing = null;

// ----- drawing -----

function frame() { // what depends on panel and language only
  stop();
  document.documentElement.lang = state.lang === "zh" ? "zh-CN" : "en";
  document.documentElement.dataset.theme = state.theme || "";
  $("name").textContent = say("explorer");
  $("preset-label").textContent = say("example");
  $("lang").textContent = state.lang === "zh" ? "English" : "中文";
  $("theme").textContent = say(isDark() ? "light" : "dark");
  $("help").textContent = say("help");
  $("preset").innerHTML = option("", "—") + Object.keys(PRESETS).map((name) =>
    option(name, `${name} ${PRESETS[name].op}${ERRATA[name] ? ` ⚠ ${ERRATA[name]}` : ""}`)).join("");
  $("tabs").innerHTML = Object.keys(PANELS).map((name) =>
    `<button role="tab" type="button" data-tab="${name}" id="tab-${name}" aria-selected="${name === state.op}"
      tabindex="${name === state.op ? 0 : -1}">${say(`panel_${name}`)}</button>`).join("");
  const [tabs, tab] = [$("tabs"), $(`tab-${state.op}`)];
  tabs.scrollLeft = tab.offsetLeft - (tabs.clientWidth - tab.offsetWidth) / 2;
  $("controls").innerHTML = PANELS[state.op].controls.map(controlHtml).join("");
  sayTested();
}

function sayTested() {
  const {selftest: result, tensorflow: version} = document.body.dataset;
  if (result) $("selftest").textContent = say("self_test", {result, version});
}

function draw() {
  const isPlain = ["norm", "cost", "kernel"].includes(state.op), p = isPlain ? {} : problem(state);
  const erratum = ERRATA[state.preset];
  $("panel").innerHTML = `<h2>${say(`panel_${state.op}`)}</h2><p class="intro">${say(`intro_${state.op}`)}</p>`
    + (erratum ? `<p class="erratum"><b>⚠ ${erratum}</b> ${say(erratum)}</p>` : "")
    + (p.error ? `<p class="error">${p.error}</p>` : PANELS[state.op].draw(state, p));
  if (PANELS[state.op].drawn) PANELS[state.op].drawn();
}

function refresh() {
  syncControls();
  $("preset").value = state.preset;
  writeHash();
  draw();
}

function open(op) {
  hover = null;
  Object.assign(state, {op, of: "", at: []});
  suit(op);
  frame();
  refresh();
}

// The function that a panel is about, and sizes that it can show number by number.
function suit(op) {
  if (op === "pool") state.f = /pool/.test(state.f) ? state.f : "max_pool2d";
  else state.f = FUNCTIONS[op] || state.f;
  if (op === "norm") Object.assign(state, {c: state.c > 2 ? 4 : 2, b: Math.max(Math.min(state.b, 4), 2), preset: ""});
  if (op === "cost" || state.preset) return settleGroups();
  const most = (values, limit) => values.map((n) => Math.min(n, limit));
  Object.assign(state, {n: most(state.n, 12), k: most(state.k, 5)});
  [state.b, state.c, state.o] = [Math.min(state.b, 4), ...most([state.c, state.o], 8)];
  settleGroups();
}

function start() {
  state.lang = /^zh/.test(navigator.language) ? "zh" : "en";
  readHash(location.hash);
  suit(state.op);
  frame();
  refresh();
}

// ----- what the reader does -----

const isDark = () => (state.theme ? state.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);

function pick(role, offset) {
  const {shapes, names} = pickable(state);
  update({of: names[role], at: shortIndex(role, new Tensor(shapes[role], []).index(offset))});
}

// The number under the mouse or the finger, if this panel has something to say of it.
function cellOf(event) {
  const cell = event.target.closest("[data-offset]");
  const {roles = []} = PANELS[state.op];
  if (!cell || !roles.includes(cell.dataset.role)) return null;
  return {role: cell.dataset.role, offset: Number(cell.dataset.offset)};
}

function hovered(event) {
  if (event.pointerType !== "mouse") return;
  const next = event.type === "pointerleave" ? null : cellOf(event);
  if (JSON.stringify(next) === JSON.stringify(hover)) return;
  hover = next;
  draw();
}

// Arrow keys move what is picked by rows and columns; links stand in one line.
function move(...steps) {
  hover = null;
  if (!PANELS[state.op].roles || document.querySelector(".error")) return;
  const {role, offset} = picked(state), shape = pickable(state).shapes[role], any = new Tensor(shape, []);
  const index = any.index(offset), axes = role === "t" ? [0, 1] : [1, 2];
  const add = (axis, step) => { index[axis] = Math.max(0, Math.min(shape[axis] - 1, index[axis] + step)); };
  if (role === "k") add(0, steps[0] + steps[1]);
  else steps.forEach((step, i) => add(axes[i], step));
  pick(role, any.offset(index));
}

const ARROWS = {ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1]};

function pressed(event) {
  if (event.target !== $("panel") && event.target !== document.body) return;
  if (ARROWS[event.key]) {
    event.preventDefault();
    move(...ARROWS[event.key]);
  }
}

function stop() {
  clearInterval(playing);
  playing = null;
  if ($("play")) $("play").textContent = "▶";
}

function play() {
  if (playing) return stop();
  $("play").textContent = "❚❚";
  playing = setInterval(() => {
    const [last, at] = scrubbed();
    update(patchOf("scrub", at === last ? 0 : at + 1));
  }, 700);
}

function copy() {
  getSelection().selectAllChildren($("code"));
  if (navigator.clipboard) navigator.clipboard.writeText($("code").textContent).catch(() => {});
}

function listen() {
  const changed = (event) => {
    const name = event.target.dataset.control;
    if (!name) return;
    if (name === "x" || name === "w") {
      const good = !event.target.value || parsed(event.target.value);
      $("own-note").classList.toggle("error", !good);
      if (!good) return;
    }
    update(patchOf(name, event.target.value));
  };
  $("controls").addEventListener("input", changed);
  $("controls").addEventListener("submit", (event) => event.preventDefault());
  $("controls").addEventListener("click", (event) => event.target.id === "play" && play());
  $("panel").addEventListener("pointerover", hovered);
  $("panel").addEventListener("pointerleave", hovered);
  $("panel").addEventListener("click", (event) => {
    const cell = cellOf(event);
    if (cell) pick(cell.role, cell.offset);
    if (event.target.id === "copy") copy();
  });
  document.addEventListener("keydown", pressed);
  $("tabs").addEventListener("click", (event) => event.target.dataset.tab && open(event.target.dataset.tab));
  $("tabs").addEventListener("keydown", (event) => {
    const names = Object.keys(PANELS), step = {ArrowLeft: -1, ArrowRight: 1}[event.key];
    if (!step) return;
    open(names[(names.indexOf(state.op) + step + names.length) % names.length]);
    $(`tab-${state.op}`).focus();
  });
  $("preset").addEventListener("change", () => {
    location.hash = $("preset").value ? `preset=${$("preset").value}` : `op=${state.op}`;
  });
  $("lang").addEventListener("click", () => again({lang: LANGUAGES[1 - LANGUAGES.indexOf(state.lang)]}));
  $("theme").addEventListener("click", () => again({theme: THEMES[isDark() ? 0 : 1]}));
  addEventListener("hashchange", start);
}

function again(patch) {
  Object.assign(state, patch);
  frame();
  refresh();
}

listen();
start();
document.body.dataset.ready = Math.round(performance.now()); // ms to first use
$("panel").focus({preventScroll: true});
setTimeout(() => {
  selfTest();
  sayTested();
}, 0);
