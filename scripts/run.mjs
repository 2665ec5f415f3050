/** Programs that the scripts here run: in the foreground, with their own output, and with an honest exit code. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

const PARENT_WATCH_MS = 250;

/** A script of a package in node_modules, to be run with `node`. */
export const packageScript = (path) => resolve(ROOT, 'node_modules', path);

/** The path of a program on PATH; undefined where there is none. */
export function which(name) {
  const names = process.platform === 'win32' ? [`${name}.exe`, `${name}.cmd`, name] : [name];
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'].filter(Boolean);
  return folders.flatMap((folder) => names.map((file) => join(folder, file))).find((path) => existsSync(path));
}

/** Runs to its end. @returns true for exit code 0 */
export function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { cwd: ROOT, stdio: 'inherit', ...options });
  if (error) console.error(`${command}: ${error.message}`);
  return status === 0;
}

/**
 * Runs in our place: signals are handed on, and we end as it ends. A second signal reaches it as well, so that it can
 * tell "stop gracefully" from "stop now". From a terminal, Ctrl-C goes to the whole group already. npm passes a signal
 * only to the shell that it starts scripts with, and that ends without a word to us: its end counts as SIGTERM.
 * @returns the exit code; 128 + N for signal N
 */
export function runForeground(command, args, options = {}) {
  return new Promise((done) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: 'inherit', ...options });
    const forward = (signal) => {
      clearInterval(watch); // it has been told
      if (signal === 'SIGINT' && process.stdin.isTTY) return;
      child.kill(signal);
    };
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    for (const signal of signals) process.on(signal, forward);
    const parent = process.ppid;
    const orphaned = () => {
      if (process.ppid === parent) return;
      clearInterval(watch);
      child.kill('SIGTERM');
    };
    const watch = process.env.npm_lifecycle_event ? setInterval(orphaned, PARENT_WATCH_MS) : undefined;
    child.once('error', (error) => {
      clearInterval(watch);
      console.error(`${command}: ${error.message}`);
      done(1);
    });
    child.once('exit', (code, signal) => {
      clearInterval(watch);
      for (const name of signals) process.off(name, forward);
      done(code ?? 128 + (constants.signals[signal] ?? 0));
    });
  });
}
