/** The worker program, built as the product builds it, for tests that run it as a process. Built once for a test file. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { build } from 'vite';
import { EXTERNALS } from '../../scripts/externals.mjs';

const ROOT = resolve(import.meta.dirname, '../..');

export interface BuiltWorker {
  /** worker.js and lease-thread.js lie here. */
  folder: string;
  program: string;
  leaseThread: string;
  remove(): Promise<void>;
}

export async function buildWorker(): Promise<BuiltWorker> {
  // Inside the project, so that what is not bundled is found in its node_modules.
  await mkdir(join(ROOT, '.cache'), { recursive: true });
  const folder = await mkdtemp(join(ROOT, '.cache/worker-'));
  await build({
    root: ROOT,
    configFile: false,
    logLevel: 'error',
    ssr: { noExternal: true },
    build: {
      ssr: true,
      target: 'node18',
      outDir: folder,
      emptyOutDir: false,
      rolldownOptions: {
        input: { worker: join(ROOT, 'src-worker/index.ts'), 'lease-thread': join(ROOT, 'src-worker/lease-entry.ts') },
        external: EXTERNALS,
        output: { format: 'cjs', entryFileNames: '[name].js', chunkFileNames: 'chunk-[name]-[hash].js' },
      },
    },
  });
  return {
    folder,
    program: join(folder, 'worker.js'),
    leaseThread: join(folder, 'lease-thread.js'),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
