import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

/** [file, what it imports]: the table of CONTRIBUTING.md, broken. */
const FORBIDDEN: readonly [string, string][] = [
  ['src-queue/contract/a.ts', 'node:fs'],
  ['src-queue/contract/a.ts', '../kernel/clock'],
  ['src-queue/contract/a.ts', 'hono'],
  ['src-queue/kernel/a.ts', '../contract/task'],
  ['src-queue/kernel/a.ts', 'ioredis'],
  ['src-queue/kernel/a.ts', 'electron'],
  ['src-queue/redis/a.ts', '../engine/ports'],
  ['src-queue/redis/scripts/a.ts', '../../engine/ports'],
  ['src-queue/redis/a.ts', '#main/config'],
  ['src-queue/engine/a.ts', 'ioredis'],
  ['src-queue/engine/a.ts', 'electron'],
  ['src-queue/engine/a.ts', '#worker/handler'],
  ['src-worker/a.ts', '#queue/redis/connection'],
  ['src-worker/a.ts', '#main/config'],
  ['src-worker/a.ts', '../src-main/config'],
  ['src-worker/a.ts', 'electron'],
  ['src-worker/handlers/a.ts', 'ioredis'],
  ['src-main/headless.ts', 'electron'],
  ['src-main/headless.ts', './desktop/window'],
  ['src-main/server/a.ts', '#queue/redis/connection'],
  ['src-main/server/a.ts', '../desktop/window'],
  ['src-main/server/routes/a.ts', 'electron'],
  ['src-main/pools/a.ts', 'ioredis'],
  ['src-main/cli/a.ts', 'electron/main'],
  ['src-main/local-redis/a.ts', '#queue/redis/connection'],
  ['src-main/local-redis/a.ts', 'ioredis'],
  ['src-main/doctor/a.ts', '#queue/redis/connection'],
  ['src-main/desktop/a.ts', '#queue/engine/ports'],
  ['src-main/desktop/a.ts', '#queue/redis/probe'],
  ['src-main/bridge/a.ts', '#worker/handler'],
  ['src-renderer/net/a.ts', 'node:fs'],
  ['src-renderer/net/a.ts', 'electron'],
  ['src-renderer/net/a.ts', '#queue/engine/ports'],
  ['src-renderer/net/a.ts', '#main/config'],
  ['src-renderer/views/a.ts', '../../src-main/config'],
  ['src-renderer/views/A.svelte', '#queue/kernel/clock'],
  ['src-renderer/components/a.ts', '../stores/tasks.svelte'],
  ['src-renderer/components/a.ts', '../net/api-client'],
  ['src-renderer/components/A.svelte', '../views/tasks/Tasks.svelte'],
  ['src-renderer/components/A.svelte', '#main/bridge/contract'],
];

const ALLOWED: readonly [string, string][] = [
  ['src-queue/contract/b.ts', 'zod'],
  ['src-queue/contract/b.ts', './limits'],
  ['src-queue/kernel/b.ts', 'node:fs/promises'],
  ['src-queue/kernel/b.ts', 'pino'],
  ['src-queue/redis/b.ts', 'ioredis'],
  ['src-queue/redis/scripts/b.ts', './work.lua?raw'],
  ['src-queue/redis/scripts/b.ts', '../../contract/limits'],
  ['src-queue/engine/b.ts', '../redis/store'],
  ['src-worker/b.ts', '#queue/engine/ports'],
  ['src-worker/handlers/b.ts', 'sharp'],
  ['src-main/index.ts', 'electron'],
  ['src-main/server/b.ts', '#queue/engine/ports'],
  ['src-main/local-redis/b.ts', '#queue/redis/probe'],
  ['src-main/doctor/b.ts', '#queue/redis/probe'],
  ['src-main/desktop/b.ts', 'electron'],
  ['src-main/desktop/b.ts', '#queue/contract/task'],
  ['src-renderer/net/b.ts', '#queue/contract/task'],
  ['src-renderer/net/b.ts', '#main/bridge/contract'],
  ['src-renderer/views/B.svelte', '../components/Badge.svelte'],
  ['src-renderer/components/B.svelte', 'svelte/transition'],
  ['src-renderer/components/B.svelte', '../format/duration'],
  ['tests/unit/b.ts', '#queue/redis/connection'],
];

let root: string;
let refused: Set<string>;

/** Each in a folder of its own, so that one file may be planted more than once. */
const place = ([file]: readonly [string, string], index: number) => join(`case-${index}`, file);

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'millrace-rules-'));
  cpSync('biome.json', join(root, 'biome.json'));
  for (const [index, planted] of [...FORBIDDEN, ...ALLOWED].entries()) {
    const path = join(root, place(planted, index));
    mkdirSync(dirname(path), { recursive: true });
    // Type-only, the form that other tools miss.
    const code = `import type * as planted from '${planted[1]}';\nexport type Planted = typeof planted;\n`;
    writeFileSync(path, path.endsWith('.svelte') ? `<script lang="ts">\n${code.split('\n')[0]}\n</script>\n` : code);
  }
  const output = await lint();
  refused = new Set([...output.matchAll(/file=(?:\.\/)?(?:\S*?)(case-\d+)\//g)].map((match) => match[1] ?? ''));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function lint(): Promise<string> {
  const biome = resolve('node_modules/@biomejs/biome/bin/biome');
  const args = [
    biome,
    'lint',
    '--only=style/noRestrictedImports',
    '--reporter=github',
    '--max-diagnostics=none',
    '--vcs-enabled=false',
    '.',
  ];
  return new Promise((done) =>
    execFile(process.execPath, args, { cwd: root }, (_error, stdout, stderr) => done(stdout + stderr)),
  );
}

it.each(FORBIDDEN.map((planted, index) => [...planted, index] as const))(
  'keeps %s from importing %s',
  (_file, _source, index) => {
    expect(refused.has(`case-${index}`)).toBe(true);
  },
);

it.each(ALLOWED.map((planted, index) => [...planted, FORBIDDEN.length + index] as const))(
  'lets %s import %s',
  (_file, _source, index) => {
    expect(refused.has(`case-${index}`)).toBe(false);
  },
);
