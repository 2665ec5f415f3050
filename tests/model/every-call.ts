/** One harmless call of every script that looks at the layout's version. */
import { cancel } from '#queue/redis/scripts/cancel';
import { configure } from '#queue/redis/scripts/configure';
import { depend } from '#queue/redis/scripts/depend';
import { extend } from '#queue/redis/scripts/extend';
import { outbox } from '#queue/redis/scripts/outbox';
import { patch } from '#queue/redis/scripts/patch';
import { prune } from '#queue/redis/scripts/prune';
import { remove } from '#queue/redis/scripts/remove';
import { repair } from '#queue/redis/scripts/repair';
import { report } from '#queue/redis/scripts/report';
import { requeue } from '#queue/redis/scripts/requeue';
import { serve } from '#queue/redis/scripts/serve';
import { submit } from '#queue/redis/scripts/submit';
import { tick } from '#queue/redis/scripts/tick';
import { unblock } from '#queue/redis/scripts/unblock';
import { work } from '#queue/redis/scripts/work';
import type { World } from './model-command';
import { QUEUE } from './model-task';

const ids = ['T'.padEnd(26, 'x')];
const id = ids[0] ?? '';
const error = { fingerprint: '00000bad', body: '{}' };
const none = { completed: 0, failed: 0, cancelled: 0 };
const record = { readHash: '', spec: '', dueAt: null, tagsRemoved: '', tagsAdded: '', oldName: '', newName: '' };
const lane = { queue: QUEUE, workerId: 'w3', lane: '0', nonce: 'newer', settles: [], want: 1, leaseMs: 1000 };

export const everyCall: readonly ((run: World['raw']) => Promise<unknown>)[] = [
  (run) => run(cancel, { ids, reason: 'x', parentTypes: [] }),
  (run) => run(configure, { paused: 1 }),
  (run) => run(depend, [{ parent: id, child: `${QUEUE}|${id}` }]),
  (run) => run(extend, { leaseMs: 1000, held: [{ id, token: 't' }] }),
  (run) => run(patch, { id, ...record }),
  (run) => run(prune, { limit: 1, retention: { count: none, ageMs: none, bytes: 0 } }),
  (run) => run(outbox, { limit: 1, told: [] }),
  (run) => run(remove, ids),
  (run) => run(repair, { limit: 1, everyMs: 0, restMs: 0 }),
  (run) => run(report, [{ id, token: 't', progress: { percent: 1, message: null }, logs: [] }]),
  (run) => run(requeue, { ids, payload: null, priority: null, keysChecked: true }),
  (run) => run(serve, { ttlMs: 1, limit: 1, types: ['a'] }),
  (run) => run(submit, []),
  (run) => run(tick, { limit: 1, lost: error, expired: error }),
  (run) =>
    run(unblock, { fingerprint: error.fingerprint, ends: [{ child: id, parent: id, verdict: 'C', body: '{}' }] }),
  (run) => run(work, { ...lane, types: ['a'] }),
];
