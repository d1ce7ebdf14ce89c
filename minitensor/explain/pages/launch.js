// One launch beside the other: a slider over the requests of its warps, the threads that take part,
// the memory that they touch, and the source with what each line asks for.
'use strict';
const SVG = 'http' + '://www.w3.org/2000/svg';  // a name, no address
const LANES = 32, LINE = 128, SECTOR = 32, WORD = 4, CELL = 14;

function make(name, attributes = {}, parent = null) {
  const drawn = ['svg', 'rect', 'text', 'g'].includes(name);
  const made = drawn ? document.createElementNS(SVG, name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === 'text') made.textContent = value;
    else made.setAttribute(key, value);
  }
  if (parent) parent.append(made);
  return made;
}

function show(launch, parent) {
  for (const step of launch.steps) step.lanes = step.lane.map((lane, i) => [lane, step.address[i], step.bytes]);
  const box = make('section', { class: 'launch' }, parent);
  make('h2', { text: launch.name }, box);
  make('p', { class: 'facts', text: launch.facts.join(' · ') }, box);
  const bar = make('div', { class: 'steps' }, box);
  const back = make('button', { type: 'button', text: '◀', 'aria-label': 'one request back' }, bar);
  const slider = make('input', { type: 'range', min: 0, max: launch.steps.length - 1, value: 0,
    'aria-label': 'request' }, bar);
  const next = make('button', { type: 'button', text: '▶', 'aria-label': 'one request on' }, bar);
  const said = make('p', { class: 'said', 'aria-live': 'polite' }, box);
  const maps = make('div', { class: 'maps' }, box);
  const code = source(launch, box);
  const draw = () => {
    const step = launch.steps[slider.value];
    said.replaceChildren(...words(launch, step, Number(slider.value)));
    maps.replaceChildren(threads(launch, step), memory(launch, step));
    for (const line of code.children) line.classList.toggle('now', line.dataset.at === step.at);
    const now = code.querySelector('.now');  // in view, and the page itself stays where it is
    if (now) code.scrollTop = now.offsetTop - code.offsetTop - code.clientHeight / 2;
  };
  const go = (by) => { slider.value = Number(slider.value) + by; draw(); };
  slider.addEventListener('input', draw);
  back.addEventListener('click', () => go(-1));
  next.addEventListener('click', () => go(1));
  draw();
}

// What a request costs, as `metrics.py` counts it.
function cost(step) {
  if (step.array >= 0) {
    const sectors = new Set();
    for (const [, at, bytes] of step.lanes) {
      sectors.add(Math.floor(at / SECTOR)).add(Math.floor((at + bytes - 1) / SECTOR));
    }
    return sectors.size;
  }
  const phases = new Map();  // phase -> bank -> words
  for (const [lane, at, bytes] of step.lanes) {
    const wide = Math.max(bytes, WORD), phase = Math.floor(lane * wide / LINE);
    if (!phases.has(phase)) phases.set(phase, new Map());
    const banks = phases.get(phase);
    for (let word = Math.floor(at / WORD); word < (at + bytes) / WORD; ++word) {
      const bank = word % LANES;
      banks.set(bank, (banks.get(bank) || new Set()).add(word));
    }
  }
  return [...phases.values()].reduce((sum, banks) =>
    sum + Math.max(...[...banks.values()].map((words) => words.size)), 0);
}

function words(launch, step, number) {
  const where = step.array < 0 ? 'shared memory' : launch.arrays[step.array].name;
  const unit = step.array < 0 ? 'wavefront' : 'sector';
  const many = cost(step);
  const strong = make('b', { text: `${many} ${unit}${many === 1 ? '' : 's'}` });
  strong.dataset.cost = many;
  return [
    `${number + 1} of ${launch.steps.length}: line ${step.at}, block ${step.block}, warp ${step.warp}: ` +
    `${step.lanes.length} of ${LANES} lanes ${step.write ? 'store to' : 'load from'} ${where}: `, strong,
  ];
}

function threads(launch, step) {
  const warps = Math.ceil(launch.threads / LANES), figure = make('figure');
  const svg = make('svg', { width: LANES * CELL + 2, height: warps * CELL + 2 }, figure);
  const on = new Set(step.lanes.map(([lane]) => lane));
  for (let warp = 0; warp < warps; ++warp) {
    for (let lane = 0; lane < Math.min(LANES, launch.threads - warp * LANES); ++lane) {
      const active = warp === step.warp && on.has(lane);
      make('rect', { x: lane * CELL + 1, y: warp * CELL + 1, width: CELL, height: CELL,
        class: active ? 'on' : warp === step.warp ? '' : 'off' }, svg);
    }
  }
  make('figcaption', { text: 'threads of the block: a row is a warp' }, figure);
  return figure;
}

function memory(launch, step) {
  const shared = step.array < 0, figure = make('figure');
  const size = shared ? WORD : launch.arrays[step.array].itemsize;
  const cells = LINE / size, rows = [...new Set(step.lanes.map(([, at]) => Math.floor(at / LINE)))]
    .sort((a, b) => a - b).slice(0, LANES);
  const wide = LANES * CELL / cells, left = 58;
  const svg = make('svg', { width: LANES * CELL + left + 2, height: rows.length * CELL + 2 }, figure);
  const asked = new Map();
  for (const [, at, bytes] of step.lanes) {
    for (let byte = at; byte < at + bytes; byte += size) {
      const cell = Math.floor(byte / size);
      asked.set(cell, (asked.get(cell) || 0) + 1);
    }
  }
  rows.forEach((row, y) => {
    make('text', { x: left - 6, y: y * CELL + CELL / 2 + 1, class: 'at', text: row * LINE }, svg);
    for (let x = 0; x < cells; ++x) {
      const cell = row * cells + x, byte = cell * size;
      const moved = !shared && step.lanes.some(([, at, bytes]) =>
        Math.floor(at / SECTOR) <= Math.floor(byte / SECTOR) &&
        Math.floor(byte / SECTOR) <= Math.floor((at + bytes - 1) / SECTOR));
      make('rect', { x: left + x * wide + 1, y: y * CELL + 1, width: wide, height: CELL,
        class: asked.has(cell) ? 'on' : moved ? 'sector' : '' }, svg);
    }
  });
  const name = shared ? 'shared memory: a column is one of 32 banks' :
    `${launch.arrays[step.array].name}: rows of 128 bytes; moved beside what was asked for in orange`;
  make('figcaption', { text: name }, figure);
  return figure;
}

function source(launch, parent) {
  const files = new Set(launch.source.map((line) => line.at.split(':')[0]));
  const code = make('div', { class: 'code' }, parent), most = Math.max(1, ...launch.source.map((l) => l.asked));
  for (const line of launch.source) {
    const row = make('div', { 'data-at': line.at }, code);
    const heat = make('i', { text: line.asked ? line.asked.toLocaleString('en') : '' }, row);
    heat.style.setProperty('--heat', `${100 * line.asked / most}%`);
    make('u', { text: files.size > 1 ? line.at : line.at.split(':')[1] }, row);
    make('span', { text: line.text }, row);
  }
  return code;
}

for (const launch of LAUNCHES) show(launch, document.getElementById('launches'));
document.addEventListener('keydown', (event) => {
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!by || event.target.tagName === 'INPUT') return;
  for (const button of document.querySelectorAll(by < 0 ? '.steps button:first-child' : '.steps button:last-child')) button.click();
});
