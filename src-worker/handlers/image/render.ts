/**
 * Pictures through libvips. Each operation sees the result of the one before, as it is listed: one libvips pipeline
 * would choose its own order. In between, pictures are uncompressed PNG, which loses nothing and keeps the metadata.
 *
 * A picture is upright before anything is done to it, only its first frame is used, and no more than MAX_PIXELS are
 * ever decoded or made. libvips is native code and heavy: it is loaded by the first picture, not with the worker.
 */
import type { Metadata, Sharp, SharpOptions } from 'sharp';
import { FatalError } from '../../handler';
import { type ImageFormat, MAX_PIXELS, type Operation, type PixelOperation, toImageFormat } from './operations';

const DEFAULT_QUALITY = { jpeg: 82, webp: 80, avif: 55 } as const;
const MAX_TIMEOUT_SECONDS = 3600;
/** What pictures may come in: no SVG, which can name other files. */
const READABLE = ['png', 'jpeg', 'webp', 'avif', 'gif', 'tiff'];

interface ImageFacts {
  width: number;
  height: number;
  format: string;
  bytes: number;
}

interface RenderedImage extends ImageFacts {
  data: Buffer;
  format: ImageFormat;
  input: ImageFacts;
}

interface RenderOptions {
  signal: AbortSignal;
  /** Seconds that one operation may take. */
  timeout: number;
  /** Of the result; default the input's where it is one that we write, else png. */
  format?: ImageFormat | undefined;
  quality?: number | undefined;
  /** Told before each operation, and before the encoding. */
  onStep(done: number, of: number, doing: string): Promise<void>;
}

type Open = (input: Buffer) => Sharp;
const isPixelOperation = (operation: Operation): operation is PixelOperation =>
  operation.type !== 'convert' && operation.type !== 'strip_metadata';

/** @throws FatalError for what is no picture, has too many pixels, or does not fit an operation */
export async function renderImage(
  input: Buffer,
  operations: readonly Operation[],
  options: RenderOptions,
): Promise<RenderedImage> {
  const { default: sharp } = await import('sharp');
  const settings: SharpOptions = { limitInputPixels: MAX_PIXELS, autoOrient: true, pages: 1 };
  const open: Open = (data) =>
    sharp(data, settings).timeout({ seconds: Math.min(MAX_TIMEOUT_SECONDS, Math.max(1, Math.ceil(options.timeout))) });

  const facts = await inspect(open, input);
  const pixelOperations = operations.filter(isPixelOperation);
  const converts = operations.filter((operation) => operation.type === 'convert');
  const format = options.format ?? chosenFormat(converts.at(-1)?.format) ?? outputFormatFor(facts.format);
  const quality = options.quality ?? converts.at(-1)?.quality;
  const strip = operations.some(({ type }) => type === 'strip_metadata' || type === 'thumbnail');

  const steps = pixelOperations.length + 1;
  let data = input;
  for (const [index, operation] of pixelOperations.entries()) {
    options.signal.throwIfAborted();
    await options.onStep(index, steps, operation.type);
    const changed = applyOperation(open(data), operation, await sizeOf(open, data));
    data = await finish(changed.keepMetadata().png({ compressionLevel: 0 }).toBuffer());
  }
  options.signal.throwIfAborted();
  await options.onStep(steps - 1, steps, `writing ${format}`);
  const image = strip ? open(data) : open(data).keepMetadata();
  const encoded = await finish(encode(image, format, quality).toBuffer({ resolveWithObject: true }));
  options.signal.throwIfAborted();
  const { width, height } = encoded.info;
  return { data: encoded.data, width, height, format, bytes: encoded.data.length, input: facts };
}

async function inspect(open: Open, input: Buffer): Promise<ImageFacts> {
  const metadata = await finish(open(input).metadata());
  const format = metadata.format === 'heif' && metadata.compression === 'av1' ? 'avif' : metadata.format;
  if (!READABLE.includes(format))
    throw new FatalError(`pictures of format ${format} are not read; these are: ${READABLE.join(', ')}`);
  const { width, height } = upright(metadata);
  if (width * height > MAX_PIXELS)
    throw new FatalError(`the picture has ${width} x ${height} pixels; at most ${MAX_PIXELS} are worked on`);
  return { width, height, format, bytes: input.length };
}

const upright = (metadata: Metadata): { width: number; height: number } => metadata.autoOrient;
const sizeOf = async (open: Open, data: Buffer) => upright(await finish(open(data).metadata()));

/** A picture that libvips cannot read or work on is the same picture at the next attempt. */
async function finish<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    if (/timeout/i.test(message)) throw new Error(`the picture took too long: ${message}`, { cause });
    throw new FatalError(`the picture cannot be processed: ${message}`, { cause });
  }
}

const chosenFormat = (name: Parameters<typeof toImageFormat>[0] | undefined) =>
  name === undefined ? undefined : toImageFormat(name);
const outputFormatFor = (format: string): ImageFormat =>
  format === 'jpeg' || format === 'webp' || format === 'avif' ? format : 'png';

interface Size {
  width: number;
  height: number;
}

function applyOperation(image: Sharp, operation: PixelOperation, size: Size): Sharp {
  switch (operation.type) {
    case 'resize': {
      const { width, height, fit, enlarge, background } = operation;
      if (width === undefined && height === undefined) throw new FatalError('resize needs a width or a height');
      requirePixels(resizedPixels(operation, size), 'resize');
      return image.resize({
        ...(width !== undefined && { width }),
        ...(height !== undefined && { height }),
        fit,
        withoutEnlargement: !enlarge,
        background: background ?? TRANSPARENT,
      });
    }
    case 'crop': {
      const { width, height } = operation;
      const left = operation.left ?? Math.max(0, Math.floor((size.width - width) / 2));
      const top = operation.top ?? Math.max(0, Math.floor((size.height - height) / 2));
      if (left + width > size.width || top + height > size.height) {
        throw new FatalError(
          `crop of ${width} x ${height} at ${left}, ${top} reaches outside the picture of ${size.width} x ${size.height}`,
        );
      }
      return image.extract({ left, top, width, height });
    }
    case 'rotate':
      requirePixels(rotatedPixels(operation.angle, size), 'rotate');
      return image.rotate(operation.angle, { background: operation.background ?? TRANSPARENT });
    case 'thumbnail':
      return operation.square
        ? image.resize({
            width: Math.min(operation.size, size.width, size.height),
            height: Math.min(operation.size, size.width, size.height),
            fit: 'cover',
            position: 'attention',
          })
        : image.resize({ width: operation.size, height: operation.size, fit: 'inside', withoutEnlargement: true });
  }
}

const TRANSPARENT = { r: 0, g: 0, b: 0, alpha: 0 };

function resizedPixels({ width, height, fit }: Extract<PixelOperation, { type: 'resize' }>, size: Size): number {
  if (width !== undefined && height !== undefined && fit !== 'outside') return width * height;
  const scale = Math.max((width ?? 0) / size.width, (height ?? 0) / size.height);
  return scale * size.width * scale * size.height;
}

function rotatedPixels(angle: number, { width, height }: Size): number {
  const sin = Math.abs(Math.sin((angle * Math.PI) / 180));
  const cos = Math.abs(Math.cos((angle * Math.PI) / 180));
  return (width * cos + height * sin) * (width * sin + height * cos);
}

function requirePixels(pixels: number, what: string): void {
  if (pixels > MAX_PIXELS * 1.001)
    throw new FatalError(`${what} would make ${Math.round(pixels)} pixels; at most ${MAX_PIXELS} are made`);
}

/** JPEG has no transparency: what is clear becomes white, where libvips would make it black. */
function encode(image: Sharp, format: ImageFormat, quality: number | undefined): Sharp {
  switch (format) {
    case 'png':
      return image.png();
    case 'jpeg':
      return image.flatten({ background: '#ffffff' }).jpeg({ quality: quality ?? DEFAULT_QUALITY.jpeg, mozjpeg: true });
    case 'webp':
      return image.webp({ quality: quality ?? DEFAULT_QUALITY.webp });
    case 'avif':
      return image.avif({ quality: quality ?? DEFAULT_QUALITY.avif });
  }
}
