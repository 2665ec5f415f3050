import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { BridgeCalls, CallOutcome } from '#main/bridge/calls';
import { desktopArguments } from '#main/cli/desktop-arguments';
import { BridgeRefusal, registerCalls } from '#main/desktop/bridge-calls';
import { linkAmong, screenOfLink } from '#main/desktop/deep-links';
import { FailureAlarm, MOST_AT_ONCE, type Notice, PAUSE_MS } from '#main/desktop/failure-alarm';
import { isOwnPage, originOf } from '#main/desktop/origins';
import { choiceOf, quitQuestion } from '#main/desktop/quit-question';
import { fitPlace, MIN_SIZE, WindowPlaces } from '#main/desktop/window-state';
import { windowTitle } from '#main/desktop/window-title';
import { RememberedPorts } from '#main/remembered-ports';
import { silentLog } from '#queue/kernel/log';
import { ManualClock } from '../support/manual-clock';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'millrace-parts-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('a link from anywhere', () => {
  const ID = '01KA9Z6Q0MB0Q3T5V7X9YABCDE';
  it('says one task id, or nothing', () => {
    expect(screenOfLink(`millrace://task/${ID}`)).toBe(`#/tasks?id=${ID}`);
    expect(screenOfLink(`MILLRACE://task/${ID.toLowerCase()}/`)).toBe(`#/tasks?id=${ID}`);
    for (const bad of [
      `millrace://task/${ID}&x=1`,
      `millrace://task/${ID}/../..`,
      `millrace://run/${ID}`,
      `https://task/${ID}`,
    ])
      expect(screenOfLink(bad)).toBeNull();
    expect(screenOfLink(`millrace://task/${ID}${'/'.repeat(300)}`)).toBeNull();
  });
  it('is found among the arguments of a process', () => {
    expect(linkAmong(['/opt/app', '--inspect', `millrace://task/${ID}`])).toBe(`millrace://task/${ID}`);
    expect(linkAmong(['/opt/app', 'millrace://task/x'])).toBeNull();
  });
});

describe('a place of a window', () => {
  const screen = { x: 0, y: 0, width: 1920, height: 1080 };
  const place = (x: number, y: number, width = 1000, height = 700) => ({
    bounds: { x, y, width, height },
    maximized: false,
  });
  it('is used where its title bar can be caught, and not elsewhere', () => {
    expect(fitPlace(place(100, 50), [screen])).toEqual(place(100, 50));
    expect(fitPlace(place(2000, 50), [screen])).toBeNull(); // the screen beside it is gone
    expect(fitPlace(place(100, -200), [screen])).toBeNull();
    expect(fitPlace(place(-950, 50), [screen])).toBeNull();
  });
  it('fits its screen, and is never too small', () => {
    expect(fitPlace(place(0, 0, 5000, 5000), [screen])?.bounds).toMatchObject({ width: 1920, height: 1080 });
    expect(fitPlace(place(0, 0, 200, 100), [screen])?.bounds).toMatchObject(MIN_SIZE);
  });
  it('is kept in a file, and a damaged file is begun anew', () => {
    const path = join(dir, 'windows.json');
    const deps = { path, write: (to: string, text: string) => writeFileSync(to, text), log: silentLog };
    new WindowPlaces(deps).set('local', place(1, 2));
    expect(new WindowPlaces(deps).get('local')).toEqual(place(1, 2));
    writeFileSync(path, readFileSync(path, 'utf8').slice(5));
    expect(new WindowPlaces(deps).get('local')).toBeNull();
  });
});

describe('a port of a window', () => {
  it('is the one that it had last, unless somebody else has it', async () => {
    const path = join(dir, 'desktop/ports.json');
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const port = z.object({ port: z.number() }).parse(server.address()).port;
    const ports = new RememberedPorts(path);
    expect(await ports.freeFor('local')).toBe(0);
    ports.remember('local', port);
    expect(await ports.freeFor('local')).toBe(0); // taken
    await new Promise((resolve) => server.close(resolve));
    expect(await new RememberedPorts(path).freeFor('local')).toBe(port);
  });
});

describe('what a window is called', () => {
  it('begins with the environment, since a task bar cuts the end', () => {
    const of = { name: 'eu-orders', environment: 'production' } as const;
    expect(windowTitle('Failures · Millrace', of)).toBe('PROD · eu-orders — Failures');
    expect(windowTitle('Millrace', of)).toBe('PROD · eu-orders');
  });

  it('says that nobody has labelled it', () => {
    expect(windowTitle('Failures · Millrace', { name: 'eu-orders', environment: null })).toBe(
      'UNLABELLED · eu-orders — Failures',
    );
  });
});

describe('an address', () => {
  it('has the origin of its page, also with a scheme of our own', () => {
    expect(originOf('app://console/index.html#/x')).toBe('app://console');
    expect(originOf('http://127.0.0.1:8000/a')).toBe('http://127.0.0.1:8000');
    for (const none of ['about:blank', 'data:text/html,x', 'file:///etc/passwd', 'javascript:1', 'x'])
      expect(originOf(none)).toBeNull();
  });
});

describe('the question at the end', () => {
  it('names how many run and where; closing it means to go on', () => {
    const question = quitQuestion(2, ['Local queue']);
    expect(question.message).toBe('2 tasks are running on Local queue');
    expect(choiceOf(question.cancelId ?? -1)).toBe('cancel');
    expect([0, 1, 2, 9].map(choiceOf)).toEqual(['stop', 'leave', 'cancel', 'cancel']);
  });
});

describe('the command line of the app', () => {
  it('takes our options out of those of Chromium', () => {
    const args = [
      '--no-sandbox',
      '--inspect=0',
      '/app',
      '--redis',
      'redis://x',
      '--remote-debugging-port=0',
      '--workers=2',
    ];
    expect(desktopArguments(args).flags).toEqual({ redis_url: 'redis://x', workers: '2' });
  });
});

describe('a call of the bridge', () => {
  const calls = { greet: { args: z.tuple([z.string().max(5)]), reply: z.string() } } as const satisfies BridgeCalls;
  const registered = (greet: (caller: string, name: string) => string, caller: string | null = 'window') => {
    const answers = new Map<string, (...args: never[]) => Promise<unknown>>();
    const registry = {
      handle: (name: string, answer: (...args: never[]) => Promise<unknown>) => void answers.set(name, answer),
    };
    registerCalls(calls, { greet }, { registry, prefix: 'app:', callerOf: () => caller, log: silentLog });
    const answer = answers.get('app:greet');
    return (...given: unknown[]) => (answer as (...args: unknown[]) => Promise<CallOutcome>)({}, ...given);
  };
  it('is answered for our own page', async () => {
    expect(await registered((caller, name) => `${caller} ${name}`)('Ann')).toEqual({ ok: true, value: 'window Ann' });
  });
  it('never reaches us from a foreign frame, or with other arguments', async () => {
    const never = () => {
      throw new Error('reached');
    };
    expect(await registered(never, null)('Ann')).toMatchObject({
      ok: false,
      message: expect.stringContaining('may not'),
    });
    for (const given of [[], ['too long'], [1], ['Ann', 'more']]) {
      const outcome = await registered(never)(...given);
      expect(outcome).toMatchObject({ ok: false, message: expect.not.stringContaining('reached') });
    }
  });
  it('tells a refusal as it is', async () => {
    const refuse = () => {
      throw new BridgeRefusal('the file is too large');
    };
    expect(await registered(refuse)('Ann')).toEqual({ ok: false, message: 'the file is too large' });
  });
});

describe('an alarm', () => {
  const group = (fingerprint: string, count: number, at: number) => ({
    fingerprint,
    error: `Error ${fingerprint}`,
    task_type: 'email',
    queues: ['default'],
    count,
    last_at: new Date(at).toISOString(),
  });
  type Group = ReturnType<typeof group>;
  const setup = () => {
    const clock = new ManualClock();
    const shown: Notice[] = [];
    const world: { groups: Group[] } = { groups: [] };
    const groups = async () => world.groups as never;
    return {
      clock,
      shown,
      world,
      alarm: new FailureAlarm({ groups, show: (notice) => shown.push(notice), clock, log: silentLog }),
    };
  };
  it('is silent on what failed before, then tells each cause once, and waits before the next round', async () => {
    const { clock, shown, world, alarm } = setup();
    world.groups = [group('a', 4, 1)];
    alarm.heard(4);
    await clock.advance(0);
    expect(shown).toEqual([]);

    world.groups = [group('a', 7, 2), group('b', 1, 2)];
    alarm.heard(8);
    await clock.advance(0);
    expect(shown.map(({ title }) => title)).toEqual(['3 tasks failed: email', '1 task failed: email']);

    world.groups = [group('a', 9, 3), group('b', 1, 2)];
    alarm.heard(10);
    await clock.advance(PAUSE_MS - 1);
    expect(shown).toHaveLength(2);
    await clock.advance(1);
    expect(shown.at(-1)).toEqual({ title: '2 tasks failed: email', body: 'default: Error a' });
    alarm.stop();
  });
  it('tells of many causes in one', async () => {
    const { clock, shown, world, alarm } = setup();
    alarm.heard(0);
    await clock.advance(0);
    world.groups = Array.from({ length: MOST_AT_ONCE + 1 }, (_, index) => group(`f${index}`, 2, 5));
    alarm.heard(8);
    await clock.advance(0);
    expect(shown).toEqual([{ title: '8 tasks failed', body: '4 different errors' }]);
    alarm.stop();
  });
});

describe('the page of a window', () => {
  const opened = { origin: 'http://127.0.0.1:8000' };
  const frame = { url: 'http://127.0.0.1:8000/#/tasks', parent: null };
  it('may call: the top frame of a window that shows its own page', () => {
    expect(isOwnPage(opened, frame)).toBe(true);
  });
  it.each([
    ['a window that is not ours', null, frame],
    ['a frame that is gone', opened, null],
    ['a frame within the page', opened, { ...frame, parent: {} }],
    ['another server', opened, { ...frame, url: 'http://127.0.0.1:8001/' }],
    ['another scheme', opened, { ...frame, url: 'https://127.0.0.1:8000/' }],
    ['no server at all', opened, { ...frame, url: 'data:text/html,x' }],
  ])('may not call from %s', (_, window, from) => {
    expect(isOwnPage(window, from)).toBe(false);
  });
});
