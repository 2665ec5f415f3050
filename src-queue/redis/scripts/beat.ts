import { defineScript } from '../script';
import lua from './beat.lua?raw';
import { QUEUE, textList } from './lib/pieces';

export interface BeatInput {
  id: string;
  /** JSON of the worker, or null where only types are announced. */
  worker: string | null;
  ttlMs: number;
  /** Task type → JSON. */
  types: readonly (readonly [type: string, json: string])[];
}

/** A worker tells of itself. @returns what it is asked to do. See beat.lua. */
export const beat = defineScript<BeatInput, string[]>({
  name: 'beat',
  lua,
  lib: QUEUE,
  args: ({ id, worker, ttlMs, types }) => [id, worker ?? '', ttlMs, ...types.flat()],
  read: textList,
});
