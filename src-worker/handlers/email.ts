/**
 * email: one message, through the SMTP server where one is configured, else as an `.eml` file in the outbox folder.
 *
 * The Message-ID is made from the task's id, so that every execution of a task sends the same one, and a receiver
 * (or a person) recognises a repeated delivery.
 */

import type { SendMailOptions } from 'nodemailer';
import type { BuiltInConfig, HandlerContext, HandlerDefinition } from '../handler';
import { type MailAddress, mailAddresses, messageIdDomain } from './email/addresses';
import { loadAttachments } from './email/attachments';
import { sendBySmtp, writeToOutbox } from './email/delivery';
import { EmailPayload } from './email/payload';

export { EmailPayload };

export interface EmailResult {
  /** With its angle brackets. */
  message_id: string;
  accepted: string[];
  rejected: string[];
  transport: 'smtp' | 'outbox';
  /** Only for the outbox: the absolute path. */
  file?: string;
}

export function createEmailHandler(config: BuiltInConfig): HandlerDefinition<typeof EmailPayload> {
  return {
    type: 'email',
    description: 'Sends a mail through SMTP, or writes it to the outbox folder where no server is configured',
    payload: EmailPayload,
    run: (context) => sendEmail(context, config),
  };
}

async function sendEmail(context: HandlerContext<EmailPayload>, config: BuiltInConfig): Promise<EmailResult> {
  const { task, progress, log, signal } = context;
  const message = await composeMessage(context, config);
  signal.throwIfAborted();
  await progress(50, config.smtpUrl === null ? 'writing to the outbox' : 'sending');
  const delivery =
    config.smtpUrl === null
      ? await writeToOutbox(config.outboxDir, task.id, message, signal)
      : await sendBySmtp(config.smtpUrl, message, signal);
  const { accepted, rejected, response, file } = delivery;
  if (rejected.length > 0)
    log.warn(`the server refused ${rejected.length} of ${accepted.length + rejected.length} recipients`, { rejected });
  log.info(file === null ? `sent: ${response}` : `written to ${file}`, { message_id: message.messageId });
  await progress(100, file === null ? 'sent' : 'written to the outbox');
  return {
    message_id: message.messageId,
    accepted,
    rejected,
    ...(file === null ? { transport: 'smtp' } : { transport: 'outbox', file }),
  };
}

async function composeMessage(
  { payload, task, progress, signal }: HandlerContext<EmailPayload>,
  config: BuiltInConfig,
): Promise<SendMailOptions & { messageId: string }> {
  const addresses = (field: 'cc' | 'bcc' | 'reply_to'): MailAddress[] => {
    const value = payload[field];
    return value === undefined ? [] : mailAddresses(value, field);
  };
  const field = payload.to === undefined ? 'recipient' : 'to';
  const to = mailAddresses(payload[field] ?? [], field);
  const [from] = mailAddresses(payload.from ?? config.mailFrom, 'from');
  await progress(10, 'composing the message');
  const attachments = await loadAttachments(payload.attachments ?? [], config.files, signal, (share) =>
    progress(10 + 30 * share, 'reading attachments'),
  );
  return {
    messageId: `<${task.id}@${messageIdDomain(from?.address ?? '')}>`,
    from,
    to,
    cc: addresses('cc'),
    bcc: addresses('bcc'),
    replyTo: addresses('reply_to'),
    subject: payload.subject ?? '',
    text: payload.text ?? payload.body ?? (payload.html === undefined ? '' : undefined),
    html: payload.html,
    attachments,
  };
}
