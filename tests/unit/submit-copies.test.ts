import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { copyOf } from '../../src-renderer/stores/submit-copies';

it('copies a command that a real shell takes as it is meant', () => {
  const task = { task_type: 'email', queue: 'mail', tags: ["it's"], payload: { text: `$HOME "x" 'y' \\ \`id\`\n!` } };
  const args = (command: string) => {
    const program = 'process.stdout.write(JSON.stringify(process.argv.slice(1)))';
    const script = command.replace(/^(curl|millrace) /, `'${process.execPath}' -e '${program}' -- `);
    return JSON.parse(execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8', env: { MILLRACE_TOKEN: 't' } }));
  };
  const curl: string[] = args(copyOf('curl', task, 'http://127.0.0.1:8000/', true));
  expect(curl.slice(0, 5)).toEqual(['-X', 'POST', 'http://127.0.0.1:8000/api/tasks', '-H', 'Authorization: Bearer t']);
  expect(JSON.parse(curl.at(-1) ?? '')).toEqual(task);
  const cli: string[] = args(copyOf('cli', task, 'http://127.0.0.1:8000/', true));
  expect(cli.slice(0, 4)).toEqual(['submit', 'email', '--queue=mail', "--tag=it's"]);
  expect(cli.at(-1)).toBe('--api=http://127.0.0.1:8000');
  expect(JSON.parse(cli.find((word) => word.startsWith('--payload='))?.slice(10) ?? '')).toEqual(task.payload);
});

it('copies Node code that sends the same', async () => {
  const task = { task_type: 'email', payload: { text: `a \`b\` $\{c} \${d}` } };
  const code = copyOf('node', task, 'http://127.0.0.1:8000/', false);
  const sent: unknown[] = [];
  const run = new Function('fetch', 'console', `return (async () => { ${code} })()`);
  const fetch = async (url: string, init: { body: string }) => {
    sent.push(url, JSON.parse(init.body));
    return { status: 201, json: async () => ({}) };
  };
  await run(fetch, { log: () => undefined });
  expect(sent).toEqual(['http://127.0.0.1:8000/api/tasks', task]);
});
