/** A stack as V8 prints it, taken apart: the same for the API, for fingerprints and for the console. Pure. */
import type { StackFrame } from './failure';

/** Of this program as it is built: its file names change with every build, and no reader can do anything about them. */
const MILLRACE = /[\\/]out[\\/]main[\\/][^\\/]+\.js$/;
const PACKAGES = /[\\/]node_modules[\\/]/;
const FRAME = /^\s+at (?:async )?(?:(.+?) \()?(?:(?:file:\/\/)?([^()]+?):(\d+):\d+|<anonymous>|native)\)?$/;

/** In the order of the stack; a `Caused by:` line ends it, what follows is another error's. */
export function stackFrames(stack: string | null): StackFrame[] {
  const frames: StackFrame[] = [];
  for (const line of stack?.split('\n') ?? []) {
    if (line.startsWith('Caused by:')) break;
    if (!/^\s+at /.test(line)) continue;
    const [, name, file, number] = FRAME.exec(line) ?? [];
    frames.push({
      text: line.trim(),
      function: name ?? null,
      file: file ?? null,
      line: number === undefined ? null : Number(number),
      in_app: file !== undefined && packageOf(file) === null,
    });
  }
  return frames;
}

/** Where the handler's own code was: the first frame that is of no package. */
export const topFrame = (frames: readonly StackFrame[]): StackFrame | null =>
  frames.find((frame) => frame.in_app) ?? null;

/** @returns null for the handler's own files; a frame without a file is the engine's */
export function packageOf(file: string | null): string | null {
  if (file === null || file.startsWith('node:internal')) return 'node';
  if (file.startsWith('node:')) return file.replace(/\/.*/, '');
  if (MILLRACE.test(file)) return 'millrace';
  const inside = file.split(PACKAGES).slice(1).at(-1);
  return inside === undefined ? null : inside.split(/[\\/]/, inside.startsWith('@') ? 2 : 1).join('/');
}
