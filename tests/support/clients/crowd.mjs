/**
 * Many clients at once, until its standard input ends: `node crowd.mjs <port> <count> <connect|idle|subscribed>`.
 * `connect` opens bare connections, the others WebSockets. A line of JSON whenever it is sent one.
 */
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { WebSocket } from 'ws';

const [port, count, kind] = process.argv.slice(2);
const AT_ONCE = 100;
const IDLE = JSON.stringify({ type: 'subscribe', topics: ['task:01KA9Z6Q0MB0Q3T5V7X9YABCDE'] });
/** open: stand now. refused: told 429. gone: closed without a word. */
const counts = { tried: 0, open: 0, refused: 0, gone: 0, frames: 0, retryAfter: 0 };
/** Of task frames, ms from the event to here, since last told. */
let delays = [];

function bare(done) {
  const socket = connect({ port: Number(port), host: '127.0.0.1' });
  let open = false;
  socket.on('connect', () => {
    open = true;
    counts.open++;
    done();
  });
  socket.on('data', () => undefined);
  socket.on('error', () => undefined);
  socket.on('close', () => {
    if (open) counts.open--;
    counts.gone++;
    done();
  });
}

function webSocket(done) {
  const ws = new WebSocket(`ws://127.0.0.1:${port}/ws`, { perMessageDeflate: false });
  let open = false;
  ws.on('open', () => {
    open = true;
    counts.open++;
    if (kind === 'idle') ws.send(IDLE);
    done();
  });
  ws.on('unexpected-response', (_, response) => {
    if (response.statusCode === 429) counts.refused++;
    if (response.headers['retry-after'] !== undefined) counts.retryAfter++;
    response.resume();
    ws.terminate();
    done();
  });
  ws.on('message', (data) => {
    const begin = data.toString('latin1', 0, 40);
    if (begin.startsWith('{"type":"ping"')) ws.send('{"type":"pong"}');
    if (!begin.startsWith('{"type":"task"')) return;
    counts.frames++;
    delays.push(Date.now() - Date.parse(JSON.parse(data.toString()).at));
  });
  ws.on('error', () => undefined);
  ws.on('close', () => {
    if (open) counts.open--;
    done();
  });
}

async function openAll() {
  const one = () =>
    new Promise((resolve) => {
      counts.tried++;
      (kind === 'connect' ? bare : webSocket)(resolve);
    });
  let left = Number(count);
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (left-- > 0) await one();
    }),
  );
}

createInterface({ input: process.stdin })
  .on('line', () => {
    delays.sort((a, b) => a - b);
    const p99 = delays[Math.floor(delays.length * 0.99)] ?? null;
    delays = [];
    process.stdout.write(`${JSON.stringify({ ...counts, p99 })}\n`);
  })
  .on('close', () => process.exit(0));
void openAll();
