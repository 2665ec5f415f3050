import { describe, expect, it } from 'vitest';
import { ERRORS } from '#queue/contract/errors';
import type { Route } from '#queue/contract/http';
import { routes } from '#queue/contract/http-routes';
import { createWorld } from '../support/api-world';

const table: Record<string, Route> = routes;
const ID = '01KA9Z6Q0MB0Q3T5V7X9YABCDE';
const fill = (path: string) => path.replace('{id}', ID).replace('{queue}', 'default').replace('{name}', 'a.txt');

describe('paths', () => {
  it.each(Object.entries(table))('of %s are served with and without a slash at the end', async (_name, route) => {
    const { app } = createWorld();
    for (const path of [route.path, ...(route.aliases ?? [])]) {
      const statuses = await Promise.all(
        [fill(path), `${fill(path)}/`].map(async (at) => (await app.request(at, { method: route.method })).status),
      );
      expect(statuses[0]).toBe(statuses[1]);
      expect([405, 500]).not.toContain(statuses[0]);
    }
  });

  it.each([
    '/nope',
    '/api',
    '/api/nope',
    '/api/tasks/x/y/z',
    '/api//tasks',
    '/apitasks',
    '/tasks/bulk/x',
    '/%2e%2e/etc/passwd',
    '/docs/index.html',
    '/%',
    '/api/%E0%A4%A',
  ])('%s is 404 with a problem document', async (path) => {
    for (const method of ['GET', 'POST', 'DELETE']) {
      const { status, body } = await createWorld().call(method, path);
      expect([status, body.code]).toEqual([404, 'NOT_FOUND']);
    }
  });

  it.each([
    ['PUT', '/api/tasks', 'GET, HEAD, OPTIONS, POST'],
    ['POST', `/api/tasks/${ID}`, 'DELETE, GET, HEAD, OPTIONS, PATCH'],
    ['DELETE', '/api/queues/default/limits/', 'OPTIONS, PUT'],
    ['POST', '/health', 'GET, HEAD, OPTIONS'],
    ['DELETE', '/tasks', 'GET, HEAD, OPTIONS, POST'],
    ['PATCH', '/openapi.json', 'GET, HEAD, OPTIONS'],
  ])('%s %s is 405 with what is allowed', async (method, path, allowed) => {
    const { status, headers, body } = await createWorld().call(method, path);
    expect([status, body.code]).toEqual([405, 'METHOD_NOT_ALLOWED']);
    expect(headers.get('allow')?.split(', ').sort().join(', ')).toBe(allowed);
  });

  it('answer OPTIONS with what is allowed, and no CORS', async () => {
    const { status, headers } = await createWorld().call('OPTIONS', '/api/tasks');
    expect(status).toBe(204);
    expect(headers.get('allow')).toContain('POST');
    expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  it('answer HEAD without a body', async () => {
    const { status, text } = await createWorld().call('HEAD', '/health');
    expect([status, text]).toEqual([200, '']);
  });

  it('of /ws say that a WebSocket belongs there', async () => {
    expect((await createWorld().call('GET', '/ws')).body.detail).toContain('WebSocket');
  });
});

it.each(Object.entries(table).filter(([, route]) => route.planned))(
  '%s answers 501 until a later version, whatever is sent',
  async (_name, route) => {
    const { status, body } = await createWorld().call(
      route.method,
      fill(route.path),
      route.method === 'GET' ? undefined : { any: 'thing' },
    );
    expect([status, body.code]).toEqual([501, 'NOT_IMPLEMENTED']);
  },
);

it('carries headers that keep browsers from misusing an answer, on every kind of it', async () => {
  const { call } = createWorld();
  for (const path of ['/api/tasks', '/nope', '/', '/docs', '/metrics', '/openapi.json']) {
    const { headers } = await call('GET', path);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('cache-control')).toBe('no-store');
  }
});

it('tells nothing of an unexpected failure but that there was one', async () => {
  const { call } = createWorld({ engine: { pause: () => Promise.reject(new Error('password=hunter2')) } });
  const { status, text } = await call('POST', '/api/queues/default/pause');
  expect(status).toBe(500);
  expect(text).not.toContain('hunter2');
});

describe('the OpenAPI document', () => {
  // biome-ignore lint/suspicious/noExplicitAny: a document is read here by paths that the tests name
  const read = async (): Promise<any> => (await createWorld().call('GET', '/openapi.json')).body;

  it('is 3.1 and has every route and alias, with its statuses', async () => {
    const document = await read();
    expect(document.openapi).toBe('3.1.0');
    for (const route of Object.values(table)) {
      for (const path of [route.path, ...(route.aliases ?? [])]) {
        const operation = document.paths[path]?.[route.method.toLowerCase()];
        expect(operation, `${route.method} ${path}`).toBeDefined();
        const expected = [...Object.keys(route.replies), ...route.errors.map((code) => String(ERRORS[code].status))];
        expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(expected));
        expect(operation.responses['501'] !== undefined || !route.planned).toBe(true);
      }
    }
  });

  it('refers only to what it has, and names operations once', async () => {
    const document = await read();
    const text = JSON.stringify(document);
    expect(text).not.toContain('$defs');
    for (const [, name] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g))
      expect(document.components.schemas, String(name)).toHaveProperty([String(name)]);
    const ids = Object.values(document.paths).flatMap((methods) =>
      Object.values(methods as Record<string, { operationId: string }>).map(({ operationId }) => operationId),
    );
    expect(new Set(ids).size).toBe(ids.length);
    for (const path of Object.keys(document.paths)) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      for (const operation of Object.values(document.paths[path]) as { parameters: { name: string; in: string }[] }[]) {
        expect(operation.parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name)).toEqual(
          named,
        );
      }
    }
  });

  it('tells senders what is optional and readers what is always there', async () => {
    const { components } = await read();
    expect(components.schemas.SubmitTask.required).toEqual(['task_type']);
    expect(components.schemas.SubmitTask.properties.backoff).toMatchObject({
      $ref: '#/components/schemas/BackoffInput',
    });
    expect(components.schemas.SubmitTask.additionalProperties).toBe(false);
    expect(components.schemas.BackoffInput.required).toBeUndefined();
    expect(components.schemas.Task.required).toContain('created_at');
    expect(components.schemas.Task.properties.backoff).toMatchObject({ $ref: '#/components/schemas/Backoff' });
    expect(components.schemas.Backoff.required).toEqual(['type', 'base', 'max', 'jitter']);
    expect(components.schemas.Time.type).toBe('string');
  });

  it('tells the bounds of parameters', async () => {
    const { paths } = await read();
    const byName = Object.fromEntries(
      paths['/api/tasks'].get.parameters.map((parameter: { name: string }) => [parameter.name, parameter]),
    );
    expect(byName.limit.schema).toMatchObject({ type: 'integer', minimum: 1, maximum: 1000, default: 100 });
    expect(byName.status).toMatchObject({ style: 'form', explode: false, required: false, schema: { type: 'array' } });
    expect(paths['/api/tasks'].post.parameters[0]).toMatchObject({
      name: 'Idempotency-Key',
      in: 'header',
      required: false,
    });
    expect(Object.keys(paths['/api/tasks/bulk'].post.requestBody.content)).toEqual([
      'application/json',
      'application/x-ndjson',
    ]);
  });
});
