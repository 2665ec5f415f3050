/** The few calls of the API that the demo makes. A connection that is read-only is waited for; other refusals end it. */
import { setTimeout as sleep } from 'node:timers/promises';

const AGAIN_MS = 1000;

export function apiOf(base, say, signal) {
  let waiting = '';

  async function once(method, path, body) {
    const response = await fetch(new URL(path, base), {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const answer = response.status === 204 ? null : await response.json();
    return { response, answer };
  }

  async function call(method, path, body) {
    for (;;) {
      const { response, answer } = await once(method, path, body);
      if (response.ok) {
        waiting = '';
        return answer;
      }
      const { code = '' } = answer ?? {};
      const again = (response.status === 403 && code === 'READ_ONLY') || response.status === 503;
      if (!again) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
      if (waiting !== code) say(`${code}: waiting until it takes calls again`);
      waiting = code;
      await sleep(AGAIN_MS, undefined, { signal });
    }
  }

  return {
    get: (path) => call('GET', path),
    post: (path, body) => call('POST', path, body),
    put: (path, body) => call('PUT', path, body),
    /** Once, and without a word where it does not work: what cleans up must not hang. */
    remove: (path) => once('DELETE', path).catch(() => undefined),
    submitAll: (tasks) => call('POST', '/api/tasks/bulk', { tasks }),
  };
}
