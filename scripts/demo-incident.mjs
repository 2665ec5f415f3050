/**
 * `node scripts/demo-incident.mjs [--base URL] [--minutes N]`: an incident to practise on. It fills the queue of a running
 * Millrace with the work of a shop, over the API and nothing else; then the payment provider drops every connection, and
 * towards the end answers again. The providers are servers of this process, the pools are Millrace's own: they are
 * removed at the end, or with Ctrl C. For a local queue: its handlers and its one worker to be killed are of this machine.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { apiOf } from './demo/api.mjs';
import { shop } from './demo/orders.mjs';
import { startOutsideWorld } from './demo/outside-world.mjs';
import { ROOT } from './run.mjs';

const { values } = parseArgs({
  options: { base: { type: 'string', default: 'http://127.0.0.1:8000' }, minutes: { type: 'string', default: '10' } },
});
const MINUTES = Number(values.minutes);
if (!(MINUTES >= 1)) {
  console.error('--minutes must be a number from 1 on');
  process.exit(2);
}
const TOTAL_S = MINUTES * 60;
const CALM_S = Math.min(60, TOTAL_S / 5);
const RECOVERY_S = TOTAL_S * 0.8;

const HANDLERS = join(ROOT, 'examples', 'demo', 'handlers');
const POOLS = [
  { name: 'payments', queues: ['payments'], concurrency: 8 },
  { name: 'mail', queues: ['emails'], concurrency: 2, processes: 2 },
  { name: 'images', queues: ['images'], concurrency: 3, processes: 2 },
  { name: 'office', queues: ['reports', 'exports'], concurrency: 2 },
  { name: 'core', queues: ['default'], concurrency: 4 },
];
const TARGETS = {
  payments: { target_age: 30 },
  reports: { target_age: 20 },
  emails: { target_age: 120 },
};
const FIRST_ORDER = 4711;

const say = (text) => console.log(`${new Date().toTimeString().slice(0, 8)}  ${text}`);
const ended = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => ended.abort());

const api = apiOf(values.base, say, ended.signal);
const world = await startOutsideWorld();
const orders = shop(world.endpoint);
const pools = [];
try {
  await prepare();
  await tell();
} catch (error) {
  if (!ended.signal.aborted) {
    console.error(error.cause?.code === 'ECONNREFUSED' ? `nothing answers at ${values.base}` : error.message);
    process.exitCode = 1;
  }
} finally {
  say(`removing ${pools.length} pools; the tasks stay`);
  await Promise.all(pools.map(({ id }) => api.remove(`/api/pools/${id}`)));
  world.close();
}

async function prepare() {
  for (const pool of POOLS) pools.push(await api.post('/api/pools', { ...pool, handlers: HANDLERS }));
  for (const [queue, limits] of Object.entries(TARGETS)) await api.put(`/api/queues/${queue}/limits`, limits);
  await api.post('/api/queues/exports/pause');
  say(`${pools.length} pools start; exports is paused`);
  const wanted = POOLS.reduce((sum, { processes = 1 }) => sum + processes, 0);
  while ((await workers()).length < wanted) await sleep(250, undefined, { signal: ended.signal });
  await api.submitAll([...orders.backlog(600), ...orders.exports(60)]);
}

/** Workers of the pools that were made here. */
async function workers() {
  const ours = new Set(pools.map(({ id }) => id));
  return (await api.get('/api/workers')).workers.filter(({ pool }) => pool !== null && ours.has(pool));
}

/** The story: what happens at which second, beside the steady traffic. */
async function tell() {
  const poster = { id: null, killed: 0 };
  const events = [
    [1, () => say(`calm for ${Math.round(CALM_S)} s: every charge is captured`)],
    [CALM_S, breakPayments],
    [CALM_S + 5, limitMails],
    [CALM_S + 8, closeBooks],
    [CALM_S + 10, async () => (poster.id = (await submit(orders.poster(1))).id)],
    [CALM_S + 15, quietOne],
    [RECOVERY_S, recover],
  ];
  say(`traffic for ${MINUTES} min, then it ends by itself; Ctrl C ends it at once`);
  const start = performance.now();
  for (let second = 1; second <= TOTAL_S; second++) {
    await api.submitAll(orders.second(FIRST_ORDER + second));
    while (events[0] !== undefined && events[0][0] <= second) await events.shift()[1]();
    if (second % 12 === 0) await api.submitAll(orders.faults(second / 12));
    if (poster.id !== null && poster.killed < 2 && second % 3 === 0 && (await killWorkerOf(poster.id))) poster.killed++;
    if (second % 30 === 0) await report();
    await sleep(Math.max(0, start + second * 1000 - performance.now()), undefined, { signal: ended.signal });
  }
}

function breakPayments() {
  world.dropCaptures(true);
  say('psp-north drops every connection: charge.capture fails');
}

function limitMails() {
  world.limitMails(true);
  say('the mail provider answers some batches with 429');
}

function submit(task) {
  return api.post('/api/tasks', task);
}

async function closeBooks() {
  const ledger = await submit(orders.ledger(11));
  await submit(orders.bundle(ledger.id));
  say('a ledger that takes too long, and a bundle that depends on it');
}

async function quietOne() {
  const mail = pools.find(({ name }) => name === 'mail');
  const one = (await workers()).find(({ pool }) => pool === mail.id);
  if (one === undefined) return;
  await api.post(`/api/workers/${encodeURIComponent(one.id)}/quiet`);
  say(`a worker of mail is quiet: ${one.host}:${one.pid}`);
}

/** As the kernel does when memory is short: SIGKILL to the process that runs this task. @returns whether one ran it */
async function killWorkerOf(taskId) {
  const one = (await workers()).find(({ running }) => running.some(({ id }) => id === taskId));
  if (one === undefined) return false;
  try {
    process.kill(one.pid, 'SIGKILL');
  } catch {
    return false; // it ended by itself in between
  }
  say(`a worker of images is killed: pid ${one.pid}`);
  return true;
}

function recover() {
  world.dropCaptures(false);
  world.limitMails(false);
  say('psp-north answers again: requeue the group "read ECONNRESET" in Failures');
}

async function report() {
  const { pending, retrying, failed, throughput_per_second: rate } = await api.get('/api/tasks/stats/overview');
  say(`${pending} pending, ${retrying} retrying, ${failed} dead letters, ${rate.toFixed(1)}/s completed`);
}
