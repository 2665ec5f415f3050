import { defineScript } from '../script';
import lua from './latest.lua?raw';
import { list, QUEUE } from './lib/pieces';

/** The task of one type that completed last, from a bounded look. See latest.lua. */
export const latest = defineScript<{ type: string; most: number }, { id: string; finishedAt: number } | null>({
  name: 'latest',
  lua,
  lib: QUEUE,
  args: ({ type, most }) => [type, most],
  read: (reply) => {
    const [id, finishedAt] = list(reply);
    return id === undefined ? null : { id: String(id), finishedAt: Number(finishedAt) };
  },
});
