import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { FatalError } from '#worker/handler';
import { createImageProcessingHandler, ImageProcessingPayload } from '#worker/handlers/image-processing';
import { createBuiltInConfig, createContext, createTempFolder, runHandler } from '../../support/handler-context';

vi.setConfig({ testTimeout: 30_000 }); // real libraries on a machine that may be busy

const Result = z.object({
  width: z.number(),
  height: z.number(),
  format: z.string(),
  bytes: z.number(),
  input: z.object({ width: z.number(), height: z.number(), format: z.string(), bytes: z.number() }),
  artifact: z.object({ name: z.string(), path: z.string(), bytes: z.number(), media_type: z.string() }),
});

type Rgb = [number, number, number];
const RED: Rgb = [255, 0, 0];
const GREEN: Rgb = [0, 255, 0];
const BLUE: Rgb = [0, 0, 255];
const WHITE: Rgb = [255, 255, 255];

let folder: Awaited<ReturnType<typeof createTempFolder>>;
beforeEach(async () => {
  folder = await createTempFolder();
});
afterEach(() => folder[Symbol.asyncDispose]());

/** 80 x 40: its left half red, its right half blue. */
async function twoHalves(file = 'in.png'): Promise<string> {
  const half = (r: number, g: number, b: number) => ({
    create: { width: 40, height: 40, channels: 3 as const, background: { r, g, b } },
  });
  await sharp({ create: { width: 80, height: 40, channels: 3, background: '#000' } })
    .composite([
      { input: half(255, 0, 0), left: 0, top: 0 },
      { input: half(0, 0, 255), left: 40, top: 0 },
    ])
    .toFile(join(folder.path, file));
  return file;
}

async function run(payload: Record<string, unknown>) {
  const handler = createImageProcessingHandler(createBuiltInConfig(folder.path));
  const { result, ...record } = await runHandler(handler, { name: 'out', ...payload }, { folder: folder.path });
  const parsed = Result.parse(result);
  expect(parsed.artifact.bytes).toBe(parsed.bytes);
  return { ...parsed, ...record, file: await readFile(parsed.artifact.path) };
}

async function pixel(file: Buffer, x: number, y: number): Promise<number[]> {
  const { data, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true });
  return [...data.subarray((y * info.width + x) * info.channels, (y * info.width + x) * info.channels + info.channels)];
}

const near = async (file: Buffer, x: number, y: number, colour: Rgb, within = 12) => {
  const found = await pixel(file, x, y);
  for (const [i, channel] of colour.entries())
    expect(Math.abs((found[i] ?? -999) - channel), `${x},${y} is ${found}`).toBeLessThanOrEqual(within);
};

describe('operations', () => {
  it('resizes to one side and keeps the proportions', async () => {
    const path = await twoHalves();
    const { width, height, file, input } = await run({ path, width: 20 });
    expect([width, height]).toEqual([20, 10]);
    expect(input).toMatchObject({ width: 80, height: 40, format: 'png' });
    await near(file, 3, 5, RED);
    await near(file, 16, 5, BLUE);
  });

  it('fits in each of the ways', async () => {
    const path = await twoHalves();
    const size = async (fit: string) => {
      const { width, height } = await run({ path, operation: 'resize', width: 30, height: 30, fit });
      return [width, height];
    };
    expect(await size('cover')).toEqual([30, 30]);
    expect(await size('inside')).toEqual([30, 15]);
    expect(await size('outside')).toEqual([60, 30]);
    const contained = await run({
      path,
      operations: [{ type: 'resize', width: 30, height: 30, fit: 'contain', background: '#00ff00' }],
    });
    await near(contained.file, 15, 2, GREEN);
  });

  it('crops where it is told, and in the middle otherwise', async () => {
    const path = await twoHalves();
    const right = await run({ path, operations: [{ type: 'crop', left: 60, top: 10, width: 10, height: 20 }] });
    expect([right.width, right.height]).toEqual([10, 20]);
    await near(right.file, 0, 0, BLUE);
    const middle = await run({ path, operations: [{ type: 'crop', width: 20, height: 20 }] });
    await near(middle.file, 2, 10, RED);
    await near(middle.file, 17, 10, BLUE);
    await expect(run({ path, operations: [{ type: 'crop', left: 70, width: 20, height: 20 }] })).rejects.toThrow(
      /reaches outside the picture of 80 x 40/,
    );
  });

  it('does the operations in their order', async () => {
    const path = await twoHalves();
    const { width, height, file } = await run({
      path,
      operations: [
        { type: 'crop', left: 0, top: 0, width: 60, height: 40 },
        { type: 'rotate', angle: 90 },
        { type: 'resize', width: 20 },
        { type: 'crop', left: 0, top: 20, width: 20, height: 10 },
      ],
    });
    expect([width, height]).toEqual([20, 10]);
    await near(file, 10, 8, BLUE); // 60 x 40 turned is 40 x 60, red above blue; at half its size the border lies at 20
  });

  it('turns clockwise', async () => {
    const path = await twoHalves();
    const { width, height, file } = await run({ path, operation: 'rotate', angle: 90 });
    expect([width, height]).toEqual([40, 80]);
    await near(file, 20, 10, RED);
    await near(file, 20, 70, BLUE);
  });

  it('makes thumbnails that never grow', async () => {
    const path = await twoHalves();
    const small = await run({ path, operation: 'thumbnail', size: 16 });
    expect([small.width, small.height]).toEqual([16, 8]);
    const asIs = await run({ path, operation: 'thumbnail' });
    expect([asIs.width, asIs.height]).toEqual([80, 40]);
    const square = await run({ path, operations: [{ type: 'thumbnail', size: 16, square: true }] });
    expect([square.width, square.height]).toEqual([16, 16]);
  });

  it.each(['png', 'jpeg', 'webp', 'avif'])('converts to %s', async (format) => {
    const path = await twoHalves();
    const { file, artifact, ...result } = await run({ path, operations: [{ type: 'convert', format, quality: 90 }] });
    expect(result.format).toBe(format);
    expect(artifact.media_type).toBe(`image/${format}`);
    const metadata = await sharp(file).metadata();
    expect([metadata.width, metadata.height, metadata.format]).toEqual([80, 40, format === 'avif' ? 'heif' : format]);
    await near(file, 10, 20, RED, 25);
    await near(file, 70, 20, BLUE, 25);
  });

  it('makes white of what is clear when it writes a jpeg', async () => {
    await sharp({ create: { width: 10, height: 10, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } } })
      .png()
      .toFile(join(folder.path, 'clear.png'));
    const { file } = await run({ path: 'clear.png', operation: 'convert', format: 'jpg' });
    await near(file, 5, 5, WHITE);
  });

  it('keeps metadata through operations, takes it out when told to, and stands the picture upright', async () => {
    const halves = await readFile(join(folder.path, await twoHalves()));
    await sharp(halves)
      .jpeg()
      .withMetadata({ orientation: 6 })
      .withExifMerge({ IFD0: { Copyright: 'Ada' } })
      .toFile(join(folder.path, 'photo.jpg'));
    const kept = await run({ path: 'photo.jpg', width: 20, height: 40 });
    expect(kept.input).toMatchObject({ width: 40, height: 80 });
    expect((await sharp(kept.file).metadata()).exif?.toString('latin1')).toContain('Ada');
    await near(kept.file, 10, 5, RED, 25);
    const stripped = await run({ path: 'photo.jpg', operation: 'strip_metadata' });
    expect([stripped.width, stripped.height]).toEqual([40, 80]);
    expect((await sharp(stripped.file).metadata()).exif).toBeUndefined();
    expect(
      (await sharp((await run({ path: 'photo.jpg', operation: 'thumbnail' })).file).metadata()).exif,
    ).toBeUndefined();
  });
});

describe('inputs and bounds', () => {
  it('takes base64, with or without the prefix of a data URL', async () => {
    const bytes = (await readFile(join(folder.path, await twoHalves()))).toString('base64');
    for (const content of [bytes, `data:image/png;base64,${bytes}`]) {
      expect(await run({ content, width: 8, format: 'webp' })).toMatchObject({
        width: 8,
        height: 4,
        format: 'webp',
        artifact: { name: 'out.webp' },
      });
    }
    await expect(run({ content: '&&&&', width: 8 })).rejects.toThrow(/not valid base64/);
  });

  it('refuses for good what is no picture, an SVG, and a path outside', async () => {
    await writeFile(join(folder.path, 'text.png'), 'no picture');
    await writeFile(join(folder.path, 'x.svg'), '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');
    for (const path of ['text.png', 'x.svg', '../../etc/passwd']) {
      await expect(run({ path, width: 8 }), path).rejects.toBeInstanceOf(FatalError);
    }
  });

  it('refuses a picture of too many pixels before it decodes it, and to make one', async () => {
    await sharp({ create: { width: 11_000, height: 10_000, channels: 3, background: '#fff' }, limitInputPixels: false })
      .png()
      .toFile(join(folder.path, 'huge.png'));
    await expect(run({ path: 'huge.png', width: 10 })).rejects.toThrow(/pixel/i);
    const path = await twoHalves();
    await expect(run({ path, width: 16_384, height: 16_384 })).rejects.toThrow(/at most 100000000/);
    await expect(run({ path, operations: [{ type: 'resize', height: 16_384 }] })).rejects.toThrow(/at most 100000000/);
  });

  it('refuses operations that are not complete', async () => {
    const path = await twoHalves();
    await expect(run({ path, operation: 'crop', width: 10 })).rejects.toThrow(/crop is not complete/);
    await expect(run({ path, operation: 'convert' })).rejects.toThrow(/convert is not complete/);
    expect(ImageProcessingPayload.safeParse({ width: 10 }).success).toBe(false);
    expect(ImageProcessingPayload.safeParse({ path, operation: 'explode' }).success).toBe(false);
  });
});

it('reports each operation, and stops between them when cancelled', async () => {
  const path = await twoHalves();
  const operations = [{ type: 'rotate' }, { type: 'resize', width: 9 }];
  const { progress } = await run({ path, operations });
  expect(progress.map(({ message }) => message)).toEqual([
    'reading',
    'rotate',
    'resize',
    'writing png',
    'saving',
    '9 x 18 png',
  ]);

  const { context, abort } = createContext(ImageProcessingPayload.parse({ path, operations }), { folder: folder.path });
  const running = createImageProcessingHandler(createBuiltInConfig(folder.path)).run({
    ...context,
    progress: async (_percent, message) => {
      if (message === 'rotate') abort(new Error('cancelled by a person'));
    },
  });
  await expect(running).rejects.toThrow('cancelled by a person');
});
