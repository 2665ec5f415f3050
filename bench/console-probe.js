/**
 * Runs in the console's page before anything else of it, and counts: long tasks, frames, frames that the page has changed
 * for, what came through the WebSocket, and when the overview could first be used.
 */
(() => {
  const probe = {
    longTasks: [],
    /** ms from one frame to the next. */
    frames: [],
    paints: 0,
    messages: 0,
    /** ms from the navigation's start until the overview is live and has its six numbers. */
    usable: undefined,
    /** Goes to a hash. Resolves with the ms from the change of the address until rows that were read for it are painted. */
    rowsOf: (hash) =>
      new Promise((resolve) => {
        const start = performance.now();
        let read = false;
        const watch = new MutationObserver(() => {
          const grid = document.querySelector('table[aria-label="Tasks"]');
          if (grid?.ariaBusy === 'true') read = true;
          if (!read || grid?.ariaBusy !== 'false' || grid.querySelector('tbody tr[id]') === null) return;
          watch.disconnect();
          // a frame's callbacks run before it is painted, a message after that
          requestAnimationFrame(() => {
            const { port1, port2 } = new MessageChannel();
            port1.onmessage = () => resolve(performance.now() - start);
            port2.postMessage(null);
          });
        });
        watch.observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ['aria-busy'] });
        location.hash = hash;
      }),
    /** Goes to the end of the list until so many rows, or all, are loaded. */
    loadRows: (count) =>
      new Promise((resolve) => {
        const grid = () => document.querySelector('table[aria-label="Tasks"]');
        const look = () => {
          const loaded = Number([...grid().querySelectorAll('tbody tr[id]')].at(-1)?.ariaRowIndex);
          if (loaded >= Math.min(count, Number(grid().ariaRowCount))) return resolve(loaded);
          const box = grid().parentElement;
          box.scrollTop = box.scrollHeight;
          setTimeout(look, 10);
        };
        look();
      }),
    /** Moves the list by so much with each frame, for so many of them, up from where it is. */
    scrollUp: (px, frames) =>
      new Promise((resolve) => {
        const box = document.querySelector('table[aria-label="Tasks"]').parentElement;
        const step = () => {
          if (frames-- === 0) return resolve();
          box.scrollTop -= px;
          requestAnimationFrame(step);
        };
        requestAnimationFrame(step);
      }),
    reset: () => {
      Object.assign(probe, { longTasks: [], frames: [], paints: 0, messages: 0 });
    },
    read: () => {
      const { longTasks, frames, paints, messages } = probe;
      return { longTasks, frames, paints, messages };
    },
  };
  globalThis.consoleProbe = probe;

  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) probe.longTasks.push(duration);
  }).observe({ type: 'longtask' });

  let changed = false;
  const everything = { subtree: true, childList: true, attributes: true, characterData: true };
  new MutationObserver(() => {
    changed = true;
  }).observe(document, everything);
  probe.usable = new Promise((resolve) => {
    const watch = new MutationObserver(() => {
      const values = [...document.querySelectorAll('.kpi .value')];
      const live = document.querySelector('footer .live')?.textContent.includes('Live');
      if (!live || values.length !== 6 || !/\d/.test(values[0].textContent)) return;
      watch.disconnect();
      resolve(performance.now());
    });
    watch.observe(document, everything);
  });
  let framed = performance.now();
  const frame = () => {
    const now = performance.now();
    probe.frames.push(now - framed);
    framed = now;
    if (changed) probe.paints++;
    changed = false;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);

  globalThis.WebSocket = class extends WebSocket {
    constructor(...given) {
      super(...given);
      this.addEventListener('message', () => probe.messages++);
    }
  };
})();
