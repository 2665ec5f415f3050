/**
 * The fleet as rows: pools with their workers below them, those that no pool of this server runs at the end. Large
 * pools show what deserves a look and fold the rest. Pure.
 */
import type { Pool, Worker } from '#queue/contract/worker';
import { type Condition, conditionOf, isTroubled, type Observed } from './worker-words';

/** Pools above this fold. */
const UNFOLDED = 8;
/** Rows that a folded pool shows. */
const FOLDED = 5;

export interface FleetMember extends Observed {
  /** Id of the worker. */
  readonly id: string;
  /** Of this server; null where it was started elsewhere. */
  readonly pool: Pool | null;
  readonly condition: Condition;
}

export interface FleetGroup {
  /** Null: those that were started elsewhere. */
  readonly pool: Pool | null;
  readonly members: readonly FleetMember[];
}

export type FleetRow =
  | { readonly kind: 'group'; readonly key: string; readonly group: FleetGroup; readonly open: boolean }
  | { readonly kind: 'worker'; readonly key: string; readonly member: FleetMember }
  | { readonly kind: 'fold'; readonly key: string; readonly count: number; readonly words: string };

export const ELSEWHERE = 'elsewhere';
export const keyOfGroup = ({ pool }: FleetGroup): string => pool?.id ?? ELSEWHERE;

export interface FleetInput {
  readonly pools: readonly Pool[];
  readonly workers: readonly Worker[];
  readonly silentMs: (workerId: string) => number;
  /** Unix ms. */
  readonly now: number;
}

/** Pools by name, those without a pool last; workers of a pool in the order of its processes. */
export function groupFleet({ pools, workers, silentMs, now }: FleetInput): FleetGroup[] {
  // A worker that crashed is in the directory until its heartbeat runs out; its pool knows better.
  const ended = new Set(pools.flatMap(({ exits }) => exits.map(({ worker_id }) => worker_id)));
  const left = new Map(workers.filter(({ id }) => !ended.has(id)).map((worker) => [worker.id, worker]));
  const member = (id: string, worker: Worker | null, process: Observed['process'], pool: Pool | null): FleetMember => {
    const observed = { worker, process, silentMs: silentMs(id) };
    return { id, pool, ...observed, condition: conditionOf(observed, now) };
  };
  const groups = [...pools]
    .sort((a, b) => a.name.localeCompare(b.name))
    .map((pool) => ({
      pool,
      members: pool.members.map((process) => {
        const worker = left.get(process.worker_id) ?? null;
        left.delete(process.worker_id);
        return member(process.worker_id, worker, process, pool);
      }),
    }));
  // What a pool has just let go of is still its own.
  const rest = [...left.values()].sort((a, b) => a.host.localeCompare(b.host) || a.pid - b.pid);
  const known = groups.map(({ pool, members }) => ({
    pool,
    members: [
      ...members,
      ...rest.filter((worker) => worker.pool === pool.id).map((worker) => member(worker.id, worker, null, pool)),
    ],
  }));
  const elsewhere = rest
    .filter((worker) => pools.every(({ id }) => id !== worker.pool))
    .map((worker) => member(worker.id, worker, null, null));
  return elsewhere.length === 0 ? known : [...known, { pool: null, members: elsewhere }];
}

export interface Folding {
  /** Keys of groups that are closed. */
  readonly closed: ReadonlySet<string>;
  /** Keys of groups that show all their workers. */
  readonly whole: ReadonlySet<string>;
}

/** @param shown id of the worker that must be in sight; null for none */
export function fleetRows(groups: readonly FleetGroup[], { closed, whole }: Folding, shown: string | null): FleetRow[] {
  return groups.flatMap((group): FleetRow[] => {
    const key = keyOfGroup(group);
    const head: FleetRow = { kind: 'group', key, group, open: !closed.has(key) };
    if (closed.has(key)) return [head];
    const asRow = (member: FleetMember): FleetRow => ({ kind: 'worker', key: member.id, member });
    if (group.members.length <= UNFOLDED || whole.has(key)) return [head, ...group.members.map(asRow)];
    const notable = group.members.filter(
      ({ id, condition }) => id === shown || isTroubled(condition) || !['busy', 'idle'].includes(condition),
    );
    const plain = group.members.filter((member) => !notable.includes(member));
    const kept = new Set([...notable, ...plain.slice(0, Math.max(0, FOLDED - notable.length))]);
    const folded = group.members.filter((member) => !kept.has(member));
    const words = [...new Set(folded.map(({ condition }) => condition))].join(' or ');
    return [
      head,
      ...group.members.filter((member) => kept.has(member)).map(asRow),
      ...(folded.length === 0
        ? []
        : [{ kind: 'fold' as const, key: `${key}/rest`, count: folded.length, words: `all ${words}` }]),
    ];
  });
}

export const flatRows = (groups: readonly FleetGroup[]): FleetRow[] =>
  groups.flatMap(({ members }) => members.map((member) => ({ kind: 'worker' as const, key: member.id, member })));

/** What a pool adds up to. */
export function sumOf({ members }: FleetGroup): { up: number; busy: number; slots: number; versions: string[] } {
  const workers = members.flatMap(({ worker, condition }) =>
    worker === null || condition === 'waiting' ? [] : [worker],
  );
  return {
    up: members.filter(
      ({ worker, process, condition }) => worker !== null && condition !== 'waiting' && process?.state !== 'stopping',
    ).length,
    busy: workers.reduce((sum, { running }) => sum + running.length, 0),
    slots: workers.reduce((sum, { concurrency }) => sum + concurrency, 0),
    versions: [...new Set(workers.map(({ version }) => version))].sort(),
  };
}

export interface FleetExit {
  readonly key: string;
  readonly pool: Pool;
  readonly exit: Pool['exits'][number];
}

/** Of all pools, the newest first. */
export const exitsOf = (pools: readonly Pool[]): FleetExit[] =>
  pools
    .flatMap((pool) => pool.exits.map((exit) => ({ key: `${exit.worker_id}@${exit.at}`, pool, exit })))
    .sort((a, b) => b.exit.at.localeCompare(a.exit.at));
