"use strict";
// Arrays in row-major order. An index is a list of numbers, an offset is one number.

const product = (numbers) => numbers.reduce((a, b) => a * b, 1);
const range = (count) => Array.from({length: count}, (_, i) => i);
const total = (numbers) => numbers.reduce((a, b) => a + b, 0);

class Tensor {
  constructor(shape, data) {
    this.shape = shape;
    this.data = data || new Float64Array(product(shape));
  }

  offset(index) {
    return index.reduce((at, i, axis) => at * this.shape[axis] + i, 0);
  }

  index(offset) {
    return this.shape.reduceRight((found, size) => {
      found.unshift(offset % size);
      offset = Math.floor(offset / size);
      return found;
    }, []);
  }

  map(f) {
    return new Tensor(this.shape, Float64Array.from(this.data, f));
  }
}

// All indices of a shape, in order.
function indices(shape) {
  const any = new Tensor(shape, []);
  return range(product(shape)).map((offset) => any.index(offset));
}

// An array as the page's data has it: its values, or the number from which it counts on.
function unpack({shape, values, start}) {
  return new Tensor(shape, Float64Array.from(values || range(product(shape)).map((i) => i + start)));
}
