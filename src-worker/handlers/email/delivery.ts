/** The two ways out: an SMTP server, or a file in the outbox folder that any mail program opens. */
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import nodemailer, { type SendMailOptions } from 'nodemailer';
import { z } from 'zod';
import { FatalError } from '../../handler';

export interface Delivery {
  /** Addresses that the server took, or that the file is for. */
  accepted: string[];
  rejected: string[];
  /** The server's last words; null for a file. */
  response: string | null;
  /** Null for SMTP. */
  file: string | null;
}

const CONNECT_TIMEOUT_MS = 10_000;
/** Of silence on a connection that is open. */
const SOCKET_TIMEOUT_MS = 60_000;
/** Content comes from memory only: a message can make this process read neither files nor URLs. */
const SEALED = { disableFileAccess: true, disableUrlAccess: true } as const;
/** Faults of the message or of the settings: sending the same again changes nothing. */
const FATAL_CODES = new Set([
  'ECONFIG',
  'EENVELOPE',
  'EMAXRECIPIENTS',
  'EFILEACCESS',
  'EURLACCESS',
  'ENOAUTH',
  'EREQUIRETLS',
]);

/** Of nodemailer's errors, the fields that say whether trying again can help. */
const SmtpError = z.object({
  message: z.string(),
  code: z.string().optional(),
  responseCode: z.number().optional(),
  permanent: z.boolean().optional(),
});

/**
 * @throws {FatalError} a reply that is permanent (5xx), or a message or setting that cannot work
 * @throws {Error} a reply that is transient (4xx), or a connection that failed: worth another attempt
 */
export async function sendBySmtp(smtpUrl: string, message: SendMailOptions, signal: AbortSignal): Promise<Delivery> {
  if (!/^smtps?:\/\//i.test(smtpUrl))
    throw new FatalError('the SMTP server is not given as a smtp:// or smtps:// URL (SMTP_URL)');
  const transport = nodemailer.createTransport({
    url: smtpUrl,
    ...SEALED,
    connectionTimeout: CONNECT_TIMEOUT_MS,
    greetingTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: SOCKET_TIMEOUT_MS,
  });
  try {
    const info = await transport.sendMail({ ...message, signal });
    return { accepted: info.accepted, rejected: info.rejected, response: info.response, file: null };
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw deliveryError(error);
  } finally {
    transport.close();
  }
}

function deliveryError(error: unknown): Error {
  const parsed = SmtpError.safeParse(error);
  if (!parsed.success) return new Error('the mail was not sent', { cause: error });
  const { message, code, responseCode, permanent } = parsed.data;
  const fatal = responseCode === undefined ? FATAL_CODES.has(code ?? '') : permanent === true;
  const text = `the mail was not sent: ${message}`;
  return fatal ? new FatalError(text, { cause: error }) : new Error(text, { cause: error });
}

/**
 * Writes `<name>.eml`, whole or not at all; the same name again replaces it. Bcc stays in it: whoever sends the
 * file later needs it.
 */
export async function writeToOutbox(
  folder: string,
  name: string,
  message: SendMailOptions,
  signal: AbortSignal,
): Promise<Delivery> {
  const transport = nodemailer.createTransport({ streamTransport: true, newline: 'windows', ...SEALED });
  const info = await transport.sendMail({ ...message, signal });
  const source = info.message instanceof Readable ? info.message : Readable.from([info.message]);
  await mkdir(folder, { recursive: true });
  const file = join(folder, `${name}.eml`);
  const unfinished = join(folder, `.${name}.part`);
  try {
    await pipeline(source, createWriteStream(unfinished, { mode: 0o600 }), { signal });
    await rename(unfinished, file);
  } catch (error) {
    await rm(unfinished, { force: true });
    if (signal.aborted) throw signal.reason;
    throw error;
  }
  return { accepted: info.envelope.to, rejected: [], response: null, file };
}
