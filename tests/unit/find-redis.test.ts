import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { findRedisProgram, isAtLeast, parseVersion } from '#main/local-redis/find';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'millrace-find-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** A program that answers --version with `answer`. */
function program(path: string, answer: string): string {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\necho '${answer}'\n`);
  chmodSync(file, 0o755);
  return file;
}
const redis = (version: string) => `Redis server v=${version} sha=00000000:0 malloc=jemalloc-5.2.1 bits=64 build=0`;
const valkey = (version: string) => `Valkey server v=${version} sha=00000000:0 malloc=libc bits=64 build=0`;

const find = (...folders: string[]) =>
  findRedisProgram({
    resourcesDir: join(root, 'resources'),
    searchPath: folders.map((folder) => join(root, folder)).join(delimiter),
    platform: 'linux',
  });

it('takes the bundled program before one on PATH', async () => {
  program('usr/redis-server', redis('7.4.2'));
  const path = program('resources/redis/redis-server', redis('7.0.15'));
  expect(await find('usr')).toEqual({ path, kind: 'redis', version: '7.0.15', source: 'bundled' });
});

it('takes the program that a checkout has staged for this platform', async () => {
  const path = program(`resources/redis/linux-${process.arch}/redis-server`, redis('7.0.15'));
  expect((await find()).path).toBe(path);
});

it('passes over programs that are too old or do not run, and takes Valkey of any version', async () => {
  program('old/redis-server', redis('6.0.16'));
  program('broken/redis-server', 'Segmentation fault');
  const path = program('new/valkey-server', valkey('1.0.0'));
  expect(await find('old', 'broken', 'new')).toEqual({ path, kind: 'valkey', version: '1.0.0', source: 'path' });
});

it('says what it found and what to install where nothing can be used', async () => {
  const path = program('old/redis-server', redis('6.2.7'));
  await expect(find('old')).rejects.toMatchObject({
    code: 'too_old',
    message: expect.stringContaining(`${path} is version 6.2.7`),
  });
  await expect(find('empty')).rejects.toMatchObject({
    code: 'not_found',
    message: expect.stringContaining('Install one:'),
  });
});

it.each([
  ['7.0.0', true],
  ['7.0.15', true],
  ['10.0.0', true],
  ['6.9.99', false],
  ['6.10.0', false],
])('compares versions by number: %s', (version, expected) => {
  expect(isAtLeast(version, '7.0.0')).toBe(expected);
});

it('reads the versions that Redis and Valkey print, and no other text', () => {
  expect(parseVersion(redis('7.0.15'))).toEqual({ kind: 'redis', version: '7.0.15' });
  expect(parseVersion(valkey('8.1.0'))).toEqual({ kind: 'valkey', version: '8.1.0' });
  expect(parseVersion('redis-cli 7.0.15')).toBeNull();
});
