/** `npm run check`: everything that must hold besides the tests. Runs all steps, and fails when any of them failed. */

import { lockfileFaults } from './lockfile.mjs';
import { packageScript, ROOT, run } from './run.mjs';
import { sourceFaults } from './source-rules.mjs';

const node = (script, ...args) => run(process.execPath, [packageScript(script), ...args]);

const steps = {
  'biome (lint, format, folder rules)': () => node('@biomejs/biome/bin/biome', 'ci', '--max-diagnostics=100'),
  'source rules (file length, imports within a root, lock file)': () => {
    const faults = [...sourceFaults(ROOT), ...lockfileFaults()];
    for (const fault of faults) console.error(fault);
    return faults.length === 0;
  },
  'tsc (main, worker, queue, tests)': () => node('typescript/bin/tsc', '-p', 'tsconfig.node.json'),
  'tsc (tests in a browser)': () => node('typescript/bin/tsc', '-p', 'tsconfig.browser.json'),
  'svelte-check (renderer)': () =>
    node(
      'svelte-check/bin/svelte-check',
      '--tsconfig',
      './tsconfig.web.json',
      '--fail-on-warnings',
      '--output',
      'human',
    ),
  'knip (unused files, exports, dependencies)': () => node('knip/bin/knip.js'),
};

const failed = [];
for (const [name, step] of Object.entries(steps)) {
  const started = performance.now();
  console.log(`\n# ${name}`);
  const passed = step();
  console.log(`${passed ? 'ok' : 'FAILED'} in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  if (!passed) failed.push(name);
}
console.log(failed.length === 0 ? '\nall checks passed' : `\nfailed: ${failed.join('; ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;
