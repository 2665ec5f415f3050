import { defineScript } from '../script';
import { QUEUE } from './lib/pieces';
import lua from './patch.lua?raw';

export interface PatchInput {
  id: string;
  /** SHA-1 of the record that was read. */
  readHash: string;
  /** The new record from byte 28 on. */
  spec: string;
  /** Unix ms; 0 is now, null leaves it. */
  dueAt: number | null;
  tagsRemoved: string;
  tagsAdded: string;
  oldName: string;
  newName: string;
}

export type PatchAnswer = 'patched' | 'stale' | 'running' | 'final' | 'gone';
const ANSWERS: Record<string, PatchAnswer> = { P: 'patched', S: 'stale', R: 'running', F: 'final', G: 'gone' };

/** Replaces the record of a task that waits. See patch.lua. */
export const patch = defineScript<PatchInput, PatchAnswer>({
  name: 'patch',
  lua,
  lib: QUEUE,
  args: (input) => [
    input.id,
    input.readHash,
    input.spec,
    input.dueAt === null ? '' : input.dueAt,
    input.tagsRemoved,
    input.tagsAdded,
    input.oldName,
    input.newName,
  ],
  read: (reply) => ANSWERS[String(reply)] ?? 'gone',
});
