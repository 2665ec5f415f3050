/**
 * What anybody may send: every route of the contract is sent what it wants and what it does not, made from its own
 * schemas. Nothing may break, stall, be stored half, or leave anything behind in the process (catalogue 47 to 53).
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { METHODS, type Route } from '#queue/contract/http';
import { type RouteName, routes } from '#queue/contract/http-routes';
import { answerFaults, problemFaults } from '../support/contract-answer';
import { InputWorld } from '../support/input-world';
import { requestsTo } from '../support/route-requests';

const REQUESTS = 60;
const table: Readonly<Record<RouteName, Route>> = routes;
const names = Object.keys(routes) as RouteName[];

let input: InputWorld;
let known: Record<string, readonly string[]>;

/** What each route has answered so far: `2xx`, `4xx`. */
const seen = new Map<string, Set<string>>();

beforeAll(async () => {
  input = await InputWorld.start();
  known = await input.furnish();
});
afterAll(() => input?.[Symbol.asyncDispose]());

describe('every route of the contract', () => {
  it.each(names)('%s answers as the contract says, whatever it is sent', async (name) => {
    const route = table[name];
    const there = { ...known, ...(await input.freshTasks()) };
    const answers = new Set<string>();
    seen.set(`${route.method} ${route.path}`, answers);
    await fc.assert(
      fc.asyncProperty(requestsTo(route, there), async (request) => {
        const answer = await input.http.send(request);
        if (request.method === route.method) answers.add(`${Math.floor(answer.status / 100)}xx`);
        expect(answerFaults(route, request, answer)).toEqual([]);
      }),
      { numRuns: REQUESTS },
    );
  });

  it('is among those that were sent something, and answered both ways where it can', async () => {
    const Document = z.object({ paths: z.record(z.string(), z.record(z.string(), z.unknown())) });
    const { paths } = Document.parse(await (await input.api.call('GET', '/openapi.json')).json());
    const documented = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const sent = new Set(
      names.flatMap((name) =>
        [table[name].path, ...(table[name].aliases ?? [])].map((path) => `${table[name].method} ${path}`),
      ),
    );
    expect(documented.filter((one) => !sent.has(one))).toEqual([]);
    const oneSided = names
      .filter((name) => table[name].body !== undefined && table[name].planned !== true)
      .filter((name) => {
        const answers = seen.get(`${table[name].method} ${table[name].path}`);
        return !answers?.has('2xx') || !answers.has('4xx');
      });
    // In an open connection there is nothing to unlock.
    expect(oneSided).toEqual(['unlockSession']);
  });

  it('answers methods that it does not have with 405 and those that it has', async () => {
    const paths = [...new Set(names.map((name) => table[name].path))];
    for (const path of paths) {
      const filled = path.replace(/\{\w+\}/g, 'x');
      // `bulk`, `suggest`, `groups`: with another method these are ids of what has routes for one.
      const others = names.filter((name) =>
        new RegExp(`^${table[name].path.replace(/\{\w+\}/g, '[^/]+')}$`).test(filled),
      );
      const has = others.map((name) => table[name].method);
      for (const method of [...METHODS, 'TRACE', 'PROPFIND', 'QUERY', 'HEAD', 'OPTIONS'].filter(
        (one) => !has.includes(one as never),
      )) {
        const answer = await input.http.send({ method, path: filled, headers: {}, body: null });
        if (method === 'OPTIONS')
          expect([answer.status, answer.headers.allow]).toEqual([204, expect.stringContaining(has[0] ?? '')]);
        else if (method === 'HEAD' && has.includes('GET')) expect([path, answer.status]).not.toEqual([path, 500]);
        else if (method === 'HEAD') expect(answer.status).toBe(405);
        else {
          expect([method, path, answer.status]).toEqual([method, path, 405]);
          expect(problemFaults(null, answer)).toEqual([]);
          expect(answer.headers.allow).toContain(has[0]);
        }
      }
    }
  });
});

it('has done all that without a word of an unexpected failure, and still does its work', async () => {
  const { grown, violations } = await input.stillWorks();
  const alarms = input.logged.split('\n').filter((line) => /unexpected|unhandled|"level":"(error|fatal)"/i.test(line));
  expect({ alarms, grown, violations }).toEqual({ alarms: [], grown: [], violations: [] });
});
