/** docs/state-machine.md, printed from the table; a test holds the file to it. */
import { TASK_STATUSES, TRANSITIONS } from './lifecycle';

const MEANING: Record<(typeof TASK_STATUSES)[number], string> = {
  scheduled: 'waits for its run_at',
  blocked: 'waits for the tasks in depends_on',
  pending: 'ready, waits for a worker',
  processing: 'a worker holds its lease',
  retrying: 'an attempt failed; waits for the next one',
  completed: 'final: the handler returned',
  failed: 'final: in the dead-letter queue',
  cancelled: 'final: stopped by an operator, the API or its handler',
};

export function renderLifecycle(): string {
  const moves = TRANSITIONS.filter(({ from, to }) => from !== to && to !== 'none');
  const arrows = new Map<string, string[]>();
  for (const { from, to, event } of moves) {
    const arrow = `${from === 'none' ? '[*]' : from} --> ${to}`;
    arrows.set(arrow, [...new Set([...(arrows.get(arrow) ?? []), event])]);
  }
  return [
    '# The life of a task',
    '',
    'Printed from `src-queue/contract/lifecycle.ts` (`npx vitest run --project unit tests/unit/lifecycle.test.ts -u`);',
    '`tests/redis/lifecycle.test.ts` runs every script from every status and finds each move in the table.',
    '',
    '```mermaid',
    'stateDiagram-v2',
    ...[...arrows].map(([arrow, events]) => `  ${arrow}: ${events.join(', ')}`),
    '```',
    '',
    '| status | meaning |',
    '| --- | --- |',
    ...TASK_STATUSES.map((status) => `| \`${status}\` | ${MEANING[status]} |`),
    '',
    '| event | from | to | when |',
    '| --- | --- | --- | --- |',
    ...TRANSITIONS.map(
      ({ event, from, to, when }) =>
        `| ${event} | ${from === 'none' ? '–' : from} | ${to === 'none' ? '–' : to} | ${when} |`,
    ),
    '',
  ].join('\n');
}
