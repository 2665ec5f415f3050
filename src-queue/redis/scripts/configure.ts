import { defineScript, type ScriptArg } from '../script';
import lua from './configure.lua?raw';
import { QUEUE } from './lib/pieces';

export type QueueSetting =
  | 'paused'
  | 'concurrency'
  | 'rate_max'
  | 'rate_per'
  | 'target_age'
  | 'aging'
  | 'max_pending'
  | 'durability'
  | 'shards';

/** Settings of a queue; null removes one. @returns false where `aging` cannot change now. See configure.lua. */
export const configure = defineScript<Partial<Record<QueueSetting, ScriptArg | null>>, boolean>({
  name: 'configure',
  lua,
  lib: QUEUE,
  args: (settings) => Object.entries(settings).flatMap(([field, value]) => [field, value === null ? '' : value]),
  read: (reply) => reply === 1,
});
