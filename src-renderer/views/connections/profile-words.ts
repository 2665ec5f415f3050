/** Profiles and what was found out about them, in words. Pure. */
import type { DiagnoseStep, Profile, ProfileKind } from '#main/bridge/profiles-contract';
import type { SafetyLevel } from '#queue/contract/session';
import { formatDuration, plural } from '../../format';
import type { DiagnoseRun } from '../../stores/profiles-store.svelte';

export const KIND_LABELS: Readonly<Record<ProfileKind, string>> = {
  standalone: 'Standalone',
  sentinel: 'Sentinel',
  cluster: 'Cluster',
  socket: 'Unix socket',
  local: 'Local, managed',
};

export const SAFETY_WORDS: Readonly<Record<SafetyLevel, { label: string; detail: string }>> = {
  open: { label: 'Open', detail: 'Nothing is asked, but for what cannot be taken back.' },
  confirm: { label: 'Confirm', detail: 'Every change asks once. Bulk changes want the name of the queue.' },
  guarded: { label: 'Guarded', detail: 'Bulk changes want a dry run first, then a typed confirmation.' },
  read_only: {
    label: 'Read-only',
    detail: 'Nothing can be changed until it is unlocked, for minutes and with a reason.',
  },
};

/** `sentinel-a.example +2`, `127.0.0.1:6379`, the path of a socket. */
export function placeWords({
  kind,
  host,
  port,
  nodes,
  socketPath,
}: Pick<Profile, 'kind' | 'host' | 'port' | 'nodes' | 'socketPath'>): string {
  if (kind === 'local') return 'managed, on this computer';
  if (kind === 'socket') return socketPath;
  if (kind === 'standalone') return `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return `${nodes[0]?.host ?? ''}${nodes.length > 1 ? ` +${nodes.length - 1}` : ''}`;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** just now · 4 min ago · 2 h ago · yesterday · Mon 16 Nov */
export function formatAgo(at: number, now: number): string {
  const passed = Math.max(0, now - at);
  if (passed < MINUTE_MS) return 'just now';
  if (passed < HOUR_MS) return `${Math.floor(passed / MINUTE_MS)} min ago`;
  const then = new Date(at);
  const today = new Date(now);
  if (then.toDateString() === today.toDateString()) return `${Math.floor(passed / HOUR_MS)} h ago`;
  today.setDate(today.getDate() - 1);
  if (then.toDateString() === today.toDateString()) return 'yesterday';
  return then.toLocaleDateString('en-GB', { weekday: 'short', day: 'numeric', month: 'short' }).replace(',', '');
}

/** `Step 7 of 10, 1.2 s so far`; when it is over, what came of it. */
export function runWords({ steps, startedAt, endedAt, stopped }: DiagnoseRun, now: number): string {
  const at = steps.findIndex(({ state }) => state === 'running');
  if (endedAt === null) {
    if (steps.length === 0) return 'Starting…';
    const passed = formatDuration(Math.max(0, now - startedAt));
    return `Step ${at === -1 ? steps.length : at + 1} of ${steps.length}, ${passed} so far`;
  }
  const passed = formatDuration(endedAt - startedAt);
  const done = steps.filter(({ state }) => state !== 'waiting' && state !== 'running').length;
  if (stopped && done < steps.length) return `Stopped after ${plural(done, 'step')}, ${passed}`;
  const failed = steps.filter(({ state }) => state === 'fail').length;
  const warned = steps.filter(({ state }) => state === 'warn').length;
  const found = [...(failed > 0 ? [`${failed} failed`] : []), ...(warned > 0 ? [plural(warned, 'warning')] : [])];
  return `${plural(steps.length, 'step')} in ${passed}: ${found.length === 0 ? 'all is well' : found.join(', ')}`;
}

/** To be pasted into a ticket. Secrets are masked before the steps come here. */
export function reportText(name: string, run: DiagnoseRun, version: string): string {
  const line = ({ title, state, address, ms, detail, cure }: DiagnoseStep) =>
    [
      `${state.padEnd(8)} ${title}: ${address}${ms === null ? '' : ` (${formatDuration(ms)})`}`,
      ...(detail === '' ? [] : [`         ${detail}`]),
      ...(cure === null ? [] : [`         To do: ${cure}`]),
    ].join('\n');
  const head = `Millrace ${version}, diagnose of “${name}”, ${new Date(run.startedAt).toISOString()}`;
  return `${[head, ...run.steps.map(line)].join('\n')}\n`;
}
