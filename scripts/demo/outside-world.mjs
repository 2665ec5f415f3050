/**
 * The services that the demo's tasks talk to, on a free port of this machine: a payment provider and a mail provider.
 * They are real servers, so that what fails, fails as it does in life: with the socket's own error, with a status.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const WORKING_MS = 60;
const MAIL_MS = 200;
/** A provider that is going down takes its time before it drops a connection. */
const FAILING_MS = 900;
/** While it limits: every so many-th batch is one too many. */
const LIMITED_EVERY = 4;

export async function startOutsideWorld() {
  let failing = false;
  let limiting = false;
  let calls = 0;

  async function answer(request, response) {
    const path = request.url ?? '';
    request.resume();
    calls++;
    if (path === '/v2/captures' && failing) {
      await sleep(FAILING_MS);
      request.socket.resetAndDestroy(); // RST: the client reads ECONNRESET
      return;
    }
    const isMail = path === '/v1/batch';
    await sleep(isMail ? MAIL_MS : WORKING_MS);
    const limited = isMail && limiting && calls % LIMITED_EVERY === 0;
    response.writeHead(limited ? 429 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ id: `ch_${calls.toString(36).padStart(6, '0')}`, state: 'done' }));
  }

  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${server.address().port}`,
    /** From now on every capture's connection is reset, or none is. */
    dropCaptures(on) {
      failing = on;
    },
    /** Some mails are answered with 429, or none is. */
    limitMails(on) {
      limiting = on;
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
