/** `millrace submit TYPE`: submits one task and prints it; with `--wait`, prints how it ended. */
import { Command, Option } from 'commander';
import { isFinal } from '#queue/contract/lifecycle';
import { DURABILITIES, isoTime } from '#queue/contract/primitives';
import { Task } from '#queue/contract/task';
import { number, readPayload, several, wholeNumber } from './arguments';
import { EXIT } from './exit';
import { asJson } from './format';
import { addConnectionOptions } from './options';
import { type CliDeps, pause, type Session, withSession } from './session';

interface SubmitOptions {
  payload: string;
  queue?: string;
  priority?: number;
  name?: string;
  maxRetries?: number;
  timeout?: number;
  delay?: number;
  runAt?: string;
  expiresAt?: string;
  tag?: string[];
  dependsOn?: string[];
  uniqueKey?: string;
  idempotencyKey?: string;
  durability?: string;
  wait?: boolean;
}

const POLL_FIRST_MS = 50;
const POLL_LAST_MS = 1_000;

export const submitCommand = (deps: CliDeps): Command =>
  addConnectionOptions(
    new Command('submit')
      .description('Submit a task; prints it as JSON')
      .argument('<type>', 'task type, such as email')
      .option('-p, --payload <json>', 'JSON object, @FILE, or - for standard input', '{}')
      .option('-q, --queue <name>', 'queue')
      .option('--priority <n>', '1 to 10; 10 is most urgent', wholeNumber(1, 10))
      .option('--name <text>', 'label for people')
      .option('--max-retries <n>', 'retries after the first execution', wholeNumber(0, 100))
      .option('--timeout <seconds>', 'time-out of one execution', number(0.1, 86_400))
      .option('--delay <seconds>', 'run no sooner than in so many seconds', number(0, 31_536_000))
      .option('--run-at <time>', 'run no sooner than this ISO 8601 time')
      .option('--expires-at <time>', 'do not start after this ISO 8601 time')
      .option('--tag <tag>', 'tag; may be given several times', several)
      .option('--depends-on <id>', 'wait for this task to complete; may be given several times', several)
      .option('--unique-key <key>', 'refuse while another live task has this key')
      .option('--idempotency-key <key>', 'a repeat within 24 h answers with the first task')
      .addOption(
        new Option('--durability <level>', 'answer once the task is in memory, on the disk, or on a replica').choices(
          DURABILITIES,
        ),
      )
      .option('--json', 'print JSON, as it always does')
      .option('-w, --wait', 'wait for its end and print that; exit code 1 unless it completed'),
  ).action((type: string, options: SubmitOptions, command: Command) =>
    withSession(command, deps, async (session) => {
      const task = await session.client.post('/api/tasks', await requestOf(type, options, session), Task);
      for (const warning of task.warnings ?? []) session.io.err(`warning: ${warning}\n`);
      if (!options.wait) return session.io.out(asJson(task));
      session.io.err(`${task.id} submitted, waiting for its end\n`);
      const ended = await waitForEnd(task, session);
      session.io.out(asJson(ended));
      if (ended.status !== 'completed') deps.finish(EXIT.failed);
    }),
  );

async function requestOf(type: string, options: SubmitOptions, { io }: Session): Promise<Record<string, unknown>> {
  const { delay, runAt } = options;
  const at = runAt ?? (delay === undefined ? undefined : isoTime(io.clock.now() + delay * 1000));
  const fields = {
    task_type: type,
    payload: await readPayload(options.payload, io),
    queue: options.queue,
    priority: options.priority,
    name: options.name,
    max_retries: options.maxRetries,
    timeout: options.timeout,
    run_at: at,
    expires_at: options.expiresAt,
    tags: options.tag,
    depends_on: options.dependsOn,
    unique_key: options.uniqueKey,
    idempotency_key: options.idempotencyKey,
    durability: options.durability,
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** Asks again and again, ever more slowly. */
async function waitForEnd(submitted: Task, { client, io }: Session): Promise<Task> {
  let task = submitted;
  for (let ms = POLL_FIRST_MS; !isFinal(task.status); ms = Math.min(POLL_LAST_MS, ms * 1.5)) {
    await pause(io, ms);
    task = await client.get(`/api/tasks/${task.id}`, Task);
  }
  return task;
}
