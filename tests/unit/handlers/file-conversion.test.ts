import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import { readSheet } from 'read-excel-file/node';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { FatalError } from '#worker/handler';
import { createFileConversionHandler, FileConversionPayload } from '#worker/handlers/file-conversion';
import { createBuiltInConfig, createTempFolder, runHandler } from '../../support/handler-context';

vi.setConfig({ testTimeout: 30_000 }); // real libraries on a machine that may be busy

const Result = z.object({
  from: z.string(),
  to: z.string(),
  records: z.number().optional(),
  width: z.number().optional(),
  bytes: z.number(),
  artifact: z.object({ name: z.string(), path: z.string(), bytes: z.number(), media_type: z.string() }),
  content: z.string().optional(),
});

const ROWS = [
  { id: 1, name: 'Ada "the first"', note: 'a, b\nc', active: true, score: 1.5 },
  { id: 2, name: 'Zoë', note: '=1+1', active: false, score: null },
];

let folder: Awaited<ReturnType<typeof createTempFolder>>;
beforeEach(async () => {
  folder = await createTempFolder();
});
afterEach(() => folder[Symbol.asyncDispose]());

async function run(payload: Record<string, unknown>) {
  const handler = createFileConversionHandler(createBuiltInConfig(folder.path));
  const { result, ...record } = await runHandler(handler, payload, { folder: folder.path });
  return { ...Result.parse(result), ...record };
}

const bytesOf = async (result: { artifact: { path: string } }): Promise<Buffer> => readFile(result.artifact.path);

describe('tables', () => {
  const formats = ['csv', 'json', 'ndjson', 'yaml', 'xlsx'] as const;
  const pairs = formats.flatMap((from) => formats.map((to) => [from, to] as const));

  it.each(pairs)('%s to %s and back keeps every record', async (from, to) => {
    await writeFile(join(folder.path, 'rows.json'), JSON.stringify(ROWS));
    const start = await run({ path: 'rows.json', to: from, name: `start.${from}` });
    const there = await run({ path: start.artifact.name, to, name: `there.${to}` });
    expect(there).toMatchObject({ from, to, records: 2 });
    const back = await run({ path: there.artifact.name, to: 'json', name: 'back.json' });
    expect(JSON.parse(back.content ?? '')).toEqual(ROWS);
  });

  it('takes inline text, and gives short text in the result as well as in a file', async () => {
    const result = await run({ content: 'a,b\n1,x\n', from: 'csv', to: 'json' });
    expect(JSON.parse(result.content ?? '')).toEqual([{ a: 1, b: 'x' }]);
    expect((await bytesOf(result)).toString()).toBe(result.content);
    expect(result.artifact).toMatchObject({ name: 'converted.json', media_type: 'application/json' });
  });

  it('leaves text that is long to the file', async () => {
    const content = `a\n${'x'.repeat(70_000)}\n`;
    expect((await run({ content, from: 'csv', to: 'ndjson' })).content).toBeUndefined();
  });

  it('tells the formats by names: the extensions of the input and of the result', async () => {
    await writeFile(join(folder.path, 'in.tsv'), 'a\tb\n1\t2\n');
    const result = await run({ path: 'in.tsv', name: 'out.yml' });
    expect(result).toMatchObject({ from: 'csv', to: 'yaml', artifact: { name: 'out.yml' } });
    expect(parseYaml(result.content ?? '')).toEqual([{ a: 1, b: 2 }]);
  });

  it('keeps documents that are no tables between json and yaml', async () => {
    const document = { name: 'millrace', list: [1, { two: null }], text: 'a\nb' };
    const yaml = await run({ content: JSON.stringify(document), from: 'json', to: 'yaml' });
    expect(parseYaml(yaml.content ?? '')).toEqual(document);
    const json = await run({ content: yaml.content, from: 'yml', to: 'json' });
    expect(JSON.parse(json.content ?? '')).toEqual(document);
  });

  it('writes numbers as numbers and text as text into a workbook, never a formula', async () => {
    const result = await run({ content: JSON.stringify(ROWS), from: 'json', to: 'xlsx' });
    const [header, first, second] = await readSheet(await bytesOf(result));
    expect(header).toEqual(['id', 'name', 'note', 'active', 'score']);
    expect(first).toEqual([1, 'Ada "the first"', 'a, b\nc', true, 1.5]);
    expect(second?.[2]).toBe('=1+1');
  });

  it('writes the CSV with the delimiter that is asked for', async () => {
    const result = await run({ content: '[{"a":1,"b":"x;y"}]', from: 'json', to: 'csv', delimiter: ';' });
    expect(result.content).toBe('a;b\n1;"x;y"\n');
  });

  it('refuses for good what is not of its format', async () => {
    const faulty = [
      { content: '{', from: 'json', to: 'csv' },
      { content: '{', from: 'json', to: 'yaml' },
      { content: 'a: [', from: 'yaml', to: 'json' },
      { content: 'a,b\n1\n', from: 'csv', to: 'json' },
      { content: Buffer.from('no zip').toString('base64'), from: 'xlsx', to: 'csv' },
      { content: Buffer.from('PK\u0003\u0004 damaged').toString('base64'), from: 'xlsx', to: 'csv' },
      { content: 'x', from: 'csv', to: 'png' },
      { content: 'x', to: 'csv' },
      { path: '/etc/passwd', from: 'csv', to: 'json' },
    ];
    for (const payload of faulty)
      await expect(run(payload), JSON.stringify(payload)).rejects.toBeInstanceOf(FatalError);
  });

  it('refuses a workbook that unfolds beyond its bound, and YAML that does', async () => {
    const bomb = zipSync({ 'xl/worksheets/sheet1.xml': new Uint8Array(200 * 1024 * 1024) }, { level: 1 });
    expect(bomb.length).toBeLessThan(2 * 1024 * 1024);
    await writeFile(join(folder.path, 'bomb.xlsx'), bomb);
    await expect(run({ path: 'bomb.xlsx', to: 'csv' })).rejects.toThrow(/unpacks to more than 192 MiB/);

    const level = (name: string, of: string) =>
      `${name}: &${name} [${Array.from({ length: 9 }, () => `*${of}`).join(',')}]`;
    const laughs = [
      'a: &a [x,x,x,x,x,x,x,x,x]',
      level('b', 'a'),
      level('c', 'b'),
      level('d', 'c'),
      level('e', 'd'),
    ].join('\n');
    await expect(run({ content: laughs, from: 'yaml', to: 'json' })).rejects.toBeInstanceOf(FatalError);
  });
});

describe('markup', () => {
  it('makes a page of markdown', async () => {
    const result = await run({
      content: '# Hello\n\n- [x] done\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```js\nlet x;\n```\n',
      from: 'md',
      to: 'html',
      name: 'a&b.html',
    });
    expect(result.content).toMatch(/^<!doctype html>/);
    expect(result.content).toContain('<h1>Hello</h1>');
    expect(result.content).toContain('<td>2</td>');
    expect(result.content).toContain('language-js');
    expect(result.content).toContain('type="checkbox"');
    expect(result.content).toContain('<title>a&amp;b</title>');
  });

  it.each([
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '[x](javascript:alert(1))',
    '<a href="&#106;avascript:alert(1)">x</a>',
    '<iframe src="https://evil.test"></iframe>',
    '<svg onload=alert(1)></svg>',
    '<form action="https://evil.test"><input name=password></form>',
    '<style>body{display:none}</style>',
    '<xmp><script>alert(1)</script></xmp>',
    '<plaintext><img src=x onerror=alert(1)>',
    '<math><mtext></form><form><mglyph><svg><mtext><textarea><path id="</textarea><img onerror=alert(1) src=1>">',
    '<a href="//evil.test" onclick="alert(1)">x</a>',
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    '```html\n<script>alert(1)</script>\n```',
  ])('lets nothing active through: %j', async (content) => {
    const { content: html = '' } = await run({ content, from: 'markdown', to: 'html', fragment: true });
    expect(html).not.toMatch(
      /<script|<[^>]*\son\w+=|<[^>]*javascript:|<iframe|<svg|<form|<style|name="?password|="\/\//i,
    );
  });

  it('makes text of html, and of markdown', async () => {
    const { content } = await run({
      content: '<h1>Title</h1><p>Some <b>bold</b> &amp; plain</p><script>x</script><ul><li>one</li></ul>',
      from: 'html',
      to: 'text',
    });
    expect(content).toContain('Title');
    expect(content).toContain('Some bold & plain');
    expect(content).toContain('* one');
    expect(content).not.toContain('<');
    expect((await run({ content: '**bold**', from: 'markdown', to: 'txt' })).content).toBe('bold\n');
  });
});

describe('images', () => {
  const formats = ['png', 'jpeg', 'webp', 'avif'] as const;

  it.each(formats.flatMap((from) => formats.filter((to) => to !== from).map((to) => [from, to] as const)))(
    '%s to %s',
    async (from, to) => {
      await sharp({ create: { width: 24, height: 16, channels: 3, background: '#2060c0' } })
        .toFormat(from)
        .toFile(join(folder.path, `in.${from}`));
      const result = await run({ path: `in.${from}`, to });
      expect(result).toMatchObject({
        from,
        to,
        width: 24,
        artifact: { name: `in.${to === 'jpeg' ? 'jpg' : to}`, media_type: `image/${to}` },
      });
      const { data, info } = await sharp(await bytesOf(result))
        .raw()
        .toBuffer({ resolveWithObject: true });
      expect([info.width, info.height]).toEqual([24, 16]);
      for (const [i, channel] of [0x20, 0x60, 0xc0].entries())
        expect(Math.abs((data[i] ?? -999) - channel)).toBeLessThan(12);
    },
  );
});

it('validates its payload', () => {
  const valid = (payload: unknown) => FileConversionPayload.safeParse(payload).success;
  expect(valid({ path: 'a.csv', to: 'json' })).toBe(true);
  expect(valid({ path: 'a.csv' })).toBe(false);
  expect(valid({ to: 'json' })).toBe(false);
  expect(valid({ path: 'a.csv', to: 'exe' })).toBe(false);
  expect(valid({ path: 'a.csv', to: 'json', name: '../b.json' })).toBe(false);
  expect(z.toJSONSchema(FileConversionPayload, { io: 'input' })).toMatchObject({
    properties: { to: { description: expect.any(String) } },
  });
});
