/** A stack as it is read: own frames in sight, those of libraries folded. Pure. */
import type { StackFrame } from '#queue/contract/failure';
import { packageOf, stackFrames } from '#queue/contract/stack-frames';

export interface StackLine {
  /** Empty where it has none. */
  readonly name: string;
  readonly place: string;
  readonly raw: string;
}

export type StackPart =
  | { readonly kind: 'own'; readonly frame: StackLine }
  | { readonly kind: 'library'; readonly frames: readonly StackLine[]; readonly packages: readonly string[] }
  /** What follows it is of the error that led to the one above. */
  | { readonly kind: 'cause'; readonly text: string };

const PLACE_PARTS = 2;

/** @param stack with or without the message in front, which is passed over */
export function readStack(stack: string): StackPart[] {
  return stack.split(/^(?=Caused by:)/m).flatMap((section): StackPart[] => {
    const end = section.search(/^\s+at /m);
    const frames = foldedFrames(stackFrames(section.slice(Math.max(0, end))));
    return section.startsWith('Caused by:')
      ? [{ kind: 'cause', text: section.slice(0, end < 0 ? undefined : end).trim() }, ...frames]
      : frames;
  });
}

function foldedFrames(frames: readonly StackFrame[]): StackPart[] {
  const parts: StackPart[] = [];
  let folded: { frames: StackLine[]; packages: string[] } | null = null;
  for (const frame of frames) {
    const library = packageOf(frame.file);
    if (library === null) {
      parts.push({ kind: 'own', frame: lineOf(frame) });
      folded = null;
      continue;
    }
    if (folded === null) {
      folded = { frames: [], packages: [] };
      parts.push({ kind: 'library', ...folded });
    }
    folded.frames.push(lineOf(frame));
    if (!folded.packages.includes(library)) folded.packages.push(library);
  }
  return parts;
}

const lineOf = (frame: StackFrame): StackLine => ({
  name: (frame.function ?? (frame.file === null ? frame.text.replace(/^at /, '') : '')).replace(/^Object\./, ''),
  place: framePlace(frame),
  raw: frame.text,
});

/** `handlers/charge.ts:47`: the file with the folder it is in. */
export function framePlace({ file, line }: StackFrame): string {
  if (file === null) return '';
  const short = file.split(/[/\\]/).slice(-PLACE_PARTS).join('/');
  return line === null ? short : `${short}:${line}`;
}
