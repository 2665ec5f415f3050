import { defineScript } from '../script';
import { QUEUE } from './lib/pieces';
import lua from './serve.lua?raw';

/** A worker says which types it runs here. @returns parked tasks that returned to pending. See serve.lua. */
export const serve = defineScript<{ ttlMs: number; limit: number; types: readonly string[] }, number>({
  name: 'serve',
  lua,
  lib: QUEUE,
  args: ({ ttlMs, limit, types }) => [ttlMs, limit, ...types],
  read: Number,
});
