/**
 * file_conversion: tables (csv, json, ndjson, yaml, xlsx) into each other, markdown to html, html to text, and images
 * between png, jpeg, webp and avif. The result is an artifact; short text is in the result as well.
 */
import { readFile } from 'node:fs/promises';
import { parse } from 'node:path';
import { z } from 'zod';
import { type Artifact, type BuiltInConfig, FatalError, type HandlerContext, type HandlerDefinition } from '../handler';
import {
  extensionOf,
  FORMAT_NAMES,
  type Format,
  findConversion,
  guessFormat,
  MEDIA_TYPES,
  toFormat,
} from './conversion/formats';
import { htmlToText, MAX_MARKUP_BYTES, markdownToHtml } from './conversion/markup';
import { convertTable, type TableRequest } from './conversion/tables';
import { Quality } from './image/operations';
import { renderImage } from './image/render';
import { FileName, outputName } from './input/file-name';
import { countSources, openSource, readWhole, type Source, sourceFields } from './input/source';

/** Of an input that streams; formats that are read whole have their own, smaller bounds. */
const MAX_INPUT_BYTES = 16 * 1024 ** 3;
const MAX_IMAGE_BYTES = 100 * 1024 * 1024;
/** A text result up to so many bytes is in the task's result too. */
const INLINE_BYTES = 64 * 1024;
const BINARY: readonly Format[] = ['xlsx', 'png', 'jpeg', 'webp', 'avif'];

export const FileConversionPayload = z
  .strictObject({
    ...sourceFields,
    from: z.enum(FORMAT_NAMES).optional().describe('Format of the input; default by its file extension or media type'),
    to: z.enum(FORMAT_NAMES).optional().describe('Format of the result; default by the extension of `name`'),
    name: FileName.optional().describe("Of the result's file; default the name of the input"),
    delimiter: z
      .string()
      .length(1)
      .optional()
      .describe('Of the CSV: of the input where that is one, else of the result; default a comma'),
    infer_types: z
      .boolean()
      .optional()
      .describe('CSV cells that look like numbers, true or false become such; default true'),
    sheet: z
      .union([z.string().min(1), z.int().min(1)])
      .optional()
      .describe('Of a workbook that is read: name, or number from 1'),
    quality: Quality.optional(),
    fragment: z.boolean().optional().describe('Markdown to HTML: only the body, not a whole page'),
  })
  .superRefine((payload, context) => {
    if (countSources(payload) !== 1) context.addIssue('give one of path, url and content');
    if (payload.to === undefined && payload.name === undefined)
      context.addIssue({ code: 'custom', path: ['to'], message: 'give the format to convert to' });
  });
type Payload = z.infer<typeof FileConversionPayload>;

interface Converted {
  artifact: Artifact;
  records?: number | null;
  width?: number;
  height?: number;
}

export function createFileConversionHandler(config: BuiltInConfig): HandlerDefinition<typeof FileConversionPayload> {
  return {
    type: 'file_conversion',
    description:
      'Converts csv, json, ndjson, yaml and xlsx into each other, markdown to html, html to text, and images',
    payload: FileConversionPayload,
    run: (context) => convertFile(context, config),
  };
}

async function convertFile(context: HandlerContext<Payload>, config: BuiltInConfig) {
  const { payload, signal } = context;
  await context.progress(1, 'reading');
  const encoding = payload.from !== undefined && BINARY.includes(toFormat(payload.from)) ? 'base64' : 'utf8';
  const source = await openSource(payload, config, { signal, maxBytes: MAX_INPUT_BYTES, encoding });
  try {
    const { from, to } = chooseFormats(payload, source);
    const converted = await convert(context, source, from, to);
    await context.progress(98, 'saved');
    const { artifact, records, ...measures } = converted;
    const content =
      !BINARY.includes(to) && artifact.bytes <= INLINE_BYTES ? await readFile(artifact.path, 'utf8') : undefined;
    await context.progress(100, `${from} to ${to}`);
    return {
      from,
      to,
      bytes: artifact.bytes,
      ...(records !== undefined && records !== null && { records }),
      ...measures,
      artifact,
      ...(content !== undefined && { content }),
    };
  } finally {
    source.stream.destroy();
  }
}

function chooseFormats(payload: Payload, source: Source): { from: Format; to: Format } {
  const from = payload.from === undefined ? guessFormat(source.name, source.mediaType) : toFormat(payload.from);
  const to = payload.to === undefined ? guessFormat(payload.name ?? null, null) : toFormat(payload.to);
  if (from === null) throw new FatalError(`cannot tell the format of ${source.name ?? 'the input'}: give from`);
  if (to === null) throw new FatalError(`cannot tell the format of ${payload.name ?? 'the result'}: give to`);
  return { from, to };
}

async function convert(context: HandlerContext<Payload>, source: Source, from: Format, to: Format): Promise<Converted> {
  const conversion = findConversion(from, to);
  if (conversion === null) {
    throw new FatalError(
      `there is no conversion from ${from} to ${to}: tables, images, markdown to html, and html to text are known`,
    );
  }
  const name = outputName(context.payload.name, source.name, 'converted', extensionOf(to));
  switch (conversion.kind) {
    case 'table':
      return convertTable(tableRequest(context, source, { ...conversion, name }));
    case 'markup':
      return convertMarkup(context, source, conversion, name);
    case 'image': {
      const input = await readWhole(source, MAX_IMAGE_BYTES);
      const image = await renderImage(input, [], {
        signal: context.signal,
        timeout: context.task.timeout,
        format: conversion.to,
        quality: context.payload.quality,
        onStep: (done, of, doing) => context.progress(20 + (60 * done) / of, doing),
      });
      const artifact = await context.artifacts.write(name, image.data, MEDIA_TYPES[to]);
      return { artifact, width: image.width, height: image.height };
    }
  }
}

const tableRequest = (
  { payload, artifacts, log, signal, progress }: HandlerContext<Payload>,
  source: Source,
  conversion: Pick<TableRequest, 'from' | 'to' | 'name'>,
): TableRequest => ({
  ...conversion,
  source,
  delimiter: payload.delimiter,
  inferTypes: payload.infer_types,
  sheet: payload.sheet,
  artifacts,
  log,
  signal,
  onRecords: (records, share) => progress(1 + 95 * (share ?? 0), `${records} records`),
});

async function convertMarkup(
  { payload, artifacts, signal, progress }: HandlerContext<Payload>,
  source: Source,
  { from, to }: { from: 'markdown' | 'html'; to: 'html' | 'text' },
  name: string,
): Promise<Converted> {
  const text = (await readWhole(source, MAX_MARKUP_BYTES)).toString('utf8');
  await progress(20, 'converting');
  const html = from === 'html' ? text : await markdownToHtml(text, parse(name).name, payload.fragment ?? to === 'text');
  signal.throwIfAborted();
  const result = to === 'html' ? html : await htmlToText(html);
  return { artifact: await artifacts.write(name, result, MEDIA_TYPES[to]) };
}
