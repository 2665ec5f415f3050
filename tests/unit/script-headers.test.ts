import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const FOLDER = join(import.meta.dirname, '../../src-queue/redis/scripts');
const scripts = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.lua'))
  .map((file) => ({ file, lua: readFileSync(join(FOLDER, file), 'utf8') }));

/** The highest ARGV index that the code reads as a constant. */
const highestArgument = (code: string): number =>
  Math.max(0, ...[...code.matchAll(/ARGV\[(\d+)\]/g)].map((match) => Number(match[1])));

/** Arguments that the header names: `ARGV[3] want`, `ARGV[2..4] …`; then whether more follow. */
function headerArguments(header: string): { highest: number; more: boolean } {
  const named = [...header.matchAll(/ARGV\[(\d+)(?:\.\.(\d+))?\]/g)].map((match) => Number(match[2] ?? match[1]));
  return { highest: Math.max(0, ...named), more: /^-- (then |ARGV {4})|; then /m.test(header) };
}

describe('every script', () => {
  it.each(scripts)('$file states its keys, arguments, reply and cost, and uses no others', ({ file, lua }) => {
    const lines = lua.split('\n');
    const header = lines
      .slice(
        1,
        lines.findIndex((line, index) => index > 0 && !line.startsWith('--')),
      )
      .join('\n');
    const code = lines.filter((line) => !line.startsWith('--')).join('\n');
    expect(lines[0]).toMatch(/^#!lua( flags=(allow-oom|no-writes))?$/);
    expect(header).toContain(`-- ${file}: `);
    expect(header).toMatch(/-- KEYS\[1\] meta HASH mr:\{(q|_sys)\}:meta/);
    expect(header).toContain('-- RETURNS ');
    expect(header).toContain('-- COST ');
    expect([...code.matchAll(/KEYS\[(\d+)\]/g)].every((match) => match[1] === '1')).toBe(true);
    const stated = headerArguments(header);
    if (!stated.more) expect(highestArgument(code)).toBeLessThanOrEqual(stated.highest);
    expect(header.includes('DERIVES') || !/P \.\. '(t|h|log|deps|waits|ix|i):/.test(code)).toBe(true);
  });

  it.each(scripts)('$file has a wrapper of the same name', ({ file }) => {
    const name = file.replace('.lua', '');
    const wrapper = readFileSync(join(FOLDER, `${name}.ts`), 'utf8');
    expect(wrapper).toContain(`name: '${name}'`);
    expect(wrapper).toContain(`from './${file}?raw'`);
  });

  it.each(scripts)('$file lets only numbers made by %d leave, and never decodes user data', ({ lua }) => {
    expect(lua).not.toMatch(/cjson|cmsgpack/);
    expect(lua).not.toMatch(/tostring\(/);
  });
});
