/** `millrace queues` and `millrace workers`: what there is, as tables. */
import { Command } from 'commander';
import { z } from 'zod';
import { Queue } from '#queue/contract/queue';
import { Worker } from '#queue/contract/worker';
import { age, asJson, bytes, durationOrNull, table } from './format';
import { addConnectionOptions } from './options';
import { type CliDeps, withSession } from './session';

const Queues = z.object({ queues: z.array(Queue) });
const Workers = z.object({ workers: z.array(Worker) });

interface JsonOption {
  json?: boolean;
}

export const queuesCommand = (deps: CliDeps): Command =>
  addConnectionOptions(
    new Command('queues').description('List the queues').option('--json', 'print the answer of the API'),
  ).action((options: JsonOption, command: Command) =>
    withSession(command, deps, async ({ client, io }) => {
      const answer = await client.get('/api/queues', Queues);
      io.out(options.json ? asJson(answer) : queueTable(answer.queues));
    }),
  );

export const queueTable = (queues: readonly Queue[]): string =>
  table(
    [
      'queue',
      'state',
      'pending',
      'running',
      'scheduled',
      'retrying',
      'blocked',
      'failed',
      'oldest',
      'in/s',
      'out/s',
      'drained in',
      'workers',
    ],
    queues.map((queue) => [
      queue.name,
      queue.paused ? 'paused' : queue.late ? 'late' : 'ok',
      queue.depth.pending,
      queue.depth.processing,
      queue.depth.scheduled,
      queue.depth.retrying,
      queue.depth.blocked,
      queue.depth.failed,
      durationOrNull(queue.oldest_pending_age),
      queue.rate_in.toFixed(1),
      queue.rate_out.toFixed(1),
      durationOrNull(queue.eta_seconds),
      queue.workers,
    ]),
  );

export const workersCommand = (deps: CliDeps): Command =>
  addConnectionOptions(
    new Command('workers').description('List the live workers').option('--json', 'print the answer of the API'),
  ).action((options: JsonOption, command: Command) =>
    withSession(command, deps, async ({ client, io }) => {
      const answer = await client.get('/api/workers', Workers);
      io.out(options.json ? asJson(answer) : workerTable(answer.workers, io.clock.now()));
    }),
  );

export const workerTable = (workers: readonly Worker[], now: number): string =>
  table(
    ['id', 'host', 'pid', 'state', 'queues', 'running', 'of', 'completed', 'failed', 'memory', 'lag ms', 'up', 'seen'],
    workers.map((worker) => [
      worker.id,
      worker.host,
      worker.pid,
      worker.blocked ? 'blocked' : worker.state,
      worker.queues.map(({ name, weight }) => (weight === 1 ? name : `${name}=${weight}`)).join(','),
      worker.running.length,
      worker.concurrency,
      worker.completed,
      worker.failed,
      bytes(worker.memory_bytes),
      Math.round(worker.event_loop_lag_ms),
      age(worker.started_at, now),
      `${age(worker.last_heartbeat_at, now)} ago`,
    ]),
  );
