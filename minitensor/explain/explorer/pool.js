// Maximum and average over a window: forward, and the way back.

const poolWindow = (given) =>
  windowOf(Object.assign({}, given, {filters: given.channels, groups: given.channels}));

// The pixels of every output; padding counts in neither pool.
function membersOf(win) {
  const all = links(win), members = range(product(shapeOf(win, "p"))).map(() => []);
  for (let k = 0; k < all.count; k++) if (all.m[k] >= 0) members[all.p[k]].push(all.m[k]);
  return members;
}

// What each pixel of a window contributes: 1 or 0 for a maximum, 1/count for an average.
function shares(x, members, kind) {
  if (kind === "avg") return members.map(() => 1 / members.length);
  const values = members.map((m) => x.data[m]);
  const winner = values.indexOf(Math.max(...values)); // the first of equals
  return members.map((_, k) => (k === winner ? 1 : 0));
}

function pool(win, x, kind) {
  const y = new Tensor(shapeOf(win, "p"));
  membersOf(win).forEach((members, p) => {
    const weights = shares(x, members, kind);
    y.data[p] = total(members.map((m, k) => (weights[k] ? weights[k] * x.data[m] : 0)));
  });
  return y;
}

function poolGradient(win, x, g, kind) {
  const dx = new Tensor(x.shape);
  membersOf(win).forEach((members, p) => {
    shares(x, members, kind).forEach((share, k) => { dx.data[members[k]] += share * g.data[p]; });
  });
  return dx;
}
