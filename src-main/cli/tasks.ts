/** `millrace tasks`: a page of tasks, newest first. */
import { Command } from 'commander';
import { TASK_STATUSES } from '#queue/contract/lifecycle';
import { LIMITS } from '#queue/contract/limits';
import { type Task, TaskPage } from '#queue/contract/task';
import { several, wholeNumber } from './arguments';
import { age, asJson, shorten, table } from './format';
import { addConnectionOptions } from './options';
import { type CliDeps, withSession } from './session';

/** Filters that every list of tasks takes. */
export interface FilterOptions {
  queue?: string;
  type?: string;
  tag?: string;
  owner?: string;
  search?: string;
  since?: string;
  until?: string;
}

export const addFilterOptions = (command: Command): Command =>
  command
    .option('-q, --queue <name>', 'of this queue')
    .option('--type <type>', 'of this task type')
    .option('--tag <tag>', 'with this tag')
    .option('--owner <name>', 'submitted by')
    .option('--search <text>', 'id, name, or text in the payload')
    .option('--since <time>', 'created at or after this ISO 8601 time')
    .option('--until <time>', 'created before this ISO 8601 time');

/** As the API names them; only those that were given. */
export const filterOf = (options: FilterOptions): Record<string, string> => {
  const { queue, type, tag, owner, search, since, until } = options;
  const fields = { queue, task_type: type, tag, owner, q: search, since, until };
  return Object.fromEntries(
    Object.entries(fields).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
};

interface TasksOptions extends FilterOptions {
  status?: string[];
  limit: number;
  cursor?: string;
  json?: boolean;
}

export const tasksCommand = (deps: CliDeps): Command =>
  addConnectionOptions(
    addFilterOptions(
      new Command('tasks')
        .description('List tasks, newest first')
        .option('-s, --status <status>', `one or several of ${TASK_STATUSES.join(', ')}`, several),
    )
      .option('-n, --limit <n>', 'tasks on a page', wholeNumber(1, LIMITS.pageMax), 50)
      .option('--cursor <text>', 'next_cursor of the page before')
      .option('--json', 'print the answer of the API'),
  ).action((options: TasksOptions, command: Command) =>
    withSession(command, deps, async ({ client, io }) => {
      const { status, limit, cursor } = options;
      const page = await client.get('/api/tasks', TaskPage, { ...filterOf(options), status, limit, cursor });
      io.out(options.json ? asJson(page) : taskTable(page.tasks, io.clock.now()));
      if (!options.json) io.err(footer(page));
    }),
  );

export const taskTable = (tasks: readonly Task[], now: number): string =>
  table(
    ['id', 'type', 'queue', 'status', 'priority', 'attempts', 'progress', 'age', 'name'],
    tasks.map((task) => [
      task.id,
      task.task_type,
      task.queue,
      task.status,
      task.priority,
      `${task.attempts}/${task.max_retries + 1}`,
      task.status === 'processing' ? `${Math.round(task.progress)} %` : null,
      age(task.created_at, now),
      task.name === null ? null : shorten(task.name, 40),
    ]),
  );

/** For standard error, so that the table can go through a pipe. */
export function footer({ tasks, total, total_exact: exact, next_cursor: next }: TaskPage): string {
  const more = next === null ? '' : `; more: --cursor ${next}`;
  return `${tasks.length} of ${exact ? '' : 'at most '}${total}${more}\n`;
}
