import { cp, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { FatalError } from '#worker/handler';
import { HandlerLoadError, loadHandlers } from '#worker/loader';
import * as millrace from '#worker/millrace';
import { attemptWorld } from '../support/attempt-world';

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** A folder far from any node_modules. */
async function folderOf(files: Record<string, string>): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'millrace-handlers-')));
  ends.push(() => rm(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return folder;
}

const load = (...folders: string[]) => loadHandlers(folders, { millrace });
const esm = (type: string) =>
  `import { defineHandler } from 'millrace';\nexport default defineHandler({ type: '${type}', run: () => 1 });\n`;

async function faultsOf(files: Record<string, string>): Promise<readonly string[]> {
  const error: unknown = await load(await folderOf(files)).catch((thrown: unknown) => thrown);
  if (!(error instanceof HandlerLoadError)) throw new Error(`expected a HandlerLoadError, got ${String(error)}`);
  return error.faults;
}

describe('handler files', () => {
  it('may be TypeScript, JavaScript, ESM and CommonJS, one handler or several', async () => {
    const folder = await folderOf({
      'a.ts': `import { defineHandler, z } from 'millrace';
interface Row { id: number }
export default defineHandler({ type: 'a', payload: z.object({ rows: z.array(z.object({ id: z.number() })) }),
  run: ({ payload }) => payload.rows.map((row: Row): number => row.id) });`,
      'b.js': esm('b'),
      'c.mjs': `const { defineHandler } = await import('millrace');\nexport default [defineHandler({ type: 'c1', run: () => 1 }), defineHandler({ type: 'c2', run: () => 1 })];`,
      'd.cjs': `const { defineHandler } = require('millrace');\nmodule.exports = defineHandler({ type: 'd', run: () => 1 });`,
      'e.mts': esm('e'),
      'deeper/f.ts': esm('f'),
    });
    const loaded = await load(folder);
    expect(loaded.map(({ handler }) => handler.type)).toEqual(['a', 'b', 'c1', 'c2', 'd', 'f', 'e']);
    expect(loaded[0]).toMatchObject({ file: join(folder, 'a.ts'), folder });
  });

  it('share code in lib, and are told apart from tests, types and what node_modules holds', async () => {
    const folder = await folderOf({
      'a.ts': `import { defineHandler } from 'millrace';\nimport { type } from './lib/names';\nexport default defineHandler({ type, run: () => 1 });`,
      'lib/names.ts': `export const type: string = 'from_lib';`,
      'a.test.ts': 'throw new Error("a test");',
      'types.d.ts': 'declare const x: number;',
      'vitest.config.ts': 'throw new Error("a configuration");',
      '_draft.ts': 'throw new Error("a draft");',
      'notes.md': 'hello',
      'node_modules/thing/index.js': 'throw new Error("a package");',
    });
    expect((await load(folder)).map(({ handler }) => handler.type)).toEqual(['from_lib']);
  });

  it('throw the very FatalError that the worker knows, with no node_modules beside them', async () => {
    const folder = await folderOf({
      'a.ts': `import { defineHandler, FatalError } from 'millrace';\nexport default defineHandler({ type: 'a', run: () => { throw new FatalError('no'); } });`,
    });
    const [loaded] = await load(folder);
    const handler = loaded?.handler;
    expect(() => handler && 'run' in handler && handler.run({} as never)).toThrow(FatalError);
  });

  it('may be named singly, and a folder that is named twice is loaded once', async () => {
    const folder = await folderOf({ 'a.ts': esm('a'), 'b.ts': esm('b') });
    expect(await load(join(folder, 'b.ts'))).toHaveLength(1);
    expect(await load(folder, folder)).toHaveLength(2);
  });
});

describe('handler files that cannot be used', () => {
  it('are all told, each with its file and the reason', async () => {
    const faults = await faultsOf({
      'good.ts': esm('good'),
      'syntax.ts': 'export default { type: ',
      'missing.ts': `import nothing from 'not-there';\nexport default nothing;`,
      'throws.js': 'throw new TypeError("at import");',
      'empty.ts': 'export const x = 1;',
    });
    expect(faults).toHaveLength(4);
    expect(faults.join('\n')).toMatch(/empty\.ts: has no default export/);
    expect(faults.join('\n')).toMatch(/missing\.ts: .*Cannot find module 'not-there'/);
    expect(faults.join('\n')).toMatch(/syntax\.ts: .*ParseError/);
    expect(faults.join('\n')).toMatch(/throws\.js: TypeError: at import/);
  });

  it.each([
    ['a bad type', `{ type: 'Bad Type', run: () => 1 }`, /type must be/],
    ['neither run nor exec', `{ type: 'a' }`, /either `run` or `exec`/],
    ['both run and exec', `{ type: 'a', run: () => 1, exec: ['true'] }`, /either `run` or `exec`/],
    [
      'a schema that is none',
      `{ type: 'a', payload: { path: 'string' }, run: () => 1 }`,
      /payload must be a zod schema/,
    ],
    ['a time-out out of bounds', `{ type: 'a', timeout: 0, run: () => 1 }`, /timeout/],
    ['an empty command', `{ type: 'a', exec: [] }`, /exec must name a program/],
    ['a number', '42', /expected object/],
  ])('have %s', async (_, source, reason) => {
    expect((await faultsOf({ 'a.ts': `export default ${source};` })).join()).toMatch(reason);
  });

  it('count within an array, too', async () => {
    expect((await faultsOf({ 'a.ts': `export default [{ type: 'a', run: () => 1 }, {}];` })).join()).toMatch(
      /handler 2 of its default export/,
    );
  });

  it('may be missing altogether', async () => {
    await expect(load('/no/such/folder')).rejects.toThrow(/\/no\/such\/folder: no such folder/);
  });
});

describe('the examples', () => {
  const examples = resolve(import.meta.dirname, '../../examples/handlers');

  async function world() {
    const folder = await folderOf({});
    await cp(examples, folder, { recursive: true }); // away from our own node_modules
    const loaded = await load(folder);
    const all = await attemptWorld(loaded, process.env);
    ends.push(() => all.close());
    return all;
  }

  it('in TypeScript: counts words and keeps the list as an artifact', async () => {
    const { run, root } = await world();
    const { ended } = await run({ type: 'word_count', payload: '{"text":"To be, or not to be","top":2}' });
    expect(await ended).toMatchObject({
      status: 'completed',
      progress: 100,
      result: { words: 6, different: 4, top: { be: 2, to: 2 } },
    });
    const task = await ended;
    expect(await readFile(join(root, task.id, 'words.csv'), 'utf8')).toBe('word,count\nbe,2\nto,2\nnot,1\nor,1\n');
    expect(await (await run({ type: 'word_count', payload: '{"text":"42"}' })).ended).toMatchObject({
      status: 'failed',
    });
  });

  it('in JavaScript: looks at a web page, and comes back later while it is not there', async () => {
    const { run } = await world();
    let status = 200;
    const server = createServer((_, response) => response.writeHead(status, { 'retry-after': '7' }).end());
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const check = async () => (await run({ type: 'site_check', payload: JSON.stringify({ url }) })).ended;
    expect(await check()).toMatchObject({ status: 'completed', result: { url, status: 200 } });
    status = 404;
    expect(await check()).toMatchObject({ status: 'retrying', error: { message: 'answered 404, not 200' } });
    status = 503;
    expect((await check()).settle).toMatchObject({ kind: 'fail', retryInMs: 7_000 });
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
    expect((await check()).settle).toMatchObject({ kind: 'snooze', delayMs: 5_000 });
  });

  it('in Python: counts prime numbers', async () => {
    const { run } = await world();
    const task = await (await run({ type: 'primes', payload: '{"below":1000}' })).ended;
    expect(task).toMatchObject({ status: 'completed', result: { count: 168, largest: 997 } });
    expect(task.progress).toBeGreaterThan(90);
    expect(task.logs[0]?.message).toBe(`attempt 1 of task ${task.id}`);
    expect(await (await run({ type: 'primes', payload: '{"below":2}' })).ended).toMatchObject({
      status: 'failed',
      error: { name: 'FatalError', message: expect.stringContaining('there is no prime number below that') },
    });
  });

  it('in shell: tells how large a folder is', async () => {
    const { run } = await world();
    const task = await (await run({ type: 'disk_usage' })).ended;
    expect(task).toMatchObject({ status: 'completed', result: { unit: 'KiB', size: expect.any(Number) } });
    expect(task).toMatchObject({ progress: 10, progressMessage: 'counting' });
  });
});
