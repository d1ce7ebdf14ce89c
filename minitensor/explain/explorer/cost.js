// Multiply-adds and extra bytes of each algorithm, in float32. See costs in minitensor/explain/views.py.

function costs(win) {
  const [positions, taps] = [product(win.out), product(win.kernel)];
  const each = win.channels / win.groups, macs = win.batch * positions * taps * each * win.filters;
  const [inputs, outputs] = [product(win.size) * win.channels, positions * win.filters];
  const rows = [
    {name: "direct", macs, bytes: 0},
    {name: "im2col", macs, bytes: win.batch * positions * taps * win.channels * 4},
    {name: "matrix", macs: win.batch * inputs * outputs, bytes: inputs * outputs * 4},
  ];
  if (taps === 9 && [...win.stride, ...win.dilation].every((n) => n === 1)) {
    const tiles = win.batch * product(win.out.map((n) => Math.ceil(n / 2))), weights = 16 * each * win.filters;
    rows.push({name: "winograd", macs: tiles * weights, bytes: weights * 4});
  }
  return rows;
}

// Layers of the course's networks, by what their sizes are.
const LAYERS = {
  "VGG13 conv1_2": {b: 128, n: [32, 32], c: 64, o: 64, k: [3, 3], s: [1, 1], p: "SAME"},
  "VGG13 conv5_2": {b: 128, n: [2, 2], c: 512, o: 512, k: [3, 3], s: [1, 1], p: "SAME"},
  "LeNet-5 C1": {b: 1, n: [32, 32], c: 1, o: 6, k: [5, 5], s: [1, 1], p: "VALID"},
  "MNIST CNN conv2": {b: 32, n: [14, 14], c: 32, o: 64, k: [5, 5], s: [1, 1], p: "SAME"},
  "ResNet 1x1 /2": {b: 1, n: [56, 56], c: 64, o: 128, k: [1, 1], s: [2, 2], p: "SAME"},
  "ResNet50 conv1": {b: 1, n: [224, 224], c: 3, o: 64, k: [7, 7], s: [2, 2], p: "SAME"},
};
