/** `millrace dlq`: look at failed tasks, and requeue or purge a selection of them. */
import { Command } from 'commander';
import { z } from 'zod';
import { FailureGroup } from '#queue/contract/failure';
import { LIMITS } from '#queue/contract/limits';
import { DryRun, Operation } from '#queue/contract/operation';
import { TaskPage } from '#queue/contract/task';
import { number, several, wholeNumber } from './arguments';
import { CliError, EXIT } from './exit';
import { age, asJson, shorten, table } from './format';
import { followOperation } from './operation-progress';
import { addConnectionOptions } from './options';
import { type CliDeps, withSession } from './session';
import { addFilterOptions, type FilterOptions, filterOf, footer } from './tasks';

const Groups = z.object({ groups: z.array(FailureGroup) });

export const dlqCommand = (deps: CliDeps): Command =>
  new Command('dlq')
    .description('The dead-letter queue: list, groups, requeue, purge')
    .addCommand(listCommand(deps))
    .addCommand(groupsCommand(deps))
    .addCommand(drainCommand(deps, 'requeue'))
    .addCommand(drainCommand(deps, 'purge'));

interface ListOptions extends FilterOptions {
  error?: string;
  limit: number;
  cursor?: string;
  json?: boolean;
}

const listCommand = (deps: CliDeps): Command =>
  addConnectionOptions(
    addFilterOptions(new Command('list').description('List failed tasks, newest first'))
      .option('--error <text>', 'fingerprint, or text of the error')
      .option('-n, --limit <n>', 'tasks on a page', wholeNumber(1, LIMITS.pageMax), 50)
      .option('--cursor <text>', 'next_cursor of the page before')
      .option('--json', 'print the answer of the API'),
  ).action((options: ListOptions, command: Command) =>
    withSession(command, deps, async ({ client, io }) => {
      const { error, limit, cursor } = options;
      const page = await client.get('/api/dlq', TaskPage, { ...filterOf(options), error, limit, cursor });
      if (options.json) return io.out(asJson(page));
      const rows = page.tasks.map((task) => [
        task.id,
        task.task_type,
        task.queue,
        task.attempts,
        task.finished_at === null ? null : age(task.finished_at, io.clock.now()),
        task.error?.fingerprint ?? null,
        task.error === null ? null : shorten(`${task.error.name}: ${task.error.message}`, 80),
      ]);
      io.out(table(['id', 'type', 'queue', 'attempts', 'failed', 'fingerprint', 'error'], rows));
      io.err(footer(page));
    }),
  );

const groupsCommand = (deps: CliDeps): Command =>
  addConnectionOptions(
    new Command('groups')
      .description('Group failures by their cause, largest first')
      .option('--json', 'print the answer of the API'),
  ).action((options: { json?: boolean }, command: Command) =>
    withSession(command, deps, async ({ client, io }) => {
      const answer = await client.get('/api/dlq/groups', Groups);
      if (options.json) return io.out(asJson(answer));
      const now = io.clock.now();
      const rows = answer.groups.map((group) => [
        group.count,
        group.fingerprint,
        group.task_type,
        group.queues.join(','),
        age(group.first_at, now),
        age(group.last_at, now),
        shorten(group.error, 80),
      ]);
      io.out(table(['count', 'fingerprint', 'type', 'queues', 'first', 'last', 'error'], rows));
    }),
  );

interface DrainOptions extends FilterOptions {
  error?: string;
  all?: boolean;
  dryRun?: boolean;
  limit?: number;
  rate?: number;
  canary?: number;
  expectedCount?: number;
  yes?: boolean;
  detach?: boolean;
  json?: boolean;
}

const ABOUT = {
  requeue: 'Requeue failed tasks: by id, by filter, or --all',
  purge: 'Remove failed tasks for good: by id, by filter, or --all; needs --yes',
} as const;

function drainCommand(deps: CliDeps, verb: 'requeue' | 'purge'): Command {
  const command = addFilterOptions(
    new Command(verb).description(ABOUT[verb]).argument('[ids...]', 'ids of tasks', several),
  )
    .option('--error <text>', 'fingerprint, or text of the error')
    .option('--all', 'every failed task')
    .option('--dry-run', 'print what would be done; nothing changes')
    .option('-n, --limit <n>', 'so many at most', wholeNumber(1, LIMITS.operationIds))
    .option('--rate <n>', 'tasks a second', number(0.01, 100_000))
    .option('--canary <n>', 'do so many first, go on only if all of them complete', wholeNumber(1, 1000))
    .option(
      '--expected-count <n>',
      'refuse where the selection differs by more than 10 %',
      wholeNumber(0, Number.MAX_SAFE_INTEGER),
    )
    .option('--detach', 'do not wait for the end')
    .option('--json', 'print JSON');
  if (verb === 'purge') command.option('-y, --yes', 'confirm: it cannot be taken back');
  return addConnectionOptions(command).action((ids: string[], options: DrainOptions, self: Command) =>
    withSession(self, deps, async (session) => {
      const { client, io } = session;
      const body = selectionOf(ids ?? [], options, verb);
      if (options.dryRun) return io.out(asJson(await client.post(`/api/dlq/${verb}`, body, DryRun)));
      const started = await client.post(`/api/dlq/${verb}`, body, Operation);
      const last = options.detach ? started : await followOperation(started, session);
      const { done, skipped, failed, matched, state } = last;
      io.out(
        options.json
          ? asJson(last)
          : `${last.id} ${state}: ${done} of ${matched} ${verb === 'purge' ? 'removed' : 'requeued'}, ${skipped} skipped, ${failed} failed\n`,
      );
      if (state === 'aborted' || failed > 0) deps.finish(EXIT.failed);
    }),
  );
}

/** The body of the request. @throws {CliError} 2 where it is not clear which tasks are meant */
function selectionOf(
  ids: readonly string[],
  options: DrainOptions,
  verb: 'requeue' | 'purge',
): Record<string, unknown> {
  const { error, all, dryRun, limit, rate, canary, expectedCount } = options;
  const filter = { ...filterOf(options), ...(error === undefined ? {} : { error }) };
  const hasFilter = Object.keys(filter).length > 0;
  const ways = [ids.length > 0, hasFilter || all === true].filter(Boolean).length;
  if (ways !== 1) throw new CliError(EXIT.usage, `say which tasks: ids, or a filter such as --queue, or --all`);
  if (verb === 'purge' && !options.yes && !dryRun) {
    throw new CliError(EXIT.usage, 'a purge cannot be taken back: look with --dry-run, then say --yes');
  }
  const fields = {
    ...(ids.length > 0 ? { ids } : { filter }),
    ...(verb === 'purge' ? { confirm: true } : {}),
    dry_run: dryRun,
    limit,
    rate,
    canary,
    expected_count: expectedCount,
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
