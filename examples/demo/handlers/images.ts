/** Pictures: thumbnails and large formats. Of the demo: `node scripts/demo-incident.mjs`. */
import { setTimeout as sleep } from 'node:timers/promises';
import { defineHandler, FatalError, z } from 'millrace';

const SIGNATURES: Readonly<Record<string, string>> = { '89504e47': 'png', ffd8ffe0: 'jpeg', '52494646': 'webp' };

class FormatError extends FatalError {
  override readonly name = 'FormatError';
}

/** No retry turns a text into a picture: straight to the dead-letter queue. */
function formatOf(content: string): string {
  const format = SIGNATURES[Buffer.from(content, 'base64').subarray(0, 4).toString('hex')];
  if (format === undefined) throw new FormatError('Input buffer contains unsupported image format');
  return format;
}

const Picture = z.object({
  file: z.string(),
  content: z.string().describe('Base64'),
  width: z.int().min(1).max(20_000),
});

export default [
  defineHandler({
    type: 'image.thumbnail',
    description: 'Makes a small picture of a large one',
    payload: Picture,
    timeout: 30,
    async run({ payload, log, signal }) {
      const format = formatOf(payload.content);
      await sleep(80 + (payload.width % 7) * 30, undefined, { signal });
      log.info(`${payload.file} is ${payload.width} px wide now`, { format });
      return { file: payload.file.replace(/\.\w+$/, '.webp'), width: payload.width };
    },
  }),
  defineHandler({
    type: 'image.resize',
    description: 'Makes every width that a page needs',
    payload: Picture,
    timeout: 120,
    async run({ payload, log, progress, signal }) {
      const format = formatOf(payload.content);
      const strips = Math.ceil(payload.width / 100);
      for (let strip = 1; strip <= strips; strip++) {
        await sleep(120, undefined, { signal });
        await progress((100 * strip) / strips, `strip ${strip} of ${strips}`);
      }
      log.info(`${payload.file} resized`, { format, width: payload.width });
      return { file: payload.file, width: payload.width };
    },
  }),
];
