import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createWorld } from '../support/api-world';
import { createTempFolder } from '../support/handler-context';

const HTML = { accept: 'text/html,application/xhtml+xml' };

async function dashboard() {
  const folder = await createTempFolder();
  const dir = join(folder.path, 'out');
  await mkdir(join(dir, 'assets'), { recursive: true });
  await writeFile(join(dir, 'index.html'), '<!doctype html><title>console</title>');
  await writeFile(join(dir, 'assets', 'index-B1x9_aZ3.js'), 'run()');
  await writeFile(join(dir, 'icon.svg'), '<svg/>');
  await writeFile(join(folder.path, 'secret.txt'), 'secret');
  const world = createWorld({ settings: { dashboardDir: dir } });
  return { ...world, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

describe('the dashboard', () => {
  it('is served at / with a policy that lets nothing in from outside', async () => {
    await using world = await dashboard();
    const { status, text, headers } = await world.call('GET', '/', undefined, { host: 'localhost:8000' });
    expect([status, text]).toEqual([200, '<!doctype html><title>console</title>']);
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(headers.get('content-security-policy')).toMatch(
      /default-src 'none'; script-src 'self'; style-src 'self';.*connect-src 'self' ws:\/\/localhost:8000/,
    );
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(headers.get('cache-control')).toBe('no-cache');
  });

  it('lets hashed files be kept for ever, and answers 304 for what has not changed', async () => {
    await using world = await dashboard();
    const asset = await world.call('GET', '/assets/index-B1x9_aZ3.js');
    expect([asset.headers.get('cache-control'), asset.headers.get('content-type')]).toEqual([
      'public, max-age=31536000, immutable',
      'text/javascript; charset=utf-8',
    ]);
    const icon = await world.call('GET', '/icon.svg');
    expect(icon.headers.get('cache-control')).toBe('no-cache');
    expect(
      (await world.call('GET', '/icon.svg', undefined, { 'if-none-match': icon.headers.get('etag') ?? '' })).status,
    ).toBe(304);
  });

  it('serves its screens to browsers, and 404 to programs', async () => {
    await using world = await dashboard();
    expect((await world.call('GET', '/failures/groups', undefined, HTML)).text).toContain('console');
    expect((await world.call('GET', '/failures/groups')).status).toBe(404);
    expect((await world.call('GET', '/missing.js', undefined, HTML)).status).toBe(404);
    expect((await world.call('GET', '/api/nope', undefined, HTML)).status).toBe(404);
    expect((await world.call('POST', '/failures', undefined, HTML)).status).toBe(404);
  });

  it.each([
    '/../secret.txt',
    '/%2e%2e/secret.txt',
    '/assets/%2e%2e%2f%2e%2e%2fsecret.txt',
    '/..%5csecret.txt',
    '/assets/..%00',
    '/.hidden',
  ])('does not lead out of its folder by %s', async (path) => {
    await using world = await dashboard();
    const { status, text } = await world.call('GET', path);
    expect(status).toBe(404);
    expect(text).not.toBe('secret');
  });

  it('says how to build it where it is missing', async () => {
    const { status, text } = await createWorld().call('GET', '/');
    expect(status).toBe(200);
    expect(text).toContain('npm run build');
  });
});

describe('the documentation page', () => {
  const docsAssetsDir = dirname(createRequire(__filename).resolve('swagger-ui-dist/package.json'));

  it('loads everything from this process', async () => {
    const { call } = createWorld({ settings: { docsAssetsDir } });
    const page = await call('GET', '/docs');
    expect(page.headers.get('content-security-policy')).toContain("script-src 'self'");
    const sources = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, source]) => source ?? '');
    expect(sources.length).toBeGreaterThanOrEqual(3);
    for (const source of sources) {
      expect(source.startsWith('/docs/')).toBe(true);
      expect((await call('GET', source)).status).toBe(200);
    }
    expect((await call('GET', '/docs/start.js')).text).toContain("url: '/openapi.json'");
  });

  it('serves no other files of that folder', async () => {
    const { call } = createWorld({ settings: { docsAssetsDir } });
    for (const name of ['package.json', 'index.html', '..%2fpackage.json', 'swagger-ui-bundle.js.map'])
      expect((await call('GET', `/docs/${name}`)).status).toBe(404);
  });

  it('points to the document where the reader is not shipped', async () => {
    expect((await createWorld().call('GET', '/docs')).text).toContain('/openapi.json');
  });
});

describe('artifacts', () => {
  it('go with their task when it is deleted, and stay where it is not', async () => {
    await using folder = await createTempFolder();
    const artifactsDir = join(folder.path, 'artifacts');
    const { call, queue } = createWorld({ settings: { artifactsDir } });
    const [ended, running] = [queue.put({ status: 'completed' }), queue.put({ status: 'processing' })];
    for (const { id } of [ended, running]) {
      await mkdir(join(artifactsDir, id), { recursive: true });
      await writeFile(join(artifactsDir, id, 'out.txt'), 'x');
    }
    expect((await call('DELETE', `/api/tasks/${ended.id}`)).status).toBe(204);
    expect((await call('DELETE', `/api/tasks/${running.id}`)).status).toBe(409);
    expect(await readdir(artifactsDir)).toEqual([running.id]);
  });

  async function withArtifacts() {
    const folder = await createTempFolder();
    const world = createWorld({ settings: { artifactsDir: join(folder.path, 'artifacts') } });
    const { id } = world.queue.put();
    const dir = join(folder.path, 'artifacts', id);
    await mkdir(join(dir, 'sub'), { recursive: true });
    await writeFile(join(dir, 'report.pdf'), '%PDF');
    await writeFile(join(dir, 'empty.txt'), '');
    await writeFile(join(dir, 'Übersicht "1".html'), '<script>alert(1)</script>');
    await writeFile(join(folder.path, 'secret.txt'), 'secret');
    await symlink(join(folder.path, 'secret.txt'), join(dir, 'link.txt'));
    return { ...world, id, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
  }

  it('are listed by name, files only', async () => {
    await using world = await withArtifacts();
    const { body } = await world.call('GET', `/api/tasks/${world.id}/artifacts`);
    expect(body.artifacts.map(({ name, bytes }: { name: string; bytes: number }) => [name, bytes])).toEqual([
      ['empty.txt', 0],
      ['report.pdf', 4],
      ['Übersicht "1".html', 25],
    ]);
    expect((await world.call('GET', `/api/tasks/${world.queue.put().id}/artifacts`)).body.artifacts).toEqual([]);
    expect((await world.call('GET', '/api/tasks/01KA9Z6Q0MB0Q3T5V7X9YABCDE/artifacts')).status).toBe(404);
  });

  it('are downloaded as attachments that no browser shows', async () => {
    await using world = await withArtifacts();
    const { status, text, headers } = await world.call(
      'GET',
      `/api/tasks/${world.id}/artifacts/${encodeURIComponent('Übersicht "1".html')}`,
    );
    expect([status, text]).toEqual([200, '<script>alert(1)</script>']);
    expect(headers.get('content-type')).toBe('application/octet-stream');
    expect(headers.get('content-disposition')).toBe(
      `attachment; filename="_bersicht _1_.html"; filename*=UTF-8''%C3%9Cbersicht%20%221%22.html`,
    );
    expect(headers.get('content-security-policy')).toContain('sandbox');
    expect((await world.call('GET', `/api/tasks/${world.id}/artifacts/empty.txt`)).text).toBe('');
  });

  it.each([
    '..%2f..%2fsecret.txt',
    '%2e%2e',
    '..',
    '.',
    'link.txt',
    'sub',
    'none.txt',
    'a%00b',
    '..%5c..%5csecret.txt',
    'x'.repeat(256),
  ])('lead nowhere by the name %s', async (name) => {
    await using world = await withArtifacts();
    const { status, text } = await world.call('GET', `/api/tasks/${world.id}/artifacts/${name}`);
    expect(text).not.toBe('secret');
    if (!['.', '..', '%2e%2e'].includes(name)) expect(status).toBe(404); // those lead to other routes
  });
});
