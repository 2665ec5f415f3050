import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

/** Long ones, which `npm run test:faults`, `npm run test:mutation` and `npm run soak` run. */
const FAULTS = [
  {
    extends: true as const,
    test: { name: 'faults', include: ['tests/faults/**/*.test.ts'], testTimeout: 150_000, hookTimeout: 30_000 },
  },
  { extends: true as const, test: { name: 'soak', include: ['tests/soak/**/*.test.ts'] } },
  { extends: true as const, test: { name: 'mutation', include: ['tests/mutation/**/*.test.ts'], hookTimeout: 20_000 } },
];

/** A page that is pressed to its limits takes both cores: it runs alone. */
const SCALE = 'tests/browser/scale.test.ts';

/** For `npm run test:mutation`: the scripts as tests import them, one of them with other lines in it. */
function withMutant(text: string) {
  const { file = '', from = '', to = '' }: Record<string, string> = JSON.parse(text);
  return {
    name: 'millrace-mutant',
    enforce: 'pre' as const,
    load(id: string): string | null {
      const [path = '', query] = id.split('?');
      if (query !== 'raw' || !path.includes('/redis/scripts/') || !path.endsWith(`/${file}`)) return null;
      const source = readFileSync(path, 'utf8');
      if (!source.includes(from)) throw new Error(`${file} is not what the mutant was made from`);
      return `export default ${JSON.stringify(source.replace(from, () => to))}`;
    },
  };
}

/** One project a folder, by what its tests need: nothing, a real redis-server, real processes of the built program, a browser, or Electron. */
export default defineConfig({
  test: {
    maxWorkers: Math.max(3, availableParallelism() - 1), // also on two cores: most tests wait for processes
    reporters: ['default', './tests/support/summary-reporter.ts'],
    projects: [
      { extends: true, test: { name: 'unit', include: ['tests/unit/**/*.test.ts'], testTimeout: 15_000 } },
      {
        extends: true,
        plugins: [svelte({ configFile: false })],
        resolve: { conditions: ['browser'] }, // Svelte's reactive runtime, not the one for rendering on a server
        test: { name: 'renderer', include: ['tests/renderer/**/*.test.ts'], testTimeout: 30_000 },
      },
      {
        extends: true,
        plugins: process.env.MILLRACE_MUTANT === undefined ? [] : [withMutant(process.env.MILLRACE_MUTANT)],
        test: { name: 'redis', include: ['tests/redis/**/*.test.ts'], testTimeout: 20_000, hookTimeout: 20_000 },
      },
      {
        extends: true,
        test: { name: 'model', include: ['tests/model/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 20_000 },
      },
      {
        extends: true,
        test: {
          name: 'system',
          include: ['tests/system/**/*.test.ts'],
          testTimeout: 90_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'browser',
          include: ['tests/browser/**/*.test.ts'],
          exclude: [SCALE],
          testTimeout: 90_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: { name: 'scale', include: [SCALE], testTimeout: 90_000, hookTimeout: 60_000, fileParallelism: false },
      },
      {
        extends: true,
        test: {
          name: 'desktop',
          include: ['tests/desktop/**/*.test.ts'],
          globalSetup: ['tests/support/desktop-setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
      ...(process.env.MILLRACE_FAULTS === undefined ? [] : FAULTS),
    ],
  },
});
