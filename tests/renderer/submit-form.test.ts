import { expect, it } from 'vitest';
import { beginPayload, outlinePayload } from '../../src-renderer/stores/payload-outline';
import { SubmitForm } from '../../src-renderer/stores/submit-form.svelte';

function filled(
  change: Partial<Pick<SubmitForm, 'type' | 'queue' | 'priority' | 'name' | 'maxRetries' | 'timeout' | 'payload'>> = {},
): SubmitForm {
  return Object.assign(new SubmitForm(), { type: 'email', ...change });
}

it('makes the smallest request of what is filled in', () => {
  expect(filled({ payload: '{"to":"ines"}' }).request).toEqual({
    task_type: 'email',
    queue: 'default',
    priority: 5,
    payload: { to: 'ines' },
  });
  expect(filled({ maxRetries: '0', timeout: '1.5', name: ' x ' }).request).toMatchObject({
    max_retries: 0,
    timeout: 1.5,
    name: 'x',
  });
  expect(filled().errors).toEqual([]);
});

it.each([
  ['priority', { priority: '11' }],
  ['priority', { priority: '' }],
  ['priority', { priority: 'high' }],
  ['queue', { queue: 'no spaces' }],
  ['task_type', { type: 'Email' }],
  ['max_retries', { maxRetries: '1.5' }],
  ['timeout', { timeout: '0' }],
  ['payload', { payload: '{"to": }' }],
  ['payload', { payload: '[1]' }],
  ['payload', { payload: '{"a": 1e400}' }],
  ['payload', { payload: '{"a": {"__proto__": 1}}' }],
])('finds what is wrong with %s in %o', (path, change) => {
  const form = filled(change);
  form.tried = true;
  expect(form.errorOf(path)).not.toBe('');
  expect(form.errors).toHaveLength(1);
});

it('asks for the type only when it was tried without', () => {
  const form = filled({ type: '' });
  expect(form.errorOf('task_type')).toBe('');
  form.tried = true;
  expect(form.errorOf('task_type')).toBe('is required');
});

it('tells the line of a payload that is not JSON', () => {
  expect(filled({ payload: '{\n  "a": 1\n  "b": 2\n}' }).parsed.line).toBe(3);
});

it("shows the server's verdict at its field until something is changed", () => {
  const form = filled();
  form.refused = [{ path: 'payload.to', message: 'is required' }];
  expect(form.errorOf('payload')).toBe('to is required');
  form.touch();
  expect(form.errorOf('payload')).toBe('');
});

it('outlines a payload from its JSON Schema, and begins one with the required fields', () => {
  const schema = {
    type: 'object',
    properties: {
      cc: { type: ['string', 'null'] },
      to: { type: 'string', description: 'who' },
      mode: { enum: ['a', 'b'] },
      n: { type: 'integer', default: 2 },
    },
    required: ['to', 'mode', 'n'],
  };
  expect(outlinePayload(schema)[0]).toEqual({ name: 'to', kind: 'string', required: true, description: 'who' });
  expect(outlinePayload(schema)[3]).toMatchObject({ name: 'cc', kind: 'string or null', required: false });
  expect(beginPayload(schema)).toEqual({ to: '', mode: 'a', n: 2 });
  expect(outlinePayload(null)).toEqual([]);
  expect(beginPayload(true)).toEqual({});
});
