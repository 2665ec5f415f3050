/**
 * What an operator must look at, worst first, each in a sentence with its numbers. Pure. `sinceMs` is told only where
 * the data has it: the first failure of a group, the moment a target was missed, a last fetch, an empty queue.
 */
import type { FailureGroup } from '#queue/contract/failure';
import type { Queue, StatsOverview } from '#queue/contract/queue';
import type { SystemState } from '#queue/contract/session';
import type { Worker } from '#queue/contract/worker';
import type { IconName } from '../../components/icon-paths';
import { formatBytes, formatDuration, formatNumber, formatRate, formatShare, plural, splitError } from '../../format';
import { href } from '../../router.svelte';
import { isDeaf, type Troubles, troublesOf } from '../../stores/queue-trouble';

export type Severity = 'critical' | 'warning';
export type AttentionKind =
  | 'failures'
  | 'unserved'
  | 'grows'
  | 'memory'
  | 'eviction'
  | 'late'
  | 'deaf'
  | 'blocked'
  | 'held'
  | 'clock';

export interface AttentionItem {
  /** Stable while the trouble lasts. */
  readonly id: string;
  readonly kind: AttentionKind;
  readonly severity: Severity;
  readonly icon: IconName;
  readonly title: string;
  /** A task type that the detail begins with. */
  readonly subject?: string;
  readonly detail: string;
  /** Unix ms; null where the data does not tell. */
  readonly sinceMs: number | null;
  /** Where it can be looked into; null where there is no such place. */
  readonly href: string | null;
  /** Within its kind, how bad. */
  readonly weight: number;
}

export interface Situation {
  /** Unix ms. */
  readonly now: number;
  /** What counts as new. */
  readonly rangeMs: number;
  readonly stats: StatsOverview;
  readonly queues: readonly Queue[];
  readonly workers: readonly Worker[];
  readonly groups: readonly FailureGroup[];
  readonly gauges: SystemState | null;
  /** By queue, when it was last seen empty; absent where that is not known. */
  readonly emptyAt: ReadonlyMap<string, number>;
}

const ORDER: readonly AttentionKind[] = [
  'unserved',
  'memory',
  'eviction',
  'failures',
  'grows',
  'late',
  'deaf',
  'blocked',
  'held',
  'clock',
];
/** A group that failed within it goes on failing. */
const ONGOING_MS = 5 * 60_000;
const MANY_FAILURES = 10;
/** Groups with a row of their own. */
const GROUPS = 2;
const MEMORY = { warn: 0.8, bad: 0.9 } as const;
const CLOCK_MS = 2000;

export function attentionOf(situation: Situation): AttentionItem[] {
  const { queues, workers, gauges } = situation;
  const items = [
    ...failures(situation),
    ...queues.flatMap((queue) => ofQueue(queue, troublesOf(queue, workers), situation)),
    ...fleet(situation),
    ...(gauges === null ? [] : ofRedis(gauges)),
  ];
  return items.sort(
    (a, b) =>
      Number(b.severity === 'critical') - Number(a.severity === 'critical') ||
      ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind) ||
      b.weight - a.weight ||
      a.id.localeCompare(b.id),
  );
}

function failures({ groups, now, rangeMs }: Situation): AttentionItem[] {
  const shown = groups
    .map((group) => ({
      group,
      isNew: now - Date.parse(group.first_at) <= rangeMs,
      ongoing: now - Date.parse(group.last_at) <= ONGOING_MS,
    }))
    .filter(({ isNew, ongoing }) => isNew || ongoing)
    .sort((a, b) => Number(b.ongoing) - Number(a.ongoing) || b.group.count - a.group.count);
  const items = shown.slice(0, GROUPS).map(({ group, isNew, ongoing }): AttentionItem => {
    const { fingerprint, error, task_type, queues, count, first_at, last_at } = group;
    const title = shortError(error);
    const age = formatDuration(Math.max(1000, now - Date.parse(last_at)));
    return {
      id: `failures ${fingerprint}`,
      kind: 'failures',
      severity: ongoing && count >= MANY_FAILURES ? 'critical' : 'warning',
      icon: 'failures',
      title: `${isNew ? 'New failure group' : 'Failures go on'} ×${formatNumber(count)}: ${title}`,
      subject: task_type,
      detail: `in ${queues.join(', ')}, last ${age} ago`,
      sinceMs: Date.parse(first_at),
      href: href('failures', [], { group: fingerprint }),
      weight: count,
    };
  });
  const rest = shown.slice(GROUPS);
  if (rest.length === 0) return items;
  return [
    ...items,
    {
      id: 'failures rest',
      kind: 'failures',
      severity: 'warning',
      icon: 'failures',
      title: plural(rest.length, 'more failure group'),
      detail: plural(
        rest.reduce((sum, { group }) => sum + group.count, 0),
        'dead letter',
      ),
      sinceMs: null,
      href: href('failures'),
      weight: 0,
    },
  ];
}

/** `ECONNRESET: read ECONNRESET` says its name twice; the message alone leaves room for itself. */
export function shortError(error: string): string {
  const [, name, message] = /^([\w.]+): (.+)$/s.exec(error) ?? [];
  const { head, tail } = splitError(name !== undefined && message?.includes(name) ? message : error);
  return `${head}${tail}`;
}

/** The cause only: a queue that nobody serves is late as well, and says so in its second line. */
function ofQueue(queue: Queue, troubles: Troubles, { workers, emptyAt }: Situation): AttentionItem[] {
  const { name, depth, rate_in, rate_out, limits, oldest_pending_age, oldest_pending_at } = queue;
  const oldest = oldest_pending_age === null ? null : formatDuration(oldest_pending_age * 1000);
  const oldestMs = oldest_pending_at === null ? null : Date.parse(oldest_pending_at);
  const target = limits.target_age === null ? '' : `, target ${formatDuration(limits.target_age * 1000)}`;
  const waiting = plural(depth.pending, 'task waits', 'tasks wait');
  const item = { href: href('queues', [name]), weight: depth.pending };
  if (troubles.unserved) {
    if (workers.length === 0) return []; // told once, of all queues
    const detail = `${waiting}${oldest === null ? '' : `, the oldest for ${oldest}`}`;
    const title = `${name}: no worker serves it`;
    return [
      {
        ...item,
        id: `queue ${name}`,
        kind: 'unserved',
        severity: 'critical',
        icon: 'unplugged',
        title,
        detail,
        sinceMs: oldestMs,
      },
    ];
  }
  if (troubles.grows) {
    const retrying = depth.retrying > 0 ? `; ${formatNumber(depth.retrying)} wait for a retry` : '';
    const late = troubles.late === 'plain' || oldest === null ? retrying : `; oldest ${oldest}${target}`;
    const detail = `in ${formatRate(rate_in)}/s, out ${formatRate(rate_out)}/s${late}`;
    const title = `${name} does not drain: ETA never`;
    const sinceMs = emptyAt.get(name) ?? null;
    return [
      { ...item, id: `queue ${name}`, kind: 'grows', severity: 'critical', icon: 'trend', title, detail, sinceMs },
    ];
  }
  if (troubles.late !== 'plain' && oldest !== null && oldestMs !== null && limits.target_age !== null) {
    const full = limits.concurrency !== null && queue.running >= limits.concurrency;
    const load = full
      ? `all ${formatNumber(queue.running)} of its limit run`
      : `${plural(queue.running, 'task runs', 'tasks run')}`;
    return [
      {
        ...item,
        id: `queue ${name}`,
        kind: 'late',
        severity: troubles.late === 'bad' ? 'critical' : 'warning',
        icon: 'hourglass',
        title: `${name}: oldest pending ${oldest}`,
        detail: `target ${formatDuration(limits.target_age * 1000)}; ${load}, ${waiting}`,
        sinceMs: oldestMs + limits.target_age * 1000,
      },
    ];
  }
  if (!troubles.held) return [];
  const detail = `${oldest === null ? '' : `the oldest for ${oldest}; `}in ${formatRate(rate_in)}/s`;
  const title = `${name} is paused: ${waiting}`;
  return [
    { ...item, id: `queue ${name}`, kind: 'held', severity: 'warning', icon: 'pause', title, detail, sinceMs: null },
  ];
}

function fleet({ workers, queues, stats, now }: Situation): AttentionItem[] {
  const items: AttentionItem[] = [];
  const waiting = queues.filter((queue) => queue.depth.pending > 0 && !queue.paused);
  if (workers.length === 0 && waiting.length > 0) {
    const oldest = waiting.flatMap(({ oldest_pending_at }) =>
      oldest_pending_at === null ? [] : [Date.parse(oldest_pending_at)],
    );
    items.push({
      id: 'workers none',
      kind: 'unserved',
      severity: 'critical',
      icon: 'unplugged',
      title: 'No worker is connected',
      detail: `${plural(stats.pending, 'task waits', 'tasks wait')} in ${plural(waiting.length, 'queue')}`,
      sinceMs: oldest.length === 0 ? null : Math.min(...oldest),
      href: href('workers'),
      weight: stats.pending,
    });
  }
  const allDeaf = workers.length > 0 && workers.every(isDeaf);
  for (const worker of workers) {
    const { id, host, pid, running, concurrency, last_fetch_at } = worker;
    const item = { href: href('workers', [id]), weight: concurrency };
    const name = `${host}:${pid}`;
    if (isDeaf(worker)) {
      const last = last_fetch_at ? Date.parse(last_fetch_at) : null;
      items.push({
        ...item,
        id: `worker ${id}`,
        kind: 'deaf',
        severity: allDeaf ? 'critical' : 'warning',
        icon: 'unplugged',
        title: `${name} is connected but not fetching`,
        detail: `${last === null ? 'no fetch yet' : `last fetch ${formatDuration(Math.max(0, now - last))} ago`}; ${running.length} of ${concurrency} slots busy`,
        sinceMs: last,
      });
    } else if (worker.blocked) {
      const types = [...new Set(running.map(({ task_type }) => task_type))].join(', ');
      items.push({
        ...item,
        id: `worker ${id}`,
        kind: 'blocked',
        severity: 'warning',
        icon: 'hourglass',
        title: `${name} is blocked: its event loop stands still`,
        detail: types === '' ? 'no task runs' : `runs ${types}`,
        sinceMs: null,
      });
    }
  }
  return items;
}

function ofRedis({ redis }: SystemState): AttentionItem[] {
  const { memory_bytes: used, max_memory_bytes: most, eviction_policy: policy, clock_offset_ms: offset } = redis;
  const items: AttentionItem[] = [];
  if (used !== null && most !== null && most > 0 && used / most >= MEMORY.warn) {
    items.push({
      id: 'redis memory',
      kind: 'memory',
      severity: used / most >= MEMORY.bad ? 'critical' : 'warning',
      icon: 'database',
      title: `Redis memory is ${formatShare(used / most)} full`,
      detail: `${formatBytes(used)} of ${formatBytes(most)}; at the limit new tasks are refused`,
      sinceMs: null,
      href: null,
      weight: used / most,
    });
  }
  if (policy !== null && policy !== 'noeviction') {
    const tasks = policy.startsWith('allkeys');
    items.push({
      id: 'redis eviction',
      kind: 'eviction',
      severity: tasks ? 'critical' : 'warning',
      icon: 'database',
      title: `Redis deletes ${tasks ? 'tasks' : 'idempotency keys'} when its memory is full`,
      detail: `maxmemory-policy is ${policy}; it must be noeviction`,
      sinceMs: null,
      href: null,
      weight: tasks ? 1 : 0,
    });
  }
  if (offset !== null && Math.abs(offset) > CLOCK_MS) {
    items.push({
      id: 'redis clock',
      kind: 'clock',
      severity: 'warning',
      icon: 'clock',
      title: `The clock of Redis is ${formatDuration(Math.abs(offset))} ${offset > 0 ? 'ahead' : 'behind'}`,
      detail: 'ages and delays are off by as much',
      sinceMs: null,
      href: null,
      weight: Math.abs(offset),
    });
  }
  return items;
}

/** The largest failure group that began within the range and is large enough to have marked it; null where none has. */
export function incidentOf(groups: readonly FailureGroup[], now: number, rangeMs: number): FailureGroup | null {
  let largest: FailureGroup | null = null;
  for (const group of groups) {
    if (group.count < MANY_FAILURES || now - Date.parse(group.first_at) > rangeMs) continue;
    if (largest === null || group.count > largest.count) largest = group;
  }
  return largest;
}

/** `2 critical, 1 warning` */
export function severityWords(items: readonly AttentionItem[]): string {
  const critical = items.filter(({ severity }) => severity === 'critical').length;
  const warnings = items.length - critical;
  return [critical > 0 ? `${critical} critical` : '', warnings > 0 ? plural(warnings, 'warning') : '']
    .filter((words) => words !== '')
    .join(', ');
}
