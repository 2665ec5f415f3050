/** Mails through a provider that limits how many it takes. Of the demo: `node scripts/demo-incident.mjs`. */
import { defineHandler, RetryLater, z } from 'millrace';

class HttpError extends Error {
  override readonly name = 'HttpError';
}

async function sendBatch(endpoint: string, mails: readonly object[], signal: AbortSignal): Promise<void> {
  const body = JSON.stringify({ mails });
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${endpoint}/v1/batch`, { method: 'POST', headers, body, signal });
  await response.body?.cancel();
  if (response.status === 503) throw new RetryLater(5, 'the mail provider is in maintenance');
  if (!response.ok) throw new HttpError(`${response.status} ${response.statusText} from api.mailwind.example`);
}

const Mail = z.object({
  endpoint: z.string().describe('Address of the mail provider'),
  to: z.string(),
  template: z.string(),
  locale: z.string(),
});

export default [
  defineHandler({
    type: 'email.send',
    description: 'Sends one mail',
    payload: Mail,
    timeout: 20,
    async run({ payload, log, signal }) {
      const { endpoint, to, template, locale } = payload;
      await sendBatch(endpoint, [{ to, template, locale }], signal);
      log.info(`sent ${template}`, { locale });
      return { accepted: 1 };
    },
  }),
  defineHandler({
    type: 'email.digest',
    description: 'Sends the week in one mail to many',
    payload: Mail.omit({ to: true }).extend({ to: z.array(z.string()).min(1).max(1000) }),
    timeout: 60,
    async run({ payload, log, progress, signal }) {
      const { endpoint, to, template, locale } = payload;
      for (let sent = 0; sent < to.length; sent += 10) {
        const batch = to.slice(sent, sent + 10).map((address) => ({ to: address, template, locale }));
        await sendBatch(endpoint, batch, signal);
        await progress((100 * sent) / to.length, `${sent} of ${to.length} sent`);
      }
      log.info(`digest sent to ${to.length}`);
      return { accepted: to.length };
    },
  }),
];
