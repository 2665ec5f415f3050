/**
 * `npm run bench`: builds the program and bench/main.ts, and runs it. Arguments are the bench's own.
 * The bench is bundled like the program itself, so it measures what is shipped, and `?raw` imports work.
 */
import { join } from 'node:path';
import { bootstrap } from './bootstrap.mjs';
import { electronAtHand } from './electron-runtime.mjs';
import { ROOT, runForeground } from './run.mjs';
import { findChromium } from './system-needs.mjs';

if (bootstrap({ needs: ['redis'] })) {
  const { build } = await import('vite');
  const { EXTERNALS } = await import('./externals.mjs');
  const outDir = join(ROOT, 'out', 'bench');
  await build({
    root: ROOT,
    configFile: false,
    logLevel: 'warn',
    ssr: { noExternal: true },
    build: {
      ssr: true,
      target: 'node20',
      outDir,
      emptyOutDir: true,
      rolldownOptions: {
        input: { main: join(ROOT, 'bench', 'main.ts') },
        external: [...EXTERNALS, '@playwright/test', 'bee-queue'],
        output: { format: 'cjs', entryFileNames: '[name].js', chunkFileNames: 'chunk-[name]-[hash].js' },
      },
    },
  });
  const electron = electronAtHand();
  const args = [
    '--expose-gc',
    join(outDir, 'main.js'),
    ...(electron === undefined ? [] : ['--electron', electron.program]),
    ...process.argv.slice(2),
  ];
  const env = { ...process.env, CHROMIUM_PATH: findChromium() ?? 'chromium' };
  process.exitCode = await runForeground(process.execPath, args, { env });
} else {
  process.exitCode = 1;
}
