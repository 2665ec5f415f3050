/**
 * image_processing (image): resizes, crops, rotates, converts a picture, makes thumbnails, and strips metadata. The
 * result is an artifact with its measures.
 */
import { z } from 'zod';
import { type BuiltInConfig, FatalError, type HandlerContext, type HandlerDefinition } from '../handler';
import { Colour, ImageFormatName, MAX_SIDE, Operation, Quality, toImageFormat } from './image/operations';
import { renderImage } from './image/render';
import { FileName, outputName } from './input/file-name';
import { countSources, openSource, readWhole, sourceFields } from './input/source';

/** Of the encoded picture. */
const MAX_INPUT_BYTES = 100 * 1024 * 1024;
const MAX_OPERATIONS = 20;

const Side = z.int().min(1).max(MAX_SIDE).optional();

export const ImageProcessingPayload = z
  .strictObject({
    ...sourceFields,
    content: z.string().optional().describe('The picture itself, as base64'),
    encoding: z.literal('base64').optional().describe('Of `content`'),
    operations: z.array(Operation).max(MAX_OPERATIONS).optional().describe('What to do, in this order'),
    operation: z
      .enum(['resize', 'crop', 'rotate', 'thumbnail', 'convert', 'strip_metadata'])
      .optional()
      .describe('Short for one operation, whose fields stand beside it; a width or height alone means resize'),
    width: Side.describe('Of `operation`, pixels'),
    height: Side.describe('Of `operation`, pixels'),
    left: z.int().min(0).optional().describe('Of a crop, pixels'),
    top: z.int().min(0).optional().describe('Of a crop, pixels'),
    fit: z.enum(['cover', 'contain', 'fill', 'inside', 'outside']).optional().describe('Of a resize'),
    angle: z.number().min(-360).max(360).optional().describe('Of a rotation, degrees clockwise'),
    background: Colour.optional(),
    size: z.int().min(1).max(2048).optional().describe('Of a thumbnail, pixels'),
    format: ImageFormatName.optional().describe(
      "Of the result; default the input's, or png where that is not one of these",
    ),
    quality: Quality.optional(),
    name: FileName.optional().describe("Of the result's file; default the name of the input"),
  })
  .superRefine((payload, context) => {
    if (countSources(payload) !== 1) context.addIssue('give one of path, url and content');
    if (payload.operation !== undefined && payload.operations !== undefined)
      context.addIssue('give either operation or operations');
  });
type Payload = z.infer<typeof ImageProcessingPayload>;

export function createImageProcessingHandler(config: BuiltInConfig): HandlerDefinition<typeof ImageProcessingPayload> {
  return {
    type: 'image_processing',
    aliases: ['image'],
    description:
      'Resizes, crops, rotates and converts pictures (png, jpeg, webp, avif), makes thumbnails, strips metadata',
    payload: ImageProcessingPayload,
    run: (context) => processImage(context, config),
  };
}

async function processImage(context: HandlerContext<Payload>, config: BuiltInConfig) {
  const { payload, signal } = context;
  const operations = payload.operations ?? shorthand(payload);
  await context.progress(2, 'reading');
  const source = await openSource(payload, config, { signal, maxBytes: MAX_INPUT_BYTES, encoding: 'base64' });
  const input = await readWhole(source, MAX_INPUT_BYTES);
  const image = await renderImage(input, operations, {
    signal,
    timeout: context.task.timeout,
    format: payload.format === undefined ? undefined : toImageFormat(payload.format),
    quality: payload.quality,
    onStep: (done, of, doing) => context.progress(10 + (80 * done) / of, doing),
  });
  await context.progress(95, 'saving');
  const extension = image.format === 'jpeg' ? 'jpg' : image.format;
  const name = outputName(payload.name, source.name, 'image', extension);
  const artifact = await context.artifacts.write(name, image.data, `image/${image.format}`);
  await context.progress(100, `${image.width} x ${image.height} ${image.format}`);
  const { width, height, format, bytes } = image;
  return { width, height, format, bytes, input: image.input, artifact };
}

/** The one operation that the flat fields describe; none is a mere re-encoding. */
function shorthand(payload: Payload): Operation[] {
  const { operation, width, height, left, top, fit, angle, background, size, format, quality } = payload;
  const type = operation ?? (width !== undefined || height !== undefined ? 'resize' : undefined);
  if (type === undefined) return angle === undefined ? [] : parseOperation({ type: 'rotate', angle, background });
  switch (type) {
    case 'resize':
      return parseOperation({ type, width, height, fit, background });
    case 'crop':
      return parseOperation({ type, width, height, left, top });
    case 'rotate':
      return parseOperation({ type, angle, background });
    case 'thumbnail':
      return parseOperation({
        type,
        size: size ?? (width !== undefined || height !== undefined ? Math.max(width ?? 1, height ?? 1) : undefined),
      });
    case 'convert':
      return parseOperation({ type, format, quality });
    case 'strip_metadata':
      return [{ type }];
  }
}

function parseOperation(fields: Record<string, unknown>): Operation[] {
  const parsed = Operation.safeParse(fields);
  if (parsed.success) return [parsed.data];
  throw new FatalError(`the operation ${String(fields.type)} is not complete: ${z.prettifyError(parsed.error)}`);
}
