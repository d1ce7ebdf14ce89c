// The sentence of a key in the page's language, its {numbers} filled in.

function say(key, numbers = {}) {
  const text = WORDS[key][state.lang === "zh" ? 1 : 0];
  return text.replace(/\{(\w+)\}/g, (_, name) => numbers[name]);
}

// A number as it is shown: few digits, unless it is whole, and a minus sign.
function num(value, digits = 4) {
  const short = Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(digits)));
  return short.replace("-", "−");
}

// The same in a cell: three digits, below 1 three decimals.
function brief(value) {
  const rounded = Math.abs(value) < 1 ? Number(value.toFixed(3)) : value;
  const isLong = Math.abs(value) >= 1e5 || (value !== 0 && rounded === 0);
  if (!isLong) return num(rounded, 3);
  return value.toExponential(rounded === 0 ? 0 : 2).replace("e+", "e").replace(/-/g, "−");
}

const factor = (value) => (value < 0 ? `(${num(value)})` : num(value));
const size = (shape) => shape.join("×");
