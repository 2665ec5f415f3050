/** Workers that stand by, and what was handed to them, as the model keeps it. */
import type { WorkCall } from '#queue/redis/calls';

const LONGEST_STAND_MS = 10_000;
const HANDING_MS = 1_000;
const FORGOTTEN_MS = 60_000;

export interface Stander {
  workerId: string;
  nonce: string;
  leaseMs: number;
  types: readonly string[];
  /** Wall ms. */
  until: number;
}

export class StandbyModel {
  /** Line of the set → who stands by. */
  readonly standing = new Map<string, Stander>();
  /** Worker → when what it has not fetched is taken back, by the queue clock. */
  readonly handing = new Map<string, number>();
  /** Worker → the list that it fetches from, and how long that stays, wall ms. */
  readonly inboxes = new Map<string, { entries: { id: string; token: string }[]; until: number }>();

  static line({ workerId, leaseMs, types }: Pick<WorkCall, 'workerId' | 'leaseMs' | 'types'>, nonce: string): string {
    return `${workerId}|${nonce}|${leaseMs}|,${types.join(',')},`;
  }

  /** The one that said so last, where it still holds. */
  last(wall: number): [string, Stander] | null {
    const [last] = [...this.standing]
      .filter(([, { until }]) => until > wall && until <= wall + LONGEST_STAND_MS)
      .sort(([a, one], [b, other]) => other.until - one.until || (a < b ? 1 : -1));
    return last ?? null;
  }

  handOver(line: string, entry: { id: string; token: string }, { wall, mono }: { wall: number; mono: number }): void {
    const stander = this.standing.get(line);
    if (stander === undefined) throw new Error('nobody stands by');
    this.standing.delete(line);
    const entries = [...this.inbox(stander.workerId, wall), entry];
    this.inboxes.set(stander.workerId, { entries, until: wall + 2 * stander.leaseMs });
    this.handing.set(stander.workerId, mono + HANDING_MS);
  }

  inbox(workerId: string, wall: number): { id: string; token: string }[] {
    const inbox = this.inboxes.get(workerId);
    return inbox !== undefined && wall <= inbox.until ? inbox.entries : [];
  }

  /** Forgets lists whose time is over. @returns whose they were */
  lapse(wall: number): string[] {
    const lapsed = [...this.inboxes].flatMap(([workerId, { until }]) => (wall > until ? [workerId] : []));
    for (const workerId of lapsed) this.inboxes.delete(workerId);
    return lapsed;
  }

  /** What a worker finds that takes one off its list. */
  fetch(workerId: string, wall: number): { id: string; token: string } | null {
    const [first, ...rest] = this.inbox(workerId, wall);
    const inbox = this.inboxes.get(workerId);
    if (first === undefined || inbox === undefined) return null;
    this.inboxes.set(workerId, { ...inbox, entries: rest });
    return first;
  }

  /** @returns what was not fetched in time: its lists are gone */
  notFetched({ wall, mono }: { wall: number; mono: number }): { id: string; token: string }[] {
    for (const [line, { until }] of this.standing) if (until <= wall - FORGOTTEN_MS) this.standing.delete(line);
    const late = [...this.handing]
      .filter(([, due]) => due <= mono)
      .sort(([a, one], [b, other]) => one - other || (a < b ? -1 : 1));
    return late.flatMap(([workerId]) => {
      const entries = this.inbox(workerId, wall);
      this.handing.delete(workerId);
      this.inboxes.delete(workerId);
      return entries;
    });
  }
}
