import fc from 'fast-check';
import { expect, it } from 'vitest';
import { suggest } from '../../src-renderer/query/complete-query';
import { FIELD_NAMES, type Term, writeQuery } from '../../src-renderer/query/fields';
import { mayJoin, readQuery, staysIn } from '../../src-renderer/query/list-scope';
import { parseQuery } from '../../src-renderer/query/parse-query';
import { presetOf, queryOfOldLink, setTerm, withState } from '../../src-renderer/query/query-edits';
import { toRequest } from '../../src-renderer/query/query-request';
import { idOf } from '../support/wire';

const NOW = Date.UTC(2026, 10, 22, 12);
const bare = (text: string) => parseQuery(text).terms.map(({ field, path, value }) => ({ field, path, value }));
const paramsOf = (text: string) => toRequest(parseQuery(text).terms, NOW).params;
const errorOf = (text: string) => readQuery(text, NOW).errors[0];

it('reads every kind of term', () => {
  const text =
    'state:failed,retrying queue:payments type:charge.* tag:"tenant 42" attempts:>=3 payload.order.id:1234 "free text"';
  expect(bare(text)).toEqual([
    { field: 'state', path: '', value: 'failed,retrying' },
    { field: 'queue', path: '', value: 'payments' },
    { field: 'type', path: '', value: 'charge.*' },
    { field: 'tag', path: '', value: 'tenant 42' },
    { field: 'attempts', path: '', value: '>=3' },
    { field: 'payload', path: 'order.id', value: '1234' },
    { field: 'text', path: '', value: 'free text' },
  ]);
  expect(writeQuery(bare(text))).toBe(text);
});

it('joins bare words to one phrase, and takes a bare ULID as an id', () => {
  expect(bare('order was lost')).toEqual([{ field: 'text', path: '', value: 'order was lost' }]);
  expect(bare(idOf(7).toLowerCase())).toEqual([{ field: 'id', path: '', value: idOf(7) }]);
  expect(bare(`"${idOf(7)}"`)).toEqual([{ field: 'text', path: '', value: idOf(7) }]);
});

it('writes any terms so that reading gives the same terms', () => {
  const value = fc.string({ minLength: 1, maxLength: 12 }).filter((text) => text.trim() !== '');
  const path = fc.stringMatching(/^[a-z_][a-z0-9_.]{0,8}$/);
  const term: fc.Arbitrary<Term> = fc
    .record({ field: fc.constantFrom(...FIELD_NAMES), path, value })
    .map(({ field, path, value }) => ({
      field,
      path: field === 'payload' ? path : '',
      value: field === 'id' ? value.toUpperCase() : value,
    }));
  // two searches next to each other are refused later; one phrase is one term here
  const terms = fc
    .array(term, { maxLength: 6 })
    .map((all) =>
      all.filter((each, n) => each.field !== 'text' || all.findIndex(({ field }) => field === 'text') === n),
    );
  fc.assert(
    fc.property(terms, (all) => {
      expect(bare(writeQuery(all))).toEqual(all);
    }),
  );
});

it.each([
  ['foo:bar', 0, 7, 'foo is not a field'],
  ['queue:a tag:"x', 8, 14, 'not closed'],
  ['queue:', 0, 6, 'no value'],
  ['state:lost', 0, 10, 'lost is no state'],
  ['queue:a queue:b', 8, 15, 'twice'],
  ['queue:_bad', 0, 10, 'queue must be 1 to 64'],
  ['attempts:3', 0, 10, 'attempts:>=3'],
  ['run:30s', 0, 7, 'run:>30s'],
  ['created:2h', 0, 10, 'created:>-2h'],
  ['payload:1', 0, 9, 'payload.order.id:1234'],
  ['"a" "b"', 4, 7, 'twice'],
])('says what is wrong in %s, and where', (text, from, to, message) => {
  expect(errorOf(text)).toMatchObject({ from, to });
  expect(errorOf(text)?.message).toContain(message);
  expect(readQuery(text, NOW).scope).toBeNull();
});

it('asks the server with its own parameters', () => {
  expect(paramsOf('state:failed,retrying queue:payments tag:x owner:y error:ECONN created:>-2h "a b"')).toEqual({
    status: 'failed,retrying',
    queue: 'payments',
    tag: 'x',
    owner: 'y',
    error: 'ECONN',
    since: '2026-11-22T10:00:00.000Z',
    q: 'a b',
  });
  expect(paramsOf('created:<2026-11-01T00:00Z')).toEqual({ until: '2026-11-01T00:00:00.000Z' });
  expect(paramsOf(idOf(3))).toEqual({ q: idOf(3) });
});

const summary = { id: idOf(1), queue: 'payments', task_type: 'charge.refund', status: 'failed' } as const;
it.each([
  ['', true, true],
  ['state:failed,retrying queue:payments', true, true],
  ['state:pending', false, false],
  ['queue:emails', false, false],
  ['tag:x', true, false],
  ['"words"', true, false],
  ['tag:x state:pending', false, false],
])('tells of a changed task whether it stays in, or may join, %s', (text, stays, joins) => {
  const { scope } = readQuery(text, NOW);
  if (scope === null) throw new Error('no scope');
  expect([staysIn(scope, summary), mayJoin(scope, summary)]).toEqual([stays, joins]);
});

it('sets, replaces and removes a term where it stands', () => {
  const terms = bare('queue:a "x"');
  expect(writeQuery(setTerm(terms, 'state', 'failed'))).toBe('state:failed queue:a x');
  expect(writeQuery(setTerm(terms, 'queue', 'b'))).toBe('queue:b x');
  expect(writeQuery(setTerm(terms, 'queue', ''))).toBe('x');
  expect(withState('state:failed x', '')).toBe('x');
  expect(presetOf(bare('state:retrying,failed'))).toBe('unresolved');
  expect(presetOf(bare('state:pending'))).toBeNull();
  expect(presetOf([])).toBe('all');
});

it('understands links of before', () => {
  expect(queryOfOldLink({ status: 'failed', queue: 'a', type: 'b', q: 'x y' })).toBe(
    'state:failed queue:a type:b "x y"',
  );
  expect(queryOfOldLink({ status: 'lost' })).toBe('');
});

it('offers fields, then values with their counts, and the words as a search at the end', () => {
  expect(suggest('st', []).map(({ text }) => text)).toEqual(['state:', 'st']);
  const values = [
    { value: 'ECONNRESET', count: 1904 },
    { value: 'ETIMEDOUT', count: 3 },
  ];
  expect(suggest('error:ECON', values)).toMatchObject([
    { text: 'error:ECONNRESET', count: 1904, cost: 'indexed' },
    { text: 'ECON', cost: 'scan' },
  ]);
  expect(suggest('state:failed,re', []).map(({ text }) => text)).toEqual(['state:failed,retrying']);
});
