/** What image_processing can do to a picture, as the payload writes it. */
import { z } from 'zod';

export const IMAGE_FORMATS = ['png', 'jpeg', 'webp', 'avif'] as const;
export type ImageFormat = (typeof IMAGE_FORMATS)[number];
/** As people write formats. */
export const ImageFormatName = z.enum([...IMAGE_FORMATS, 'jpg']);
export const toImageFormat = (name: z.infer<typeof ImageFormatName>): ImageFormat => (name === 'jpg' ? 'jpeg' : name);

/** Of each side of a picture that is made. */
export const MAX_SIDE = 16_384;
/** Of a picture that is read or made. */
export const MAX_PIXELS = 100_000_000;

const Side = z.int().min(1).max(MAX_SIDE);
const Offset = z.int().min(0);
export const Colour = z
  .string()
  .regex(/^(#[0-9a-fA-F]{3,8}|[a-z]{3,30})$/, 'must be a colour such as #ff8800 or white')
  .describe('Such as #ff8800 or white');
export const Quality = z.int().min(1).max(100).describe('Of jpeg, webp and avif, 1 to 100');

const Resize = z.strictObject({
  type: z.literal('resize'),
  width: Side.optional().describe('Pixels; without a height the proportions stay'),
  height: Side.optional().describe('Pixels; without a width the proportions stay'),
  fit: z
    .enum(['cover', 'contain', 'fill', 'inside', 'outside'])
    .default('cover')
    .describe(
      'Where both are given: cover cuts what is over, contain adds a border, fill distorts, inside and outside keep the proportions',
    ),
  enlarge: z.boolean().default(true).describe('Whether a smaller picture grows'),
  background: Colour.optional().describe('Of the border that contain adds; default transparent'),
});

const Crop = z.strictObject({
  type: z.literal('crop'),
  width: Side,
  height: Side,
  left: Offset.optional().describe('Pixels from the left; default centred'),
  top: Offset.optional().describe('Pixels from the top; default centred'),
});

const Rotate = z.strictObject({
  type: z.literal('rotate'),
  angle: z.number().min(-360).max(360).default(90).describe('Degrees, clockwise'),
  background: Colour.optional().describe(
    'Of the corners that other angles than quarter turns leave; default transparent',
  ),
});

const Thumbnail = z.strictObject({
  type: z.literal('thumbnail'),
  size: z
    .int()
    .min(1)
    .max(2048)
    .default(256)
    .describe('The longer side, pixels; never enlarges; takes the metadata out'),
  square: z.boolean().default(false).describe('Cut to a square around what draws the eye'),
});

const Convert = z.strictObject({
  type: z.literal('convert'),
  format: ImageFormatName,
  quality: Quality.optional(),
});

const StripMetadata = z
  .strictObject({ type: z.literal('strip_metadata') })
  .describe('Takes out EXIF (place, camera), XMP and colour profile');

export const Operation = z.discriminatedUnion('type', [Resize, Crop, Rotate, Thumbnail, Convert, StripMetadata]);
export type Operation = z.infer<typeof Operation>;
export type PixelOperation = Exclude<Operation, { type: 'convert' } | { type: 'strip_metadata' }>;
