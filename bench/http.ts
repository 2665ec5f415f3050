/** Medians of the everyday calls over HTTP, one after the other, against the built program. */
import { startHeadless } from './headless-server';
import { median } from './report';
import { PAYLOAD } from './subject';

const CALLS = 200;

export async function measureHttp(redisUrl: string): Promise<Map<string, number>> {
  const server = await startHeadless(redisUrl);
  const { base } = server;
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
  const medians = new Map<string, number>();
  for (const [name, call] of calls) {
    const times: number[] = [];
    for (let i = 0; i < CALLS; i++) {
      const start = performance.now();
      await (await call()).arrayBuffer();
      times.push(performance.now() - start);
    }
    medians.set(name, median(times));
  }
  await server.stop();
  return medians;
}
