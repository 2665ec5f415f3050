/** The way there over HTTP, against the built program: everyday calls one after the other, and tasks in bulk. */
import type { RedisServer } from '../tests/support/redis-server';
import { startHeadless } from './headless-server';
import { MillraceSubject } from './millrace-subject';
import { type Figures, median } from './report';
import { inTurn, PAYLOAD, priorityOf, timesOf } from './subject';

const CALLS = 200;
const BATCH = 1000;
/** As many as bring the engine's own submits to their best. */
const CALLS_AT_ONCE = 2;

export const HTTP_SHARE = 'tasks by POST /api/tasks/bulk to those by the engine itself';

export async function measureHttp(server: RedisServer, figures: Figures, tasks: number): Promise<void> {
  const http = await startHeadless(server.url);
  try {
    await measureCalls(http.base, figures);
    await measureBulk(server, http.base, figures, tasks);
  } finally {
    await http.stop();
  }
}

async function measureCalls(base: string, figures: Figures): Promise<void> {
  const body = JSON.stringify({ task_type: 'noop', payload: PAYLOAD });
  const create = () =>
    fetch(`${base}/api/tasks`, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
  const created: unknown = await (await create()).json();
  const id = typeof created === 'object' && created !== null && 'id' in created ? String(created.id) : '';
  const calls: [string, () => Promise<Response>][] = [
    ['create', create],
    ['status', () => fetch(`${base}/api/tasks/${id}`)],
    ['list of 100', () => fetch(`${base}/api/tasks?limit=100`)],
    ['health', () => fetch(`${base}/health`)],
  ];
  for (const [name, call] of calls) {
    const times = await timesOf(CALLS, async () => (await call()).arrayBuffer());
    figures.add(`HTTP ${name}, median`, 'ms', median(times));
  }
}

/** The same tasks in calls of the same size: as JSON, as NDJSON, and by the engine without HTTP. */
async function measureBulk(server: RedisServer, base: string, figures: Figures, tasks: number): Promise<void> {
  const taskOf = (index: number) => ({
    task_type: 'noop',
    queue: 'bench',
    priority: priorityOf(index),
    payload: PAYLOAD,
  });
  const batch = Array.from({ length: BATCH }, (_, index) => taskOf(index));
  const json = JSON.stringify({ tasks: batch });
  const lines = batch.map((task) => JSON.stringify(task)).join('\n');
  const rateOf = (ms: number) => tasks / (ms / 1000);
  const post = async (body: string, type: string) => {
    const headers = { 'content-type': type };
    const answer = await fetch(`${base}/api/tasks/bulk`, { method: 'POST', body, headers });
    const text = await answer.text();
    if (answer.status !== 201) throw new Error(`bulk: ${answer.status} ${text.slice(0, 300)}`);
  };
  const subject = new MillraceSubject(server);
  await subject.connected.whenReady(5000);
  const calls = Math.ceil(tasks / BATCH);
  // Two processes that are as warm as each other: both have taken as many as are counted.
  await subject.submitInBulk(tasks, BATCH);
  await inTurn(calls, 1, () => post(json, 'application/json'));
  const engine = rateOf(await subject.submitInBulk(tasks, BATCH, CALLS_AT_ONCE));
  const over = rateOf(await inTurn(calls, CALLS_AT_ONCE, () => post(json, 'application/json')));
  const streamed = rateOf(await inTurn(calls, CALLS_AT_ONCE, () => post(lines, 'application/x-ndjson')));
  await subject.close();
  const add = (name: string, rate: number) => figures.add(name, 'tasks/s', rate, { moreIsBetter: true });
  add('HTTP bulk: the engine itself', engine);
  add('HTTP bulk: JSON', over);
  add('HTTP bulk: NDJSON', streamed);
  figures.add(HTTP_SHARE, 'x', over / engine, { moreIsBetter: true });
}
