import { expect, it, vi } from 'vitest';
import { formatMoment, formatMomentInFull } from '../../src-renderer/format';

const NOON = Date.UTC(2026, 10, 22, 12);

it('writes a moment of today as a clock, of another day with the day in front', () => {
  expect(formatMoment('2026-11-22T09:05:07.000Z', NOON, 'utc')).toBe('09:05:07 UTC');
  expect(formatMoment('2026-11-20T09:05:07.000Z', NOON, 'utc')).toBe('20 Nov 09:05:07 UTC');
});

it('tells a moment in full with its UTC', () => {
  expect(formatMomentInFull('2026-11-22T09:05:07.123Z')).toContain('\n2026-11-22T09:05:07.123Z');
});

it('makes no formatter for each moment of a list', () => {
  const made = vi.spyOn(Intl, 'DateTimeFormat');
  const dear = (['toLocaleString', 'toLocaleDateString', 'toLocaleTimeString'] as const).map((name) =>
    vi.spyOn(Date.prototype, name),
  );
  const iso = '2026-11-20T00:05:07.123Z';
  expect(formatMoment(iso, NOON, 'utc')).toBe('20 Nov 00:05:07 UTC');
  formatMoment(iso, NOON, 'local');
  formatMomentInFull(iso);
  for (const spy of [made, ...dear]) expect(spy).not.toHaveBeenCalled();
  vi.restoreAllMocks();
});
