/**
 * The build: one output for both runtimes, Electron's and plain Node's. Main, worker and command line are one bundle
 * with several entries, so that they share chunks; chunks lie beside the entries, so that `__dirname` is out/main in
 * every module. Entry names are file names that other processes are started by: worker.js, lease-thread.js, cli.js.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'electron-vite';
import type { Plugin } from 'vite';
import { EXTERNALS } from './scripts/externals.mjs';
import { DOCS_FILES } from './src-main/server/docs-page';

/** The oldest runtimes that we run on: Electron 25 has Node 18 and Chromium 114. */
const NODE = 'node18';
const CHROME = 'chrome114';

/**
 * What Node 18.15 (Electron 25) lacks of Node 20, and packages look for while they are loaded: pino a tracing channel
 * (nobody listens to it here), undici the global File.
 */
const NODE_18 = `{
  const channels = require('node:diagnostics_channel');
  channels.tracingChannel ??= () => ({ hasSubscribers: false });
  globalThis.File ??= require('node:buffer').File;
}`;

const at = (path: string) => resolve(import.meta.dirname, path);

/** What the page at /docs loads, and its licence: lies in out/main/docs, so that the program needs no package for it. */
const docsAssets: Plugin = {
  name: 'docs-assets',
  generateBundle() {
    for (const name of [...DOCS_FILES, 'LICENSE', 'NOTICE']) {
      const source = readFileSync(at(`node_modules/swagger-ui-dist/${name}`));
      this.emitFile({ type: 'asset', fileName: `docs/${name}`, source });
    }
  },
};

export default defineConfig({
  main: {
    plugins: [docsAssets],
    build: {
      target: NODE,
      externalizeDeps: false,
      outDir: at('out/main'),
      rolldownOptions: {
        input: {
          index: at('src-main/index.ts'), // the desktop app
          cli: at('src-main/cli.ts'), // the `millrace` program
          worker: at('src-worker/index.ts'), // a worker process
          'lease-thread': at('src-worker/lease-entry.ts'), // a thread of a worker process
          millrace: at('src-worker/millrace.ts'), // what handlers import as 'millrace'
        },
        external: EXTERNALS,
        output: {
          format: 'cjs',
          entryFileNames: '[name].js',
          chunkFileNames: 'chunk-[name]-[hash].js',
          banner: ({ isEntry }) => (isEntry ? NODE_18 : ''),
        },
      },
    },
  },
  preload: {
    build: {
      target: NODE,
      externalizeDeps: false,
      outDir: at('out/preload'),
      rolldownOptions: {
        input: { preload: at('src-main/bridge/preload.ts') },
        external: EXTERNALS,
        output: { format: 'cjs', entryFileNames: '[name].js' },
      },
    },
  },
  renderer: {
    root: at('src-renderer'),
    plugins: [svelte({ configFile: false })],
    build: {
      target: CHROME,
      outDir: at('out/renderer'),
      emptyOutDir: true,
      minify: true,
      rolldownOptions: { input: at('src-renderer/index.html') },
    },
  },
});
