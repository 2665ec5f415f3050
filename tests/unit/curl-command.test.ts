import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { curlOf } from '../../src-renderer/stores/copy-formats';
import { fieldText } from '../../src-renderer/stores/json-outline';
import { taskOf } from '../support/wire';

it('writes a curl command that a shell takes apart as it was meant', () => {
  const payloadText = `{"note":"it's \\"quoted\\" $HOME \`id\`","big":12345678901234567890}`;
  const command = curlOf(taskOf(1, { tags: ["it's"] }), payloadText, 'http://127.0.0.1:8000/', true);
  const words = execFileSync('sh', ['-c', command.replace(/^curl/, `printf '%s\\n'`)], {
    encoding: 'utf8',
    env: { MILLRACE_TOKEN: 'secret' },
  }).split('\n');
  expect(words.slice(0, 6)).toEqual([
    '-X',
    'POST',
    'http://127.0.0.1:8000/api/tasks',
    '-H',
    'Authorization: Bearer secret',
    '-H',
  ]);
  const body = words[8] ?? '';
  expect(fieldText(body, 'payload')).toBe(payloadText);
  expect(JSON.parse(body)).toMatchObject({ task_type: 'email', queue: 'default', tags: ["it's"], max_retries: 3 });
  expect(command).not.toContain('secret');
});
