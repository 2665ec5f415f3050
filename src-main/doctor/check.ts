/**
 * One look of the doctor: what was found, and how to mend it. A check never throws; one that breaks says so as a
 * failure, and one whose ground is missing (no connection, no right to ask) is skipped.
 */
import type { Clock } from '#queue/kernel/clock';

export const CHECK_STATES = ['ok', 'warn', 'fail', 'skipped'] as const;
export type CheckState = (typeof CHECK_STATES)[number];

export interface Finding {
  state: CheckState;
  /** What is true, in a sentence for people. */
  detail: string;
  /** What to do about it; null where nothing is wrong or nothing can be done. */
  cure: string | null;
}

export interface Check extends Finding {
  name: string;
  /** How long the look took, whole ms. */
  ms: number;
}

export interface Look {
  name: string;
  run: () => Promise<Finding>;
}

export const ok = (detail: string): Finding => ({ state: 'ok', detail, cure: null });
export const warn = (detail: string, cure: string | null): Finding => ({ state: 'warn', detail, cure });
export const fail = (detail: string, cure: string | null): Finding => ({ state: 'fail', detail, cure });
export const skipped = (detail: string): Finding => ({ state: 'skipped', detail, cure: null });

/** One after the other, so that they do not disturb each other's measurements. */
export async function runLooks(looks: readonly Look[], clock: Clock): Promise<Check[]> {
  const checks: Check[] = [];
  for (const { name, run } of looks) {
    const started = clock.monotonic();
    const finding = await run().catch((error: unknown) =>
      fail(error instanceof Error ? error.message : String(error), null),
    );
    checks.push({ name, ...finding, ms: Math.round(clock.monotonic() - started) });
  }
  return checks;
}

/** 1.5 GiB, 20 MiB, … for a number of bytes. */
export function sizeText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, bytes)) / 10)));
  const value = bytes / 1024 ** power;
  return `${value >= 10 || power === 0 ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
}
