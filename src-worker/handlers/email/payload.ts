/** What a task of type email says: one message. Everything that becomes part of a header is one line. */
import { z } from 'zod';

const MAX_RECIPIENTS = 500;
const MAX_ATTACHMENTS = 50;

/** A line break in a header field would begin another header, so none gets that far. */
const line = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it refuses
    .regex(/^[^\u0000-\u0008\u000a-\u001f\u007f]*$/, 'must be one line');

const Address = line(1000);
const Addresses = z.union([Address, z.array(Address).min(1).max(MAX_RECIPIENTS)]);

export const Attachment = z
  .strictObject({
    filename: line(200).optional().describe('As the receiver sees it; default the name of the file'),
    content: z.string().optional().describe('The attachment itself, written as `encoding` says'),
    encoding: z.enum(['utf8', 'base64']).optional().describe('Of `content`: utf8 for text (default), base64 for bytes'),
    path: z.string().min(1).max(4096).optional().describe('A file that the worker may read, instead of `content`'),
    content_type: line(200).optional().describe('Media type; default by the file extension'),
    cid: line(200).optional().describe('Name under which the HTML refers to it: <img src="cid:…">'),
  })
  .refine(
    (attachment) => (attachment.content === undefined) !== (attachment.path === undefined),
    'needs either content or path',
  )
  .refine((attachment) => attachment.filename !== undefined || attachment.path !== undefined, 'needs a filename');
export type Attachment = z.output<typeof Attachment>;

export const EmailPayload = z
  .strictObject({
    to: Addresses.optional().describe(
      'Who gets it: "ada@example.com", "Ada <ada@example.com>", several with commas or as a list',
    ),
    recipient: Addresses.optional().describe('The same as `to`'),
    cc: Addresses.optional().describe('Who gets a copy'),
    bcc: Addresses.optional().describe('Who gets a copy that the others do not see'),
    from: Address.optional().describe('Sender; default the one that the worker is set up with'),
    reply_to: Addresses.optional().describe('Where answers go'),
    subject: line(1000).or(z.literal('')).optional().describe('Subject'),
    text: z.string().optional().describe('The message as plain text'),
    body: z.string().optional().describe('The same as `text`'),
    html: z.string().optional().describe('The message as HTML'),
    attachments: z.array(Attachment).max(MAX_ATTACHMENTS).optional().describe('Files, at most 25 MiB together'),
  })
  .refine(({ to, recipient }) => (to === undefined) !== (recipient === undefined), {
    path: ['to'],
    message: 'give either `to` or `recipient`',
  })
  .refine(({ text, body }) => text === undefined || body === undefined, {
    path: ['body'],
    message: 'give either `text` or `body`',
  });
export type EmailPayload = z.output<typeof EmailPayload>;
