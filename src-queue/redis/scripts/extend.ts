import type { LeaseRef } from '../calls';
import { defineScript } from '../script';
import lua from './extend.lua?raw';
import { list, QUEUE, textList } from './lib/pieces';

/** Keeps leases. See extend.lua. */
export const extend = defineScript<
  { leaseMs: number; held: readonly LeaseRef[] },
  { lost: string[]; cancelRequested: string[] }
>({
  name: 'extend',
  lua,
  lib: QUEUE,
  args: ({ leaseMs, held }) => [leaseMs, ...held.flatMap(({ id, token }) => [id, token])],
  read: (reply) => {
    const [lost, asked] = list(reply);
    return { lost: textList(lost), cancelRequested: textList(asked) };
  },
});
