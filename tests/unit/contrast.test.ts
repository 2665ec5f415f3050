import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const CSS = readFileSync(join(import.meta.dirname, '../../src-renderer/styles/tokens.css'), 'utf8');

/** Values of the custom properties of one block, such as `[data-theme='dark']`; `var()` is followed. */
function tokens(...selectors: string[]): (name: string) => string {
  const known = new Map<string, string>();
  for (const selector of selectors) {
    const at = CSS.indexOf(`${selector} {`);
    if (at < 0) throw new Error(`tokens.css has no block ${selector}`);
    const block = CSS.slice(at, CSS.indexOf('}', at));
    for (const [, name = '', value = ''] of block.matchAll(/--([\w-]+):\s*([^;]+);/g)) known.set(name, value.trim());
  }
  const read = (name: string): string => {
    const value = known.get(name);
    if (value === undefined) throw new Error(`tokens.css has no --${name} in ${selectors.join(', ')}`);
    const other = /^var\(--([\w-]+)\)$/.exec(value)?.[1];
    return other === undefined ? value : read(other);
  };
  return read;
}

/** Relative luminance, WCAG 2.2. */
function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const channel = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [light = 0, dark = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}

const STATES = ['scheduled', 'blocked', 'pending', 'processing', 'retrying', 'completed', 'failed', 'cancelled'];
const TEXTS = ['text', 'muted', 'faint', ...STATES.map((state) => `st-${state}`)];
const SURFACES = ['bg', 'panel', 'raised'];

describe.each(['light', 'dark'])('the %s theme', (theme) => {
  const of =
    theme === 'light'
      ? tokens(":root,\n[data-theme='light']")
      : tokens(":root,\n[data-theme='light']", "[data-theme='dark']");
  const pairs = (fronts: string[], backs: string[]) =>
    fronts.flatMap((front) => backs.map((back) => [front, back] as const));

  it.each(pairs(TEXTS, SURFACES))('%s on %s reads with 4.5:1 at least', (front, back) => {
    expect(contrast(of(front), of(back))).toBeGreaterThanOrEqual(4.5);
  });

  it.each([
    ...pairs(['text', 'muted'], ['select', 'warn-bg', 'bad-bg']),
    ['on-primary', 'primary'] as const,
    ['on-primary', 'primary-hover'] as const,
    ['primary', 'bg'] as const,
    ['bg', 'text'] as const,
  ])('%s on %s reads with 4.5:1 at least', (front, back) => {
    expect(contrast(of(front), of(back))).toBeGreaterThanOrEqual(4.5);
  });

  it.each(pairs(['line-strong', 'focus'], SURFACES))('%s on %s is seen with 3:1 at least', (front, back) => {
    expect(contrast(of(front), of(back))).toBeGreaterThanOrEqual(3);
  });
});

it.each(['production', 'staging', 'local', 'dev'])('%s reads in the colour of its environment', (environment) => {
  const of = tokens(`[data-env='${environment}']`);
  expect(contrast(of('on-env'), of('env'))).toBeGreaterThanOrEqual(4.5);
});
