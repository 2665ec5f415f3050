/** `millrace task|cancel|retry ID`: one task, printed as JSON after what was done to it. */
import { Command } from 'commander';
import { Task } from '#queue/contract/task';
import { readPayload, wholeNumber } from './arguments';
import { asJson } from './format';
import { addConnectionOptions } from './options';
import { type CliDeps, withSession } from './session';

const ID = ['<id>', 'id of the task'] as const;
const pathOf = (id: string): string => `/api/tasks/${encodeURIComponent(id)}`;
/** These commands print JSON in any case; scripts that say `--json` everywhere should not fail. */
const addJson = (command: Command): Command => command.option('--json', 'print JSON, as it always does');

export const taskCommand = (deps: CliDeps): Command =>
  addConnectionOptions(addJson(new Command('task').description('Show a task as JSON').argument(...ID))).action(
    (id: string, _options: unknown, command: Command) =>
      withSession(command, deps, async ({ client, io }) => io.out(asJson(await client.get(pathOf(id), Task)))),
  );

export const cancelCommand = (deps: CliDeps): Command =>
  addConnectionOptions(
    addJson(
      new Command('cancel')
        .description('Cancel a task: at once where it waits; one that runs is asked to stop')
        .argument(...ID),
    ),
  ).action((id: string, _options: unknown, command: Command) =>
    withSession(command, deps, async ({ client, io }) => {
      const task = await client.post(`${pathOf(id)}/cancel`, undefined, Task);
      if (task.status === 'processing') io.err('it runs, and was asked to stop\n');
      io.out(asJson(task));
    }),
  );

interface RetryOptions {
  payload?: string;
  priority?: number;
}

export const retryCommand = (deps: CliDeps): Command =>
  addConnectionOptions(
    addJson(
      new Command('retry')
        .description('Requeue a failed or cancelled task now')
        .argument(...ID)
        .option('-p, --payload <json>', 'another payload: JSON object, @FILE, or - for standard input')
        .option('--priority <n>', 'another priority, 1 to 10', wholeNumber(1, 10)),
    ),
  ).action((id: string, options: RetryOptions, command: Command) =>
    withSession(command, deps, async ({ client, io }) => {
      const payload = options.payload === undefined ? {} : { payload: await readPayload(options.payload, io) };
      const priority = options.priority === undefined ? {} : { priority: options.priority };
      io.out(asJson(await client.post(`${pathOf(id)}/retry`, { ...payload, ...priority }, Task)));
    }),
  );
