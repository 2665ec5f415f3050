/** Runs one handler of any kind through a worker over the engine in memory, in real time and with real programs. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '#queue/kernel/clock';
import { TaskArtifacts } from '#worker/artifacts';
import { ExecRunner } from '#worker/exec-runner';
import { Executor } from '#worker/executor';
import type { AnyHandler } from '#worker/handler';
import { Registry, toTaskHandler } from '#worker/registry';
import { Reporter } from '#worker/reporter';
import { FakeEngine, type FakeTask } from './fake-engine';
import { type LogRecord, recordingLog } from './worker-world';

export interface RealAttempt {
  task: FakeTask;
  /** Resolves when the settle is taken. */
  ended: Promise<FakeTask>;
  abort(reason: Error): void;
}

/** Handlers with the folder that their programs start in. */
export async function attemptWorld(
  handlers: readonly { handler: AnyHandler; folder: string }[],
  environment: Record<string, string | undefined>,
) {
  const root = await mkdtemp(join(tmpdir(), 'millrace-attempt-'));
  const engine = new FakeEngine(systemClock);
  const logs: LogRecord[] = [];
  const log = recordingLog(logs);
  const programs = new ExecRunner({ clock: systemClock, environment });
  const registry = new Registry(
    handlers.map(({ handler, folder }) => toTaskHandler({ handler, folder, source: folder }, programs.run)),
  );
  const reporter = new Reporter({ engine, clock: systemClock, log, giveUpMs: 5_000, onLost: () => undefined });
  const waiting = new Map<string, () => void>();
  const call = { queue: 'default', workerId: 'w-test', lane: '0', leaseMs: 60_000, types: registry.types };
  let nonce = 0;
  const executor = new Executor({
    registry,
    reporter,
    clock: systemClock,
    log,
    random: () => 0.5,
    graceMs: 5_000,
    artifactsFor: (task, signal) => new TaskArtifacts(root, task.id, signal),
    tasksFor: () => {
      throw new Error('not in this test');
    },
    onEnd: async ({ task, recorder }, settle) => {
      await reporter.close(recorder);
      if (settle !== null) await engine.work({ ...call, nonce: `n${nonce++}`, settles: [settle], want: 0 });
      waiting.get(task.id)?.();
    },
  });
  return {
    engine,
    logs,
    programs,
    executor,
    root,
    async run(given: Partial<FakeTask> & { type: string }): Promise<RealAttempt> {
      const task = engine.add(given);
      const [claimed] = (await engine.work({ ...call, nonce: `n${nonce++}`, settles: [], want: 1 })).claimed;
      if (claimed === undefined) throw new Error('nothing claimed');
      const ended = new Promise<FakeTask>((done) => waiting.set(task.id, () => done(task)));
      executor.start(claimed);
      return { task, ended, abort: (reason) => void executor.abort(claimed.token, reason) };
    },
    async close(): Promise<void> {
      programs.killAll();
      executor.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}
