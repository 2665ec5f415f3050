import { describe, expect, it } from 'vitest';
import type { DiagnoseStep } from '#main/bridge/profiles-contract';
import { ProfilesLoader } from '../../src-renderer/loaders/profiles-loader';
import { ProfileForm } from '../../src-renderer/stores/profile-form.svelte';
import { ProfilesStore } from '../../src-renderer/stores/profiles-store.svelte';
import { formatAgo, placeWords, reportText, runWords } from '../../src-renderer/views/connections/profile-words';
import { FakeProfilesApi, profileOf, stepOf } from './fake-profiles-api';
import { TestTime } from './support';

function world(...profiles: Parameters<typeof profileOf>[0][]) {
  const api = new FakeProfilesApi(profiles.map((more) => profileOf(more)));
  const store = new ProfilesStore();
  const time = new TestTime();
  const loader = new ProfilesLoader(api, store, time);
  const stop = loader.start();
  return { api, store, time, loader, stop };
}
async function loaded(...profiles: Parameters<typeof profileOf>[0][]) {
  const made = world(...profiles);
  await made.loader.reload();
  return made;
}
const formOf = (store: ProfilesStore): ProfileForm => {
  if (store.form === null) throw new Error('no form');
  return store.form;
};

describe('the form of a profile', () => {
  it('gives back what the profile says, and keeps the password where it is', () => {
    const profile = profileOf({
      kind: 'sentinel',
      host: '',
      port: 6379,
      nodes: [
        { host: 'a', port: 26379 },
        { host: '::1', port: 7 },
      ],
      master: 'orders',
      usesPassword: true,
      passwordRef: 'ref',
      allowPlainPassword: true,
    });
    const form = new ProfileForm(profile);
    expect(form.nodes).toBe('a:26379, [::1]:7');
    const { id, passwordRef, sentinelPasswordRef, lastUsedAt, lastCheck, ...fields } = profile;
    expect(form.draft('to-save')).toEqual({ id: 'p1', fields, password: undefined, sentinelPassword: null });
    expect(form.dirty).toBe(false);
    form.master = 'other';
    expect(form.dirty).toBe(true);
  });

  it('leaves a password that is asked each time out of what is saved, but tries it', () => {
    const form = new ProfileForm(profileOf({ host: 'localhost', usesPassword: true }));
    expect(form.asks).toBe(true);
    form.password = 'typed';
    expect(form.draft('to-save')?.password).toBeNull();
    expect(form.draft('to-try')?.password).toBe('typed');
    expect(form.dirty).toBe(false);
  });

  it('shows faults once something was tried, beside the field that has them', () => {
    const form = new ProfileForm();
    expect([form.errorOf('host'), form.draft('to-save')]).toEqual(['', null]);
    form.tried = true;
    expect(form.errorOf('host')).toContain('Needed');
    form.host = 'redis.example';
    form.name = 'orders';
    form.port = '70000';
    expect([form.errorOf('host'), form.errorOf('port')]).toEqual(['', 'From 1 to 65535']);
    form.kind = 'sentinel';
    form.nodes = 'a, b:x';
    expect(form.errorOf('nodes')).toBe('Cannot be read: b:x');
  });

  it('counts an unlabelled remote as production, and wants a switch for a password in clear text', () => {
    const form = new ProfileForm(profileOf({ environment: null }));
    expect([form.environmentInUse, form.unlabelled, form.safetyInUse]).toEqual(['production', true, 'read_only']);
    form.password = 'typed';
    expect([form.sendsPlainPassword, form.draft('to-save')]).toEqual([true, null]);
    form.allowPlainPassword = true;
    expect(form.draft('to-save')?.password).toBe('typed');
    form.environment = 'staging';
    expect([form.unlabelled, form.safetyInUse]).toEqual([false, 'guarded']);
  });
});

describe('the start page', () => {
  it('is a first run without profiles, and opens the last used one otherwise', async () => {
    expect((await loaded()).store.isFirstRun).toBe(true);
    const { store } = await loaded({ id: 'a' }, { id: 'b' });
    expect([store.isFirstRun, store.selected]).toEqual([false, 'a']);
  });

  it('says why there is no list, and gets it when asked again', async () => {
    const { api, store, loader } = world();
    api.list = () => Promise.reject(new Error('EACCES profiles.json'));
    await loader.reload();
    expect(store.loadError).toBe('EACCES profiles.json');
    api.list = () => new FakeProfilesApi([profileOf()]).list();
    await loader.reload();
    expect([store.loadError, store.profiles.length]).toEqual([null, 1]);
  });

  it('fills a new form from an address, and says what is wrong with one', async () => {
    const { store, loader, api } = await loaded({ id: 'a' });
    expect(await loader.paste(' redis://:hush@pasted.example ')).toBeNull();
    expect(api.calls('parseUrl')).toEqual([['redis://:hush@pasted.example']]);
    expect([formOf(store).host, formOf(store).password, formOf(store).id]).toEqual(['pasted.example', 'hush', null]);
    api.refusal = 'The address names no host.';
    expect(await loader.paste('redis://')).toBe('The address names no host.');
  });

  it('asks for a pasted password each time where none can be kept', async () => {
    const { api, store, loader } = await loaded({ id: 'a' });
    api.more = { secretsAsked: 'No keychain.' };
    await loader.reload();
    await loader.paste('redis://:hush@pasted.example');
    expect([formOf(store).asks, formOf(store).password]).toEqual([true, 'hush']);
  });

  it('keeps what was typed into one profile while another is looked at', async () => {
    const { store } = await loaded({ id: 'a' }, { id: 'b' });
    formOf(store).host = 'changed';
    store.select('b');
    expect([store.hasChanges('a'), store.hasChanges('b')]).toEqual([true, false]);
    store.select('a');
    expect(formOf(store).host).toBe('changed');
  });

  it('saves what was changed before it connects, and hands over a password that is asked for', async () => {
    const { store, loader, api } = await loaded({ id: 'a', host: 'localhost', usesPassword: true });
    formOf(store).name = 'renamed';
    formOf(store).password = 'typed';
    await loader.connect();
    expect(api.asked.map(([name]) => name)).toEqual(['save', 'connect']);
    expect(api.calls('save')[0]?.[0]).toMatchObject({ password: null });
    expect(api.calls('connect')).toEqual([[{ id: 'a', password: 'typed' }]]);
    await loader.connect();
    expect(api.calls('save')).toHaveLength(1);
  });

  it('asks for a password that is needed, and uses the answer once', async () => {
    const { store, loader, api } = await loaded({ id: 'a', host: 'localhost', usesPassword: true });
    api.outcome = { state: 'password_needed', of: 'redis', reason: '' };
    await loader.connect();
    expect(store.asked?.of).toBe('redis');
    api.outcome = { state: 'connected' };
    await loader.connect('answered');
    expect(api.calls('connect').at(-1)).toEqual([{ id: 'a', password: 'answered' }]);
    expect(store.asked).toBeNull();
  });

  it('tells why it did not connect, and connects nothing that has faults', async () => {
    const { store, loader, api } = await loaded({ id: 'a' });
    api.outcome = { state: 'failed', message: 'TCP failed.', cure: 'Check the port.' };
    await loader.connect();
    expect(store.failure).toEqual({ title: 'Not connected.', detail: 'TCP failed. Check the port.' });
    formOf(store).host = '';
    await loader.connect();
    expect(api.calls('connect')).toHaveLength(1);
    expect([store.failure, formOf(store).errorOf('host')]).toEqual([null, expect.stringContaining('Needed')]);
  });

  it('removes a profile and goes to the next', async () => {
    const { store, loader, api } = await loaded({ id: 'a' }, { id: 'b' });
    await loader.remove('a');
    expect([api.calls('remove'), store.selected]).toEqual([[['a']], 'b']);
  });
});

describe('a diagnose on the page', () => {
  const plan: DiagnoseStep[] = [stepOf('tcp'), stepOf('tls')];

  it('folds the events of its run in, and no others', async () => {
    const { store, loader, api, time } = await loaded({ id: 'a' });
    await loader.diagnose();
    const [, run] = api.calls('diagnose')[0] ?? [];
    if (typeof run !== 'string') throw new Error('no run');
    api.tell({ kind: 'plan', run, steps: plan });
    api.tell({ kind: 'step', run, step: stepOf('tcp', { state: 'running' }) });
    api.tell({ kind: 'step', run: 'old', step: stepOf('tls', { state: 'fail' }) });
    time.advance(1250);
    expect(store.diagnose?.steps.map(({ state }) => state)).toEqual(['running', 'waiting']);
    expect(store.diagnose && runWords(store.diagnose, store.now)).toBe('Step 1 of 2, 1.3 s so far');
    api.tell({ kind: 'step', run, step: stepOf('tcp', { state: 'ok', ms: 3 }) });
    api.tell({ kind: 'step', run, step: stepOf('tls', { state: 'fail', ms: 9 }) });
    api.tell({ kind: 'end', run });
    expect(store.diagnosing).toBe(false);
    expect(store.diagnose && runWords(store.diagnose, store.now)).toBe('2 steps in 1.3 s: 1 failed');
  });

  it('can be stopped, and says where it was', async () => {
    const { store, loader, api } = await loaded({ id: 'a' });
    await loader.diagnose();
    const run = store.diagnose?.run ?? '';
    api.tell({ kind: 'plan', run, steps: [stepOf('tcp', { state: 'ok' }), stepOf('tls', { state: 'running' })] });
    await loader.stopDiagnose();
    expect(api.calls('stopDiagnose')).toEqual([[run]]);
    api.tell({ kind: 'end', run });
    expect(store.diagnose && runWords(store.diagnose, store.now)).toMatch(/^Stopped after 1 step/);
  });

  it('says when it could not begin', async () => {
    const { store, loader, api } = await loaded({ id: 'a' });
    api.refusal = 'The CA file cannot be read.';
    await loader.diagnose();
    expect([store.diagnose, store.failure?.detail]).toEqual([null, 'The CA file cannot be read.']);
  });

  it('makes a report of every step, with what to do', () => {
    const steps = [
      stepOf('tcp', { title: 'TCP', address: 'h:1', state: 'fail', ms: 4, detail: 'Refused.', cure: 'Start it.' }),
      stepOf('tls', { title: 'TLS', address: 'not configured', state: 'skipped' }),
    ];
    const run = { run: 'r', steps, startedAt: 0, endedAt: 5, stopped: false };
    expect(reportText('orders', run, '1.0')).toBe(
      [
        'Millrace 1.0, diagnose of “orders”, 1970-01-01T00:00:00.000Z',
        'fail     TCP: h:1 (4 ms)',
        '         Refused.',
        '         To do: Start it.',
        'skipped  TLS: not configured',
        '',
      ].join('\n'),
    );
  });
});

it('tells when and where in words', () => {
  const now = new Date(2026, 10, 25, 15, 0).getTime();
  const ago = (ms: number) => formatAgo(now - ms, now);
  const hour = 3_600_000;
  expect([ago(20_000), ago(4 * 60_000), ago(2 * hour), ago(20 * hour), ago(9 * 24 * hour)]).toEqual([
    'just now',
    '4 min ago',
    '2 h ago',
    'yesterday',
    'Mon 16 Nov',
  ]);
  const nodes = [1, 2, 3].map((n) => ({ host: `s${n}`, port: 1 }));
  expect([
    placeWords(profileOf({ host: '::1', port: 1 })),
    placeWords(profileOf({ kind: 'sentinel', nodes })),
    placeWords(profileOf({ kind: 'socket', socketPath: '/run/r.sock' })),
    placeWords(profileOf({ kind: 'local' })),
  ]).toEqual(['[::1]:1', 's1 +2', '/run/r.sock', 'managed, on this computer']);
});
