// A handler in plain JavaScript: waits for a web page to come up, without holding a slot meanwhile.
//
//   millrace submit site_check --payload '{"url":"http://127.0.0.1:8000/health","status":200}' --wait
import { defineHandler, RetryLater, Snooze, z } from 'millrace';

export default defineHandler({
  type: 'site_check',
  description: 'Succeeds when a page answers with the wanted status',
  payload: z.object({ url: z.string(), status: z.number().int().default(200) }),
  timeout: 10,
  async run({ payload, log, signal }) {
    let response;
    try {
      response = await fetch(payload.url, { signal });
    } catch (error) {
      signal.throwIfAborted();
      log.warn('not reachable', { cause: String(error.cause ?? error) });
      throw new Snooze(5); // not a failure: looked at again in five seconds, and no attempt is counted
    }
    await response.body?.cancel();
    // Chooses its own delay instead of the task's back-off. Counts as a retry.
    if (response.status === 503) throw new RetryLater(Number(response.headers.get('retry-after') ?? 10));
    if (response.status !== payload.status) throw new Error(`answered ${response.status}, not ${payload.status}`);
    return { url: payload.url, status: response.status };
  },
});
