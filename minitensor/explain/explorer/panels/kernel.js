// 7. Which threads of a GPU do it, and what they ask of memory: launches that the emulator ran.

PANELS.kernel = {
  controls: [],
  draw: () => `<div id="launches"></div>`,
  drawn() {
    for (const launch of LAUNCHES) Launches.show(launch, $("launches"));
  },
};
