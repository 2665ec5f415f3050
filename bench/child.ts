import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** Tells a process to stop, and waits until it has. */
export async function end(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await gone;
}
