// Launches of kernels, one beside the other: a slider over the requests of their warps, the threads
// that take part, the memory that they touch, and the source with what each line asks for.

const Launches = (() => {
  const LANES = 32, LINE = 128, SECTOR = 32, WORD = 4, CELL = 14, LEFT = 58;
  const SVG = Object.assign(document.createElement("div"), {innerHTML: "<svg></svg>"}).firstChild.namespaceURI;

  function make(name, attributes = {}, parent = null) {
    const drawn = ["svg", "rect", "text"].includes(name);
    const made = drawn ? document.createElementNS(SVG, name) : document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (key === "text") made.textContent = value;
      else made.setAttribute(key, value);
    }
    if (parent) parent.append(made);
    return made;
  }

  function show(launch, parent) {
    const steps = launch.steps.map(unpacked);
    const box = make("section", {class: "launch"}, parent);
    make("h3", {text: launch.name}, box);
    make("p", {class: "facts", text: facts(launch)}, box);
    const bar = make("div", {class: "steps"}, box);
    const button = (text, label) => make("button", {type: "button", text, "aria-label": label}, bar);
    const back = button("◀", say("launch_back"));
    const slider = make("input", {type: "range", min: 0, max: steps.length - 1, value: 0,
      "aria-label": say("launch_request")}, bar);
    const next = button("▶", say("launch_on"));
    const said = make("p", {class: "said", "aria-live": "polite"}, box);
    const maps = make("div", {class: "maps"}, box);
    const code = source(launch, box);
    const draw = () => {
      const step = steps[slider.value];
      said.replaceChildren(...sentence(launch, step, Number(slider.value), steps.length));
      maps.replaceChildren(threads(launch, step), memory(launch, step));
      for (const line of code.children) line.classList.toggle("now", line.dataset.at === step.at);
      const now = code.querySelector(".now"); // in view, and the page itself stays where it is
      if (now) code.scrollTop = now.offsetTop - code.offsetTop - code.clientHeight / 2;
    };
    const go = (by) => { slider.value = Number(slider.value) + by; draw(); };
    slider.addEventListener("input", draw);
    back.addEventListener("click", () => go(-1));
    next.addEventListener("click", () => go(1));
    draw();
  }

  // A step as it is written has first address and distance where the addresses are evenly spaced.
  function unpacked(step) {
    const {lane, address} = step, number = lane ? lane.length : LANES;
    const at = (i) => (address.step === undefined ? address[i] : address.first + i * address.step);
    const lanes = Array.from({length: number}, (_, i) => [lane ? lane[i] : i, at(i), step.bytes]);
    return Object.assign({}, step, {lanes});
  }

  const facts = ({grid, block, loads, traced, blocks}) =>
    say("launch_facts", {grid: size(grid), block: size(block), loads, traced, blocks});

  // What a request costs, as `metrics.py` counts it.
  function cost(step) {
    if (step.array >= 0) {
      const sectors = new Set();
      for (const [, at, bytes] of step.lanes) {
        sectors.add(Math.floor(at / SECTOR)).add(Math.floor((at + bytes - 1) / SECTOR));
      }
      return sectors.size;
    }
    const phases = new Map(); // phase -> bank -> words
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
      sum + Math.max(...[...banks.values()].map((held) => held.size)), 0);
  }

  function sentence(launch, step, number, count) {
    const many = cost(step), isShared = step.array < 0;
    const strong = make("b", {text: say(isShared ? "launch_wavefronts" : "launch_sectors", {many})});
    strong.dataset.cost = many;
    const where = isShared ? say("launch_shared") : launch.arrays[step.array].name;
    const numbers = {number: number + 1, count, line: step.at, block: step.block, warp: step.warp,
      lanes: step.lanes.length, where};
    return [`${say(step.write ? "launch_stores" : "launch_loads", numbers)} `, strong];
  }

  function threads(launch, step) {
    const all = product(launch.block), warps = Math.ceil(all / LANES), figure = make("figure");
    const svg = make("svg", {width: LANES * CELL + 2, height: warps * CELL + 2}, figure);
    const on = new Set(step.lanes.map(([lane]) => lane));
    for (let warp = 0; warp < warps; ++warp) {
      for (let lane = 0; lane < Math.min(LANES, all - warp * LANES); ++lane) {
        const active = warp === step.warp && on.has(lane);
        make("rect", {x: lane * CELL + 1, y: warp * CELL + 1, width: CELL, height: CELL,
          class: active ? "on" : warp === step.warp ? "" : "off"}, svg);
      }
    }
    make("figcaption", {text: say("launch_threads")}, figure);
    return figure;
  }

  function memory(launch, step) {
    const isShared = step.array < 0, figure = make("figure");
    const bytes = isShared ? WORD : launch.arrays[step.array].itemsize, cells = LINE / bytes;
    const rows = [...new Set(step.lanes.map(([, at]) => Math.floor(at / LINE)))]
      .sort((a, b) => a - b).slice(0, LANES);
    const wide = LANES * CELL / cells;
    const svg = make("svg", {width: LANES * CELL + LEFT + 2, height: rows.length * CELL + 2}, figure);
    const asked = new Set(), moved = new Set();
    for (const [, at, count] of step.lanes) {
      for (let byte = at; byte < at + count; byte += bytes) asked.add(Math.floor(byte / bytes));
      if (!isShared) moved.add(Math.floor(at / SECTOR)).add(Math.floor((at + count - 1) / SECTOR));
    }
    rows.forEach((row, y) => {
      make("text", {x: LEFT - 6, y: y * CELL + CELL / 2 + 1, class: "at", text: row * LINE}, svg);
      for (let x = 0; x < cells; ++x) {
        const cell = row * cells + x, isMoved = moved.has(Math.floor(cell * bytes / SECTOR));
        make("rect", {x: LEFT + x * wide + 1, y: y * CELL + 1, width: wide, height: CELL,
          class: asked.has(cell) ? "on" : isMoved ? "sector" : ""}, svg);
      }
    });
    const name = isShared ? say("launch_banks") : say("launch_rows", {name: launch.arrays[step.array].name});
    make("figcaption", {text: name}, figure);
    return figure;
  }

  function source(launch, parent) {
    const files = new Set(launch.source.map((line) => line.at.split(":")[0]));
    make("p", {class: "facts", text: say("launch_heat")}, parent);
    const code = make("div", {class: "code"}, parent), most = Math.max(1, ...launch.source.map((l) => l.asked));
    for (const line of launch.source) {
      const row = make("div", {"data-at": line.at}, code);
      const heat = make("i", {text: line.asked ? line.asked.toLocaleString("en") : ""}, row);
      heat.style.setProperty("--heat", `${100 * line.asked / most}%`);
      make("u", {text: files.size > 1 ? line.at : line.at.split(":")[1]}, row);
      make("span", {text: line.text}, row);
    }
    return code;
  }

  return {show};
})();
