/** The request as a command or a piece of code that does the same from elsewhere. Pure. */
import type { SubmitTaskInput } from '#queue/contract/task';
import { shellQuote } from './copy-formats';

export const COPY_FORMS = [
  { id: 'curl', label: 'curl' },
  { id: 'node', label: 'Node' },
  { id: 'cli', label: 'millrace' },
] as const;
export type CopyForm = (typeof COPY_FORMS)[number]['id'];

/** @param token whether the server wants one; it is read from the environment, never copied */
export function copyOf(form: CopyForm, task: SubmitTaskInput, baseUrl: string, token: boolean): string {
  const url = new URL('api/tasks', baseUrl).href;
  if (form === 'curl') return curl(task, url, token);
  return form === 'node' ? node(task, url, token) : millrace(task, baseUrl);
}

/** As JSON on as many lines as it has fields: what is read before it is run. */
const body = (task: SubmitTaskInput): string => JSON.stringify(task, null, 2);

const curl = (task: SubmitTaskInput, url: string, token: boolean): string =>
  [
    `curl -X POST ${shellQuote(url)}`,
    ...(token ? [`-H "Authorization: Bearer $MILLRACE_TOKEN"`] : []),
    `-H 'Content-Type: application/json'`,
    `-d ${shellQuote(body(task))}`,
  ].join(' \\\n  ');

const node = (task: SubmitTaskInput, url: string, token: boolean): string =>
  [
    `const response = await fetch(${JSON.stringify(url)}, {`,
    `  method: 'POST',`,
    `  headers: {`,
    ...(token ? [`    Authorization: \`Bearer \${process.env.MILLRACE_TOKEN}\`,`] : []),
    `    'Content-Type': 'application/json',`,
    `  },`,
    `  body: JSON.stringify(${body(task).replaceAll('\n', '\n  ')}),`,
    `});`,
    `console.log(response.status, await response.json());`,
  ].join('\n');

function millrace(task: SubmitTaskInput, baseUrl: string): string {
  const options: [string, string | number | null | undefined][] = [
    ['--queue', task.queue === 'default' ? null : task.queue],
    ['--priority', task.priority === 5 ? null : task.priority],
    ['--name', task.name],
    ['--max-retries', task.max_retries],
    ['--timeout', task.timeout],
    ['--run-at', task.run_at],
    ['--expires-at', task.expires_at],
    ...(task.tags ?? []).map((tag): [string, string] => ['--tag', tag]),
    ...(task.depends_on ?? []).map((id): [string, string] => ['--depends-on', id]),
    ['--unique-key', task.unique_key],
    ['--idempotency-key', task.idempotency_key],
    ['--durability', task.durability],
    ['--payload', JSON.stringify(task.payload ?? {})],
    ['--api', baseUrl.replace(/\/$/, '')],
  ];
  const words = options.flatMap(([name, value]) =>
    value === null || value === undefined ? [] : [`${name}=${shellWord(String(value))}`],
  );
  const command = [`millrace submit ${shellWord(task.task_type)}`, ...words].join(' \\\n  ');
  return task.backoff === undefined
    ? command
    : `# the command has no option for backoff: the server's is taken\n${command}`;
}

/** Quoted only where a shell would read more than a word into it. */
const shellWord = (text: string): string => (/^[\w.,:/@=+-]+$/.test(text) ? text : shellQuote(text));
