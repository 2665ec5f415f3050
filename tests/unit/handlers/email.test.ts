import { readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { simpleParser } from 'mailparser';
import type { SMTPServerOptions } from 'smtp-server';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { FatalError } from '#worker/handler';
import { createEmailHandler, EmailPayload } from '#worker/handlers/email';
import {
  createBuiltInConfig,
  createContext,
  createTempFolder,
  runHandler,
  TEST_TASK_ID,
} from '../../support/handler-context';
import { smtpReply, startSmtpServer } from '../../support/smtp-server';

async function setup(options?: SMTPServerOptions) {
  const folder = await createTempFolder();
  const server = await startSmtpServer(options);
  const handler = createEmailHandler(
    createBuiltInConfig(folder.path, { smtpUrl: server.url, mailFrom: 'Millrace <noreply@mill.example>' }),
  );
  return {
    folder: folder.path,
    server,
    handler,
    send: (payload: Record<string, unknown>) => runHandler(handler, { to: 'ada@example.com', ...payload }),
    failure: (payload: Record<string, unknown> = {}) =>
      runHandler(handler, { to: 'ada@example.com', ...payload }).then(
        () => expect.fail('it should have failed'),
        (error: unknown) => error,
      ),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

describe('through SMTP', () => {
  it('sends a recipient and a subject, and nothing else', async () => {
    await using world = await setup();
    const { result, progress } = await runHandler(world.handler, {
      recipient: 'user@example.com',
      subject: 'Welcome!',
    });
    expect(result).toEqual({
      message_id: `<${TEST_TASK_ID}@mill.example>`,
      accepted: ['user@example.com'],
      rejected: [],
      transport: 'smtp',
    });
    const [mail] = world.server.received;
    expect(mail).toMatchObject({ from: 'noreply@mill.example', to: ['user@example.com'] });
    expect(mail?.mail).toMatchObject({ subject: 'Welcome!', messageId: `<${TEST_TASK_ID}@mill.example>` });
    expect(progress.map(({ percent }) => percent)).toEqual([10, 50, 100]);
  });

  it('sends text and HTML to everyone, and hides the bcc', async () => {
    await using world = await setup();
    const { result } = await world.send({
      to: ['Ada Lovelace <ada@example.com>', 'bob@example.com, carol@example.com'],
      cc: 'dan@example.com',
      bcc: 'eve@example.com',
      from: '"Zoë, of Mill" <zoe@mill.example>',
      reply_to: 'help@mill.example',
      subject: 'Grüße 👋',
      text: 'plain ünïcode',
      html: '<b>bold</b>',
    });
    const everyone = ['ada@example.com', 'bob@example.com', 'carol@example.com', 'dan@example.com', 'eve@example.com'];
    expect(result).toMatchObject({ accepted: everyone, rejected: [] });
    const [received] = world.server.received;
    expect(received?.to).toEqual(everyone);
    expect(received?.raw).not.toContain('eve@example.com');
    expect(received?.mail).toMatchObject({ subject: 'Grüße 👋', html: '<b>bold</b>' });
    expect(received?.mail.text?.trim()).toBe('plain ünïcode');
    expect(received?.mail.from?.value).toEqual([{ name: 'Zoë, of Mill', address: 'zoe@mill.example' }]);
    expect(received?.mail.replyTo?.text).toBe('help@mill.example');
  });

  it('takes body for text', async () => {
    await using world = await setup();
    await world.send({ body: 'hello there' });
    expect(world.server.received[0]?.mail.text?.trim()).toBe('hello there');
  });

  it('attaches text, bytes and files, and shows images in the HTML', async () => {
    await using world = await setup();
    const bytes = Buffer.from([0, 255, 128, 13, 10, 46, 13, 10]);
    await writeFile(join(world.folder, 'report.csv'), 'a,b\n1,2\n');
    const { progress } = await world.send({
      html: '<img src="cid:logo">',
      attachments: [
        { filename: 'note.txt', content: 'ünïcode' },
        { filename: 'logo.png', content: bytes.toString('base64'), encoding: 'base64', cid: 'logo' },
        { path: 'report.csv' },
      ],
    });
    const attachments = world.server.received[0]?.mail.attachments ?? [];
    const byName = new Map(attachments.map((attachment) => [attachment.filename, attachment]));
    expect(byName.get('note.txt')?.content.toString()).toBe('ünïcode');
    expect(byName.get('logo.png')).toMatchObject({ contentType: 'image/png', cid: 'logo', content: bytes });
    expect(byName.get('report.csv')).toMatchObject({ contentType: 'text/csv', content: Buffer.from('a,b\n1,2\n') });
    expect(progress.map(({ percent }) => percent)).toEqual([10, 20, 30, 40, 50, 100]);
  });

  it('has the same Message-ID in every execution of a task, and another in another task', async () => {
    await using world = await setup();
    const id = async (task: { id: string; attempt: number }) =>
      (await runHandler(world.handler, { to: 'ada@example.com' }, { task })).result as { message_id: string };
    const first = await id({ id: '01KA9Z6Q0MB0Q3T5V7X9YABCD1', attempt: 1 });
    const again = await id({ id: '01KA9Z6Q0MB0Q3T5V7X9YABCD1', attempt: 2 });
    const other = await id({ id: '01KA9Z6Q0MB0Q3T5V7X9YABCD2', attempt: 1 });
    expect(again.message_id).toBe(first.message_id);
    expect(other.message_id).not.toBe(first.message_id);
  });

  it('succeeds when some recipients are refused, and says which', async () => {
    await using world = await setup({
      onRcptTo: ({ address }, _session, callback) =>
        callback(address.startsWith('no') ? smtpReply(550, 'no such user') : null),
    });
    const { result, logs } = await world.send({ to: ['ada@example.com', 'nobody@example.com'] });
    expect(result).toMatchObject({ accepted: ['ada@example.com'], rejected: ['nobody@example.com'] });
    expect(logs).toContainEqual({
      level: 'warn',
      message: 'the server refused 1 of 2 recipients',
      fields: { rejected: ['nobody@example.com'] },
    });
  });

  it.each([
    ['the recipient', 'onRcptTo'],
    ['the sender', 'onMailFrom'],
  ] as const)('fails for good when the server refuses %s for good (5xx)', async (_who, hook) => {
    await using world = await setup({
      [hook]: (_address: unknown, _session: unknown, done: (error: Error) => void) =>
        done(smtpReply(550, 'mailbox unavailable')),
    });
    const error = await world.failure();
    expect(error).toBeInstanceOf(FatalError);
    expect(String(error)).toContain('550 mailbox unavailable');
  });

  it.each(['onRcptTo', 'onMailFrom'] as const)(
    'fails for now when the server says not now (4xx) at %s',
    async (hook) => {
      await using world = await setup({
        [hook]: (_address: unknown, _session: unknown, done: (error: Error) => void) =>
          done(smtpReply(451, 'greylisted')),
      });
      const error = await world.failure();
      expect(error).not.toBeInstanceOf(FatalError);
      expect(String(error)).toContain('451 greylisted');
    },
  );

  it('fails for now when no server listens', async () => {
    await using world = await setup();
    await world.server[Symbol.asyncDispose]();
    const error = await world.failure();
    expect(error).not.toBeInstanceOf(FatalError);
    expect(String(error)).toContain('ECONNREFUSED');
  });

  it('logs in with the credentials of the URL, fails for good when they are wrong, and never shows them', async () => {
    await using world = await setup({
      authOptional: false,
      allowInsecureAuth: true,
      onAuth: ({ username, password }, _session, callback) =>
        password === 'right-s3cret' ? callback(null, { user: username }) : callback(smtpReply(535, 'bad credentials')),
    });
    const as = (password: string) =>
      runHandler(
        createEmailHandler(
          createBuiltInConfig(world.folder, { smtpUrl: `smtp://ada:${password}@127.0.0.1:${world.server.port}` }),
        ),
        { to: 'a@b.example' },
      );
    expect((await as('right-s3cret')).result).toMatchObject({ transport: 'smtp' });
    const error = await as('wrong-s3cret').catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(FatalError);
    expect(String(error)).toContain('535');
    expect(String(error)).not.toContain('s3cret');
  });

  it('ends with the reason of its signal while the server keeps it waiting', async () => {
    const reason = new Error('the task was cancelled');
    const { context, abort } = createContext<EmailPayload>({ to: 'ada@example.com' });
    await using world = await setup({ onMailFrom: () => abort(reason) });
    await expect(world.handler.run(context)).rejects.toBe(reason);
    expect(world.server.received).toEqual([]);
  });

  it('refuses an SMTP_URL of another kind without repeating it', async () => {
    const handler = createEmailHandler(
      createBuiltInConfig('/nonexistent', { smtpUrl: 'http://ada:s3cret@mail.example' }),
    );
    const error = await runHandler(handler, { to: 'a@b.example' }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(FatalError);
    expect(String(error)).not.toContain('s3cret');
  });
});

describe('into the outbox', () => {
  it('writes one .eml file that mail programs can read, and replaces it when the task runs again', async () => {
    await using folder = await createTempFolder();
    const config = createBuiltInConfig(folder.path);
    const payload = {
      to: 'ada@example.com',
      bcc: 'eve@example.com',
      subject: 'Zoë says hi',
      text: 'line\n.dot',
      html: '<p>x</p>',
    };
    const run = () => runHandler(createEmailHandler(config), payload);
    await run();
    const { result } = await run();
    const file = join(config.outboxDir, `${TEST_TASK_ID}.eml`);
    expect(result).toEqual({
      message_id: `<${TEST_TASK_ID}@localhost>`,
      accepted: ['ada@example.com', 'eve@example.com'],
      rejected: [],
      transport: 'outbox',
      file,
    });
    expect(await readdir(config.outboxDir)).toEqual([`${TEST_TASK_ID}.eml`]);
    const raw = await readFile(file, 'utf8');
    expect(raw.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
    const mail = await simpleParser(raw);
    expect(mail).toMatchObject({ subject: 'Zoë says hi', html: '<p>x</p>', messageId: `<${TEST_TASK_ID}@localhost>` });
    expect(mail.text?.trim()).toBe('line\n.dot');
    expect(mail.bcc).toMatchObject({ text: 'eve@example.com' });
    expect(Math.abs((mail.date?.getTime() ?? 0) - Date.now())).toBeLessThan(60_000);
  });

  it('leaves nothing behind when it is cancelled', async () => {
    await using folder = await createTempFolder();
    const { context, abort } = createContext<EmailPayload>({ to: 'ada@example.com' });
    abort(new Error('the task was cancelled'));
    await expect(createEmailHandler(createBuiltInConfig(folder.path)).run(context)).rejects.toThrow(
      'the task was cancelled',
    );
    expect(await readdir(folder.path)).toEqual([]);
  });
});

describe('what is refused', () => {
  const refused = async (payload: Record<string, unknown>): Promise<unknown> => {
    await using folder = await createTempFolder();
    await symlink('/etc/hostname', join(folder.path, 'link.txt'));
    return runHandler(createEmailHandler(createBuiltInConfig(folder.path)), { to: 'ada@example.com', ...payload }).then(
      ({ result }) => expect.fail(`it made ${JSON.stringify(result)}`),
      (error: unknown) => error,
    );
  };

  it.each([
    ['neither to nor recipient', { subject: 'x' }],
    ['both to and recipient', { to: 'a@b.example', recipient: 'c@d.example' }],
    ['both text and body', { to: 'a@b.example', text: 'x', body: 'y' }],
    ['an unknown field', { to: 'a@b.example', subjet: 'x' }],
    ['a subject with a line break', { to: 'a@b.example', subject: 'x\r\nBcc: eve@example.com' }],
    ['an address with a line break', { to: 'a@b.example\r\nBcc: eve@example.com' }],
    ['a sender with a line break', { to: 'a@b.example', from: 'a@b.example\nX-Evil: 1' }],
    [
      'a file name with a line break',
      { to: 'a@b.example', attachments: [{ filename: 'x\r\nX-Evil: 1', content: '' }] },
    ],
    ['an attachment with neither content nor path', { to: 'a@b.example', attachments: [{ filename: 'x' }] }],
    ['an attachment with both', { to: 'a@b.example', attachments: [{ filename: 'x', content: '', path: 'y' }] }],
  ])('%s does not fit the schema', (_what, payload) => {
    expect(EmailPayload.safeParse(payload).success).toBe(false);
  });

  it.each([
    'nobody',
    'a@',
    '@b.example',
    'a@b@c.example',
    'a b@c.example',
    '<>',
    'a@b..example',
    'a@b.example>\tRCPT',
    '"a@evil.example"@b.example',
  ])('%s is not an address', async (to) => {
    expect(await refused({ to })).toBeInstanceOf(FatalError);
  });

  it.each(['/etc/passwd', '../outside.txt', 'link.txt', 'missing.txt'])(
    'the attachment %s is not read',
    async (path) => {
      expect(await refused({ attachments: [{ path }] })).toBeInstanceOf(FatalError);
    },
  );

  it('content that says base64 and is not', async () => {
    expect(
      String(await refused({ attachments: [{ filename: 'x.bin', content: 'not base64!', encoding: 'base64' }] })),
    ).toContain('not valid base64');
  });

  it('attachments beyond 25 MiB together', async () => {
    await using folder = await createTempFolder();
    await writeFile(join(folder.path, 'half.bin'), Buffer.alloc(13 * 1024 * 1024));
    const attachments = [{ path: 'half.bin' }, { path: 'half.bin' }];
    const run = runHandler(createEmailHandler(createBuiltInConfig(folder.path)), { to: 'a@b.example', attachments });
    await expect(run).rejects.toThrow('larger than 26214400 bytes');
  });

  it('has a payload that can be shown as a form', () => {
    const schema = z.toJSONSchema(EmailPayload, { io: 'input' });
    expect(Object.keys(schema.properties ?? {})).toContain('recipient');
    expect(schema.additionalProperties).toBe(false);
  });
});
