/** The frames of a stack, as V8 prints it. */

export interface StackFrame {
  /** The line, trimmed. */
  text: string;
  /** Null where it has no name. */
  function: string | null;
  /** Null where the line names no place, such as `at <anonymous>`. */
  file: string | null;
  line: number | null;
  /** Neither Node's own, nor a package's, nor that of this program around a handler. */
  in_app: boolean;
}

const FRAME = /^\s+at (?:(?:async )?(.+?) \()?(?:file:\/\/)?([^()]+?):(\d+):\d+\)?$/;
const LIBRARY = /^node:|[\\/]node_modules[\\/]/;
/** This program as it is built: its file names change with every build, and no reader can do anything about them. */
const OWN = /[\\/]out[\\/]main[\\/][^\\/]+\.js$/;

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
      in_app: file !== undefined && !LIBRARY.test(file) && !OWN.test(file),
    });
  }
  return frames;
}

/** Where the handler's own code was: the first frame that is of no library. */
export const topFrame = (frames: readonly StackFrame[]): StackFrame | null =>
  frames.find((frame) => frame.in_app) ?? null;
