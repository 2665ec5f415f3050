/**
 * What a handler is given, for tests: real files in a temp folder, a real AbortSignal, and a record of the
 * progress and the logs. Progress that goes back or leaves 0..100 is a fault of the handler and throws here.
 */
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, realpath, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { z } from 'zod';
import { LOG_LEVELS, type LogLevel } from '#queue/contract/task';
import {
  type Artifacts,
  type BuiltInConfig,
  FatalError,
  type FileAccess,
  type HandlerContext,
  type HandlerDefinition,
  type HandlerLog,
  type RunningTask,
  type TaskAccess,
} from '#worker/handler';

export const TEST_TASK_ID = '01KA9Z6Q0MB0Q3T5V7X9YABCDE';

export interface ContextOptions {
  task?: Partial<RunningTask>;
  tasks?: TaskAccess;
  /** The task's artifacts folder; needed by handlers that write artifacts. */
  folder?: string;
}

export interface Recording {
  progress: { percent: number; message: string | undefined }[];
  logs: { level: LogLevel; message: string; fields: Record<string, unknown> | undefined }[];
  /** Fires the handler's signal. */
  abort(reason?: Error): void;
}

/** A context and the record of what the handler did with it. */
export function createContext<Payload>(
  payload: Payload,
  options: ContextOptions = {},
): Recording & { context: HandlerContext<Payload> } {
  const controller = new AbortController();
  const progress: Recording['progress'] = [];
  const logs: Recording['logs'] = [];
  const line = (level: LogLevel) => (message: string, fields?: Record<string, unknown>) =>
    void logs.push({ level, message, fields });
  const log = Object.fromEntries(LOG_LEVELS.map((level) => [level, line(level)])) as unknown as HandlerLog;
  const context: HandlerContext<Payload> = {
    payload,
    task: { ...runningTask(), ...options.task },
    progress: async (percent, message) => {
      const last = progress.at(-1)?.percent ?? 0;
      if (!(percent >= last && percent <= 100)) throw new Error(`progress went from ${last} to ${percent}`);
      progress.push({ percent, message });
    },
    log,
    signal: controller.signal,
    artifacts: folderArtifacts(options.folder),
    tasks: options.tasks ?? noTasks,
  };
  return { context, progress, logs, abort: (reason = new Error('the task was cancelled')) => controller.abort(reason) };
}

/** Runs a handler as the executor does: the payload goes through the schema first. @throws what the handler throws */
export async function runHandler<Schema extends z.ZodType>(
  definition: HandlerDefinition<Schema>,
  payload: unknown,
  options: ContextOptions = {},
): Promise<Recording & { result: unknown }> {
  const parsed = definition.payload ? definition.payload.parse(payload) : (payload as z.output<Schema>);
  const { context, ...recording } = createContext<z.output<Schema>>(parsed, options);
  return { result: await definition.run(context), ...recording };
}

/** A folder of its own for one test; goes with `dispose`, or with `await using`. */
export async function createTempFolder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await realpath(await mkdtemp(join(tmpdir(), 'millrace-test-')));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** Surroundings whose files all lie in `folder`, with no network: pass `fetch` where a test needs it. */
export function createBuiltInConfig(folder: string, overrides: Partial<BuiltInConfig> = {}): BuiltInConfig {
  return {
    smtpUrl: null,
    mailFrom: 'Millrace <millrace@localhost>',
    outboxDir: join(folder, 'outbox'),
    files: filesIn(folder),
    fetch: () => Promise.reject(new FatalError('this test has no network')),
    ai: null,
    ...overrides,
  };
}

function filesIn(folder: string): FileAccess {
  const inside = (path: string): string => {
    const absolute = resolve(folder, path);
    if (relative(folder, absolute).startsWith('..')) throw new FatalError(`${path} is outside the allowed folders`);
    return absolute;
  };
  return {
    forReading: async (path) => {
      const absolute = inside(path);
      const real = await realpath(absolute).catch((cause: unknown) => {
        throw new FatalError(`there is no file ${path}`, { cause });
      });
      return inside(real);
    },
    forWriting: async (path) => {
      const absolute = inside(path);
      await mkdir(dirname(absolute), { recursive: true });
      return absolute;
    },
  };
}

function folderArtifacts(folder: string | undefined): Artifacts {
  const root = (): string => {
    if (folder === undefined) throw new Error('this test gave no artifacts folder');
    return folder;
  };
  return {
    get folder() {
      return root();
    },
    write: async (name, data, mediaType = 'application/octet-stream') => {
      await mkdir(root(), { recursive: true });
      const path = join(root(), name);
      const source = data instanceof Readable ? data : Readable.from([Buffer.from(data)]);
      await pipeline(source, createWriteStream(path));
      return { name, path, bytes: (await stat(path)).size, media_type: mediaType };
    },
  };
}

function runningTask(): RunningTask {
  return {
    id: TEST_TASK_ID,
    type: 'test',
    name: null,
    queue: 'default',
    priority: 5,
    attempt: 1,
    maxAttempts: 4,
    createdAt: new Date('2026-01-31T12:00:00Z'),
    tags: [],
    owner: null,
    timeout: 300,
  };
}

const refuse = () => Promise.reject(new Error('this test gave no queue'));
const noTasks: TaskAccess = { submit: refuse, states: refuse, cancel: refuse, statistics: refuse };
