/** Once for all tests of the desktop: which Electron runs, told at the start, and on Linux a display of our own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { TestProject } from 'vitest/node';
import { findElectron } from '../../scripts/electron-runtime.mjs';

declare module 'vitest' {
  interface ProvidedContext {
    electron: { program: string; folder: string; version: string };
    /** For DISPLAY; empty where the system has its own. */
    display: string;
  }
}

export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const runtime = await findElectron({ testRuntime: true });
  if (!runtime) throw new Error('no Electron could be had: see above');
  process.stdout.write(`Electron ${runtime.version}, ${runtime.source}: ${runtime.folder}\n`);
  const { program, folder, version } = runtime;
  project.provide('electron', { program, folder, version });
  if (process.platform !== 'linux') {
    project.provide('display', '');
    return async () => undefined;
  }
  const server = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', '1920x1080x24', '-nolisten', 'tcp'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  const failed = once(server, 'error').then(([error]) => {
    throw new Error(`Xvfb could not be started: ${String(error)}`);
  });
  const pipe = server.stdio[3];
  if (!pipe) throw new Error('Xvfb has no pipe to tell its display');
  const [number] = await Promise.race([once(pipe, 'data'), failed]);
  project.provide('display', `:${String(number).trim()}`);
  return async () => {
    server.kill('SIGTERM');
    await once(server, 'exit');
  };
}
