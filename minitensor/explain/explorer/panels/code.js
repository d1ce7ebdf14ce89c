// 11. The code of what is shown.

PANELS.code = {
  controls: ["lib", "f", "n", "k", "s", "d", "p", "e", "c", "o", "g", "own"],
  draw(s, p) {
    return `<p><button type="button" id="copy">${say("copy")}</button></p>
      <pre id="code">${program(s, p, s.lib).replace(/&/g, "&amp;").replace(/</g, "&lt;")}</pre>`;
  },
};
