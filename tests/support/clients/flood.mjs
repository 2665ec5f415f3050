/** Calls an API as fast as it answers, on 100 connections: `node flood.mjs <base> <seconds> [token]`. One line of JSON at its end. */
import { Agent, request } from 'node:http';

const [base, seconds, token] = process.argv.slice(2);
const { hostname, port } = new URL(base);
const agent = new Agent({ keepAlive: true, maxSockets: 100 });
const until = performance.now() + Number(seconds) * 1000;
const statuses = {};
const waits = [];
const retryAfter = new Set();

const auth = token === undefined ? {} : { authorization: `Bearer ${token}` };
const TASK = '{"task_type":"nobody","queue":"flood"}';

function call(n) {
  const write = n % 5 === 0;
  return new Promise((resolve) => {
    const began = performance.now();
    const outgoing = request(
      {
        agent,
        hostname,
        port,
        method: write ? 'POST' : 'GET',
        path: write ? '/api/tasks' : '/api/tasks?limit=1',
        headers: { ...auth, ...(write && { 'content-type': 'application/json', 'content-length': TASK.length }) },
      },
      (incoming) => {
        incoming.resume();
        incoming.on('end', () => {
          statuses[incoming.statusCode] = (statuses[incoming.statusCode] ?? 0) + 1;
          if (incoming.statusCode === 429) retryAfter.add(incoming.headers['retry-after'] ?? 'none');
          waits.push(performance.now() - began);
          resolve();
        });
      },
    );
    outgoing.on('error', (error) => {
      statuses[error.code] = (statuses[error.code] ?? 0) + 1;
      resolve();
    });
    outgoing.end(write ? TASK : undefined);
  });
}

let n = 0;
await Promise.all(
  Array.from({ length: 100 }, async () => {
    while (performance.now() < until) await call(n++);
  }),
);
waits.sort((a, b) => a - b);
const p99 = waits[Math.floor(waits.length * 0.99)] ?? 0;
process.stdout.write(`${JSON.stringify({ statuses, requests: n, p99, retryAfter: [...retryAfter] })}\n`);
process.exit(0);
