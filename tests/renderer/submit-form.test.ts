import { expect, it } from 'vitest';
import { lineOfPath, lossyNumber } from '../../src-renderer/stores/json-place';
import { payloadFields } from '../../src-renderer/stores/payload-fields';
import { checkSchema } from '../../src-renderer/stores/schema-check';
import { SubmitForm, type SubmitText } from '../../src-renderer/stores/submit-form.svelte';
import { taskOf } from '../support/wire';

const MAIL = {
  $defs: { Locale: { type: 'string', pattern: '^[a-z]{2}-[A-Z]{2}$' } },
  type: 'object',
  properties: {
    send_at: { type: ['string', 'null'], format: 'date-time', description: 'Sent at once when not set.' },
    to: { type: 'string', format: 'email', pattern: '^[^@]+@[^@]+$' },
    template: { enum: ['order-shipped', 'order-paid'] },
    locale: { $ref: '#/$defs/Locale' },
    vars: {
      type: 'object',
      properties: { order_id: { type: 'integer' }, parcels: { type: 'integer', minimum: 1, maximum: 20 } },
      required: ['order_id'],
    },
    cc: { type: 'array', items: { type: 'string' }, maxItems: 3 },
    ratio: { type: 'number', exclusiveMinimum: 0, maximum: 1, default: 0.5 },
    plain: { type: 'boolean' },
    rows: { type: 'array', items: { type: 'object' } },
    from: { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] },
    note: { anyOf: [{ type: 'string', maxLength: 40 }, { type: 'null' }] },
  },
  required: ['to', 'template'],
  additionalProperties: false,
};

function filled(text: Partial<SubmitText> = {}, payload = '{}', schema: unknown = null): SubmitForm {
  const form = new SubmitForm();
  Object.assign(form.text, { type: 'email', ...text });
  form.payload = payload;
  form.schema = schema;
  return form;
}
const fieldOf = (form: SubmitForm, name: string) => {
  const field = form.fields.find((each) => each.name === name);
  if (field === undefined) throw new Error(`no field ${name}`);
  return field;
};

it('makes fields of a JSON Schema: required first, nested ones dotted, bounds in words, the rest for the editor', () => {
  const fields = payloadFields(MAIL);
  expect(fields.map(({ name, kind, hint, required }) => [name, kind, hint, required])).toEqual([
    ['to', 'string', 'email', true],
    ['template', 'choice', 'one of 2', true],
    ['send_at', 'string', 'time', false],
    ['locale', 'string', '', false],
    ['vars.order_id', 'integer', 'integer', false],
    ['vars.parcels', 'integer', 'integer, 1 to 20', false],
    ['cc', 'list', 'strings, one a line, up to 3', false],
    ['ratio', 'number', 'number, above 0, up to 1', false],
    ['plain', 'boolean', 'boolean', false],
    ['rows', 'json', 'array', false],
    ['from', 'mixed', 'string or array', false],
    ['note', 'string', 'up to 40 characters', false],
  ]);
  expect(fields.find(({ name }) => name === 'send_at')).toMatchObject({
    nullable: true,
    description: 'Sent at once when not set.',
  });
  expect(fields.find(({ name }) => name === 'ratio')?.fallback).toBe('0.5');
});

it.each([
  null,
  true,
  [],
  'x',
  { type: 'string' },
  { $ref: '#' },
  { properties: 7 },
  { properties: { a: { $ref: '#/nowhere' } } },
])('stands any schema: %o', (schema) => {
  expect(() => [payloadFields(schema), checkSchema(schema, { a: 1 })]).not.toThrow();
});

it.each([
  ['to', 'ada@example.com', 'ada@example.com'],
  ['vars.parcels', '2', 2],
  ['vars.parcels', 'two', 'two'],
  ['ratio', '0.5', 0.5],
  ['cc', 'a@b.c\n d@e.f ', ['a@b.c', 'd@e.f']],
  ['cc', '["a, b"]', ['a, b']],
  ['plain', 'false', false],
  ['from', 'ada', 'ada'],
  ['from', '["ada"]', ['ada']],
  ['send_at', 'null', null],
  ['to', '7', '7'],
])('writes %s, typed as %s, into the JSON, and shows what was typed', (name, text, value) => {
  const form = filled({}, '{"keep": [1]}', MAIL);
  form.setField(fieldOf(form, name), text);
  const expected = name.split('.').reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
  expect(JSON.parse(form.payload)).toEqual({ keep: [1], ...(expected as object) });
  expect(form.textOf(fieldOf(form, name))).toBe(text);
});

it('takes an emptied field out, with the object that was only there for it', () => {
  const form = filled({}, '{"to":"a@b.c","vars":{"parcels":2}}', MAIL);
  form.setField(fieldOf(form, 'vars.parcels'), '');
  expect(JSON.parse(form.payload)).toEqual({ to: 'a@b.c' });
});

it('shows in the fields what is written in the editor, also over what was typed in the field', () => {
  const form = filled({}, '{}', MAIL);
  form.setField(fieldOf(form, 'ratio'), '1.');
  expect(form.textOf(fieldOf(form, 'ratio'))).toBe('1.');
  form.payload = '{"ratio": 0.25, "cc": ["x", "y"], "rows": [{}]}';
  expect(form.textOf(fieldOf(form, 'ratio'))).toBe('0.25');
  expect(form.textOf(fieldOf(form, 'cc'))).toBe('x\ny');
  form.payload = '{"ratio": ';
  expect(form.fieldsLocked).not.toBe('');
  form.setField(fieldOf(form, 'ratio'), '1');
  expect(form.payload).toBe('{"ratio": '); // what is being written is not thrown away
});

it('names the fault at the field, at the line of the JSON, and by the name that is shown', () => {
  const payload = JSON.stringify(
    { to: 'a@b.c', template: 'order-paid', vars: { order_id: 1, parcels: 'two' } },
    null,
    2,
  );
  const form = filled({}, payload, MAIL);
  expect(form.errorOf('payload.vars.parcels')).toBe('Expected an integer, got "two"');
  expect(form.payloadError).toEqual({ name: 'vars.parcels', message: 'Expected an integer, got "two"', line: 6 });
  expect(form.errors).toHaveLength(1);
});

it.each([
  ['to', { template: 'order-paid' }, 'Is required'],
  ['vars.parcels', { vars: { order_id: 1, parcels: 21 } }, 'Must be at most 20'],
  ['locale', { locale: 'de' }, 'Must match ^[a-z]{2}-[A-Z]{2}$'],
  ['to', { to: 'nobody' }, 'Is not of the form email'],
  ['template', { template: 'x' }, 'Must be one of "order-shipped", "order-paid"'],
  ['ratio', { ratio: 0 }, 'Must be above 0'],
  ['cc.1', { cc: ['a', 1] }, 'Expected a string, got 1'],
  ['from', { from: 7 }, 'Expected a string or an array, got 7'],
  ['from.0', { from: [7] }, 'Expected a string, got 7'],
  ['other', { other: 1 }, 'Is no field of this type'],
  ['note', { note: 7 }, 'Expected a string or null, got 7'],
])('checks %s in %o', (name, payload, message) => {
  const faults = checkSchema(MAIL, payload);
  expect(faults.find(({ path }) => path === `payload.${name}`)?.message).toBe(message);
});

it('lets pass what the schema allows, and patterns that a browser does not know', () => {
  expect(checkSchema(MAIL, { to: 'a@b.c', template: 'order-paid', send_at: null, note: null, from: ['x'] })).toEqual(
    [],
  );
  expect(checkSchema({ properties: { a: { type: 'string', pattern: '(?i)[' } } }, { a: 'x' })).toEqual([]);
});

it('keeps quiet about what is missing until it was tried', () => {
  const form = filled({ type: '' }, '{}', MAIL);
  expect(form.errors).toEqual([]);
  form.tried = true;
  expect(form.errors.map(({ path }) => path)).toEqual(['payload.to', 'payload.template', 'task_type']);
});

it('makes the smallest request of what is filled in', () => {
  expect(filled({}, '{"to":"ines"}').request).toEqual({
    task_type: 'email',
    queue: 'default',
    priority: 5,
    payload: { to: 'ines' },
  });
});

it('makes the whole request of all options; times count from the last change', () => {
  const form = filled({
    start: 'in',
    delay: '2h',
    maxRetries: '0',
    timeout: '1.5',
    name: ' x ',
    backoffType: 'fixed',
    backoffBase: '2',
    uniqueKey: 'ship:1',
    idempotencyKey: 'once',
    dependsOn: `${taskOf(1).id}, ${taskOf(2).id}`,
  });
  form.tags = ['tenant-42'];
  form.touch(Date.parse('2026-11-25T12:00:00Z'));
  expect(form.request).toEqual({
    task_type: 'email',
    queue: 'default',
    priority: 5,
    payload: {},
    max_retries: 0,
    timeout: 1.5,
    name: 'x',
    backoff: { type: 'fixed', base: 2 },
    run_at: '2026-11-25T14:00:00.000Z',
    tags: ['tenant-42'],
    depends_on: [taskOf(1).id, taskOf(2).id],
    unique_key: 'ship:1',
    idempotency_key: 'once',
  });
  expect(form.errors).toEqual([]);
});

it.each<[string, Partial<SubmitText>, string]>([
  ['priority', { priority: '11' }, '{}'],
  ['priority', { priority: '' }, '{}'],
  ['priority', { priority: 'high' }, '{}'],
  ['queue', { queue: 'no spaces' }, '{}'],
  ['task_type', { type: 'Email' }, '{}'],
  ['max_retries', { maxRetries: '1.5' }, '{}'],
  ['timeout', { timeout: '0' }, '{}'],
  ['backoff', { backoffType: 'fixed', backoffBase: 'x' }, '{}'],
  ['run_at', { start: 'in', delay: 'soon' }, '{}'],
  ['depends_on', { dependsOn: 'yesterday' }, '{}'],
  ['payload', {}, '{"to": }'],
  ['payload', {}, '[1]'],
  ['payload', {}, '{"a": 1e400}'],
  ['payload', {}, '{"a": {"__proto__": 1}}'],
  ['payload', {}, '{"a": 12345678901234567890}'],
  ['payload', {}, JSON.stringify({ a: 'x'.repeat(256 * 1024) })],
])('finds what is wrong with %s in %o', (path, change, payload) => {
  const form = filled(change, payload);
  expect(form.errorOf(path)).not.toBe('');
  expect(form.errors).toHaveLength(1);
});

it('tells the line of a payload that is not JSON', () => {
  expect(filled({}, '{\n  "a": 1\n  "b": 2\n}').payloadError?.line).toBe(3);
  expect(lineOfPath('{\n "a.b": {\n  "c": 1 },\n "a": 2 }', 'a.b.c')).toBe(3);
  expect(lineOfPath('{\n "a": {\n } }', 'a.missing')).toBe(2);
  expect(lossyNumber('{"a": "12345678901234567890", "b": 0.12345678901234567890, "c": 9007199254740992}')).toBeNull();
});

it("shows the server's verdict at its field until something is changed", () => {
  const form = filled();
  form.refused = [
    { path: 'payload.to', message: 'is required' },
    { path: 'tags.0', message: 'is too long' },
  ];
  expect([form.errorOf('payload.to'), form.errorOf('payload'), form.errorOf('tags')]).toEqual([
    'is required',
    'to: is required',
    '0: is too long',
  ]);
  form.touch(0);
  expect(form.errors).toEqual([]);
});

it('begins as a past task was, without what only that one may have', () => {
  const form = filled({ uniqueKey: 'old' });
  form.fill(
    taskOf(1, { queue: 'mail', unique_key: 'k', tags: ['a'], payload: { n: 1 }, run_at: '2026-01-01T00:00:00Z' }),
    '{"n":1}',
  );
  expect(form.request).toMatchObject({ queue: 'mail', tags: ['a'], payload: { n: 1 }, max_retries: 3 });
  expect(form.request).not.toHaveProperty('unique_key');
  expect(form.request).not.toHaveProperty('run_at');
  form.fill(taskOf(1, { payload: { n: 1 } }), '{"n":12345678901234567890}');
  expect(form.payload).toBe('{"n":12345678901234567890}');
});
