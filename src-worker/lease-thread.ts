/**
 * The lease thread: a LeaseBeat with its own connection, in a thread of its own, so that it beats on while handlers
 * keep the main event loop busy. Started by ThreadedBeat (src-worker/threaded-beat.ts).
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { TaskEngine, WorkerDirectory } from '#queue/engine/ports';
import { systemClock } from '#queue/kernel/clock';
import { createLog, type Log } from '#queue/kernel/log';
import { HeldView } from './held-table';
import { LeaseBeat } from './lease-beat';
import { type FromLeaseThread, LeaseThreadData, ToLeaseThread } from './lease-messages';

export type ConnectForLeases = (
  redis: unknown,
  log: Log,
  name: string,
) => Promise<{
  engine: Pick<TaskEngine, 'extend'>;
  directory: Pick<WorkerDirectory, 'beat'>;
  close: () => Promise<void>;
}>;

/** Runs until the main thread says `stop`. @throws where the thread has no parent, or Redis cannot be connected */
export async function runLeaseThread(connect: ConnectForLeases): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error('the lease thread was started as a program');
  const data = LeaseThreadData.parse(workerData);
  const log = createLog(data.log, { worker: data.workerId, part: 'leases' });
  const tell = (message: FromLeaseThread) => port.postMessage(message);
  const { engine, directory, close } = await connect(data.redis, log, `${data.workerId}-leases`);
  const beat = new LeaseBeat({
    engine,
    directory,
    view: new HeldView(data.memory),
    clock: systemClock,
    log,
    leaseMs: data.leaseMs,
    maxBlockMs: data.maxBlockMs,
    events: {
      lost: (leases) => tell({ type: 'lost', leases: [...leases] }),
      cancelRequested: (leases) => tell({ type: 'cancel', leases: [...leases] }),
      command: (command) => tell({ type: 'command', command }),
    },
  });
  const asked = new Promise<void>((stop) => {
    port.on('message', (message: unknown) => {
      const said = ToLeaseThread.parse(message);
      if (said.type === 'stop') stop();
      else beat.worker = said.worker;
    });
  });
  await beat.start();
  tell({ type: 'ready' });
  await asked;
  await beat.stop();
  await close();
  port.close();
}
