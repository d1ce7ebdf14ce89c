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

// The same in a cell.
const brief = (value) => (Math.abs(value) >= 1e5 ? value.toExponential(2).replace("e+", "e").replace("-", "−") : num(value, 3));

const factor = (value) => (value < 0 ? `(${num(value)})` : num(value));
const times = (numbers) => numbers.join("×");
const size = (shape) => times(shape);
