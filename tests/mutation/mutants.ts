/**
 * Faults that a programmer may well make, put into the scripts one at a time: another operator, a bound that is off by
 * one, a condition that always or never holds, a write that is not there. Made by rule from the text, not chosen.
 */
import { createHash } from 'node:crypto';
import type { Mutation } from '../model/model-world';

export interface Mutant {
  /** The file, the line as it stands there, and the rule: `work.lua: local left = waiting - taken (- → +)`. */
  readonly name: string;
  readonly file: string;
  /** Lines of the file, and what they become. */
  readonly from: string;
  readonly to: string;
  readonly mutation: Mutation;
}

interface Rule {
  readonly name: string;
  /** @returns the line with the fault in it, or null where the rule does not fit */
  readonly apply: (line: string) => string | null;
}

const replaced =
  (from: string, to: string) =>
  (line: string): string | null =>
    line.includes(from) ? line.replace(from, to) : null;

const WRITES =
  /^\s*(?:call\('(?:ZADD|ZREM|HSET|HDEL|SET|SETRANGE|APPEND|DEL|RPUSH|LREM|SADD|SREM|UNLINK|MSET|ZREMRANGEBYRANK)'|many\(|set\(|bury\(|exhume\(|free_unique\(|tell_dependants\(|emit(?:_text)?\()/;
const balanced = (line: string): boolean =>
  [...line].reduce((open, letter) => open + (letter === '(' ? 1 : letter === ')' ? -1 : 0), 0) === 0;

const RULES: readonly Rule[] = [
  { name: '>= → >', apply: replaced(' >= ', ' > ') },
  { name: '<= → <', apply: replaced(' <= ', ' < ') },
  { name: '> → >=', apply: replaced(' > ', ' >= ') },
  { name: '< → <=', apply: replaced(' < ', ' <= ') },
  { name: '== → ~=', apply: replaced(' == ', ' ~= ') },
  { name: '~= → ==', apply: replaced(' ~= ', ' == ') },
  { name: 'and → or', apply: replaced(' and ', ' or ') },
  { name: 'or → and', apply: replaced(' or ', ' and ') },
  { name: '+ 1 → + 0', apply: replaced(' + 1', ' + 0') },
  { name: '- 1 → - 0', apply: replaced(' - 1', ' - 0') },
  { name: 'min → max', apply: replaced('min(', 'max(') },
  {
    name: 'no write',
    apply: (line) => (WRITES.test(line) && balanced(line) ? line.replace(/\S.*/, 'local _') : null),
  },
  {
    name: 'never',
    apply: (line) => (/^\s*if .* then\b/.test(line) ? line.replace(/if .*? then\b/, 'if false then') : null),
  },
  {
    name: 'always',
    apply: (line) => (/^\s*if .* then\b/.test(line) ? line.replace(/if .*? then\b/, 'if true then') : null),
  },
];

/** @param sources text of each script and piece, by its file name */
export function makeMutants(sources: Readonly<Record<string, string>>): Mutant[] {
  return Object.entries(sources).flatMap(([file, text]) => {
    const lines = text.split('\n');
    return lines.flatMap((line, at) => {
      const code = line.replace(/--.*/, '');
      if (code.trim() === '' || line.startsWith('#!') || line.trim().startsWith('--')) return [];
      return RULES.flatMap(({ name, apply }): Mutant[] => {
        const faulty = apply(code);
        if (faulty === null || faulty === code) return [];
        const from = [lines[at - 1] ?? '', line, lines[at + 1] ?? ''].join('\n');
        const to = [lines[at - 1] ?? '', faulty, lines[at + 1] ?? ''].join('\n');
        return [{ name: `${file}: ${code.trim()} (${name})`, file, from, to, mutation: swap(from, to) }];
      });
    });
  });
}

function swap(from: string, to: string): Mutation {
  return (script) => {
    if (!script.source.includes(from)) return script;
    const source = script.source.replace(from, () => to);
    return { ...script, source, sha: createHash('sha1').update(source).digest('hex') };
  };
}
