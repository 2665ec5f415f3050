/** A stack as V8 prints it, taken apart: the same for the API, for fingerprints and for the console. Pure. */
import type { StackFrame } from './failure';

/** Of this program as it is built: its file names change with every build, and no reader can do anything about them. */
const MILLRACE = /[\\/]out[\\/]main[\\/][^\\/]+\.js$/;
const PACKAGES = /[\\/]node_modules[\\/]/;
const FRAME = /^\s+at (?:async )?(?:(.+?) \()?(?:(?:file:\/\/)?([^()]+?):(\d+):\d+|<anonymous>|native)\)?$/;

/** In the order of the stack; a `Caused by:` line ends it, what follows is another error's. */
export const stackFrames = (stack: string | null): StackFrame[] => [...eachFrame(stack)];

/** Where the handler's own code was: the first frame that is of no package. Looks no further. */
export function topFrame(frames: Iterable<StackFrame>): StackFrame | null {
  for (const frame of frames) if (frame.in_app) return frame;
  return null;
}

/** One after the other, as they are asked for: to take a whole stack apart takes longer than to write it. */
export function* eachFrame(stack: string | null): Generator<StackFrame> {
  for (const line of stack?.split('\n') ?? []) {
    if (line.startsWith('Caused by:')) return;
    if (!/^\s+at /.test(line)) continue;
    const [, name, file, number] = FRAME.exec(line) ?? [];
    yield {
      text: line.trim(),
      function: name ?? null,
      file: file ?? null,
      line: number === undefined ? null : Number(number),
      in_app: file !== undefined && packageOf(file) === null,
    };
  }
}

/** @returns null for the handler's own files; a frame without a file is the engine's */
export function packageOf(file: string | null): string | null {
  if (file === null || file.startsWith('node:internal')) return 'node';
  if (file.startsWith('node:')) return file.replace(/\/.*/, '');
  if (MILLRACE.test(file)) return 'millrace';
  const inside = file.split(PACKAGES).slice(1).at(-1);
  return inside === undefined ? null : inside.split(/[\\/]/, inside.startsWith('@') ? 2 : 1).join('/');
}
