/** What `npm start` does with signals: npm hands them to the shell between it and the script, and no further. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import { waitFor } from '../support/millrace-process';

const PROGRAM = 'setInterval(() => {}, 1000); console.log(process.pid);';
const SCRIPT = `
import { runForeground } from ${JSON.stringify(pathToFileURL(resolve('scripts/run.mjs')).href)};
process.exitCode = await runForeground(process.execPath, ['-e', ${JSON.stringify(PROGRAM)}]);
`;

let shell: ChildProcess | undefined;
let program: number | undefined;
afterEach(() => {
  shell?.kill('SIGKILL');
  if (program !== undefined && lives(program)) process.kill(program, 'SIGKILL');
});

function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false; // no such process
  }
}

it('ends the program that a script runs when the shell between npm and it was ended', async () => {
  // More than one command: no shell replaces itself by the last one then, as some do.
  const args = ['-c', '"$0" --input-type=module -e "$1"; exit $?', process.execPath, SCRIPT];
  shell = spawn('sh', args, {
    env: { ...process.env, npm_lifecycle_event: 'start' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const { stdout } = shell;
  if (stdout === null) throw new Error('the output was not piped');
  program = Number(String((await once(stdout, 'data'))[0]));
  expect(lives(program)).toBe(true);
  shell.kill('SIGTERM');
  await waitFor('the program to end', () => (program !== undefined && !lives(program) ? true : null));
});
