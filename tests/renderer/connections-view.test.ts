// @vitest-environment jsdom
import { cleanup, fireEvent, render, screen, waitFor, within } from '@testing-library/svelte';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import StartScreen from '../../src-renderer/views/connections/StartScreen.svelte';
import { FakeProfilesApi, profileOf, stepOf } from './fake-profiles-api';
import { TestTime } from './support';

beforeEach(() => {
  // jsdom has dialogs, but cannot open them
  HTMLDialogElement.prototype.showModal = function showModal() {
    this.open = true;
  };
  Element.prototype.scrollIntoView = () => undefined;
});
afterEach(cleanup);

async function start(api: FakeProfilesApi) {
  render(StartScreen, { api, time: new TestTime(), version: '1.0' });
  await waitFor(() => expect(screen.queryByText(/Secrets:/)).not.toBeNull());
  return api;
}
const button = (name: string | RegExp) => screen.getByRole('button', { name });
const field = (name: string) => screen.getByLabelText<HTMLInputElement>(name);
const click = (element: Element) => fireEvent.click(element);
const type = (element: Element, value: string) => fireEvent.input(element, { target: { value } });

it('begins with three ways where there is no profile, and starts the local queue with one click', async () => {
  const api = new FakeProfilesApi();
  api.more = { demo: true };
  await start(api);
  const choices = screen.getAllByRole('button').map((choice) => choice.textContent?.trim().split(/ {2}|\n/)[0]);
  expect(choices.map((text) => text?.slice(0, 15))).toEqual(['Try demo dataTh', 'Start the local', 'Add a connectio']);
  await click(button(/Start the local queue/));
  await waitFor(() => expect(api.calls('startLocal')).toEqual([[{ demo: false }]]));
});

it('offers demo data only where there is some, and takes a key for each choice', async () => {
  const api = await start(new FakeProfilesApi());
  expect(screen.queryByText('Try demo data')).toBeNull();
  await fireEvent.keyDown(window, { key: '1' });
  await waitFor(() => expect(api.calls('startLocal')).toHaveLength(1));
});

it('says why the local queue did not start', async () => {
  const api = new FakeProfilesApi();
  api.outcome = { state: 'failed', message: 'redis-server was not found.', cure: 'Install it.' };
  await start(api);
  await click(button(/Start the local queue/));
  expect((await screen.findByRole('alert')).textContent).toContain('redis-server was not found. Install it.');
});

it('leads from a pasted address to a saved profile that is connected', async () => {
  const api = await start(new FakeProfilesApi());
  await fireEvent.paste(field('Address of Redis'), {
    clipboardData: { getData: () => 'redis://:hush@pasted.example' },
  });
  await screen.findByRole('heading', { name: 'pasted' });
  expect(field('Host').value).toBe('pasted.example');
  await click(button('Connect')); // a password, no TLS: the tab that can mend it opens
  const allow = await screen.findByLabelText('Send the password in clear text');
  expect(api.calls('save')).toEqual([]);
  await click(allow);
  await click(button('Connect'));
  await waitFor(() => expect(api.calls('connect')).toEqual([[{ id: 'p1' }]]));
  expect(api.calls('save')[0]?.[0]).toMatchObject({ password: 'hush', fields: { allowPlainPassword: true } });
  expect(screen.getByRole('option').textContent).toContain('UNLABELLED');
});

it('lists profiles in their environment, and moves among them with the arrows', async () => {
  await start(
    new FakeProfilesApi([
      profileOf({ id: 'a', lastCheck: { at: 900_000, reached: true } }),
      profileOf({ id: 'b', name: 'stg', environment: 'staging', lastCheck: { at: 0, reached: false } }),
      profileOf({ id: 'c', name: 'box', environment: null }),
    ]),
  );
  const rows = screen.getAllByRole('option').map((row) => row.textContent?.replace(/\s+/g, ' '));
  expect(rows[0]).toMatch(/PROD.*eu-orders.*redis\.orrery\.internal:6380.*reached.*1 min ago/);
  expect(rows[1]).toMatch(/STAGING.*not reached/);
  expect(rows[2]).toMatch(/UNLABELLED.*never tried/);
  const list = screen.getByRole('listbox');
  await fireEvent.keyDown(list, { key: 'ArrowDown' });
  expect(screen.getByRole('heading', { name: 'stg' })).toBeTruthy();
  expect(list.getAttribute('aria-activedescendant')).toBe(screen.getAllByRole('option')[1]?.id);
});

it('has a tab for what the topology needs, and none for what it does not', async () => {
  await start(new FakeProfilesApi([profileOf()]));
  const tabs = () => screen.getAllByRole('tab').map((tab) => tab.textContent?.trim());
  const choose = (kind: string) => fireEvent.change(field('Topology'), { target: { value: kind } });
  expect(tabs()).toEqual(['General', 'TLS', 'Safety']);
  await choose('sentinel');
  expect(tabs()).toEqual(['General', 'TLS', 'Sentinel', 'Safety']);
  await choose('cluster');
  expect(tabs()).toEqual(['General', 'TLS', 'Cluster', 'Safety']);
  await choose('local');
  expect(tabs()).toEqual(['General', 'Safety']);
});

it('takes the path of a file that was picked, and a safe mode', async () => {
  const api = await start(new FakeProfilesApi([profileOf()]));
  await click(screen.getByRole('tab', { name: 'TLS' }));
  await click(screen.getByLabelText('Encrypt the connection (TLS)'));
  await click(button('Choose the CA file'));
  await waitFor(() => expect(screen.getByLabelText<HTMLInputElement>(/^CA file/).value).toBe('/etc/ssl/orrery-ca.pem'));
  await click(screen.getByRole('tab', { name: 'Safety' }));
  expect(screen.getByLabelText<HTMLInputElement>(/^Read-only/).checked).toBe(true);
  await click(screen.getByLabelText(/^Guarded/));
  await click(button('Save'));
  await waitFor(() => expect(api.calls('save')).toHaveLength(1));
  expect(api.calls('save')[0]?.[0]).toMatchObject({
    fields: { safety: 'guarded', tls: { on: true, caFile: '/etc/ssl/orrery-ca.pem' } },
  });
});

it('tests what is typed and tells what came of it, with the cure', async () => {
  const api = await start(new FakeProfilesApi([profileOf()]));
  await type(field('Host'), 'other.example');
  await click(button('Test'));
  await screen.findByText(/TCP failed\. Nothing listens there\./);
  expect(screen.getByText(/Check the port\./)).toBeTruthy();
  expect(api.calls('test')[0]?.[0]).toMatchObject({ fields: { host: 'other.example' } });
});

it('shows a diagnose while it goes, copies its report, and stops it', async () => {
  const api = await start(new FakeProfilesApi([profileOf()]));
  const writeText = vi.fn(async () => undefined);
  Object.defineProperty(navigator, 'clipboard', { value: { writeText }, configurable: true });
  await click(button('Diagnose'));
  const run = String(api.calls('diagnose')[0]?.[1]);
  api.tell({ kind: 'plan', run, steps: [stepOf('Name'), stepOf('TCP'), stepOf('TLS')] });
  api.tell({ kind: 'step', run, step: stepOf('Name', { state: 'ok', ms: 3, address: 'h → 10.0.0.1' }) });
  api.tell({
    kind: 'step',
    run,
    step: stepOf('TCP', { state: 'fail', ms: 11, detail: 'Refused.', cure: 'Start Redis.' }),
  });
  api.tell({ kind: 'step', run, step: stepOf('TLS', { state: 'running' }) });
  const panel = screen.getByRole('region', { name: 'Diagnose' });
  await waitFor(() => expect(within(panel).getByRole('status').textContent).toContain('Step 3 of 3'));
  const [name, tcp, tls] = within(panel).getAllByRole('listitem');
  expect(name && within(name).getByRole('img', { name: 'ok' })).toBeTruthy();
  expect(tcp?.textContent?.replace(/\s+/g, ' ')).toContain('11 ms Refused. Start Redis.');
  expect(tls?.getAttribute('aria-current')).toBe('step');
  await click(button('Copy report'));
  expect(writeText).toHaveBeenCalledWith(expect.stringContaining('To do: Start Redis.'));
  await click(button('Stop'));
  expect(api.calls('stopDiagnose')).toEqual([[run]]);
  api.tell({ kind: 'end', run });
  await waitFor(() => expect(within(panel).getByRole('status').textContent).toContain('Stopped after 2 steps'));
});

it('asks for a password that is not kept, in a dialog', async () => {
  const api = new FakeProfilesApi([profileOf({ host: 'localhost', usesPassword: true })]);
  api.outcome = { state: 'password_needed', of: 'redis', reason: '' };
  await start(api);
  await click(button('Connect'));
  const dialog = await screen.findByRole('dialog');
  expect(within(dialog).getByRole<HTMLButtonElement>('button', { name: 'Connect' }).disabled).toBe(true);
  api.outcome = { state: 'connected' };
  const input = within(dialog).getByLabelText('Password');
  await type(input, 'answered');
  await fireEvent.submit(input.closest('form') ?? input);
  await waitFor(() => expect(api.calls('connect').at(-1)).toEqual([{ id: 'p1', password: 'answered' }]));
  expect(screen.queryByRole('dialog')).toBeNull();
});

it('says when passwords are not kept, and then saves none', async () => {
  const api = new FakeProfilesApi([profileOf({ host: 'localhost' })]);
  api.more = { secretsAsked: 'No keychain runs in this session.' };
  await start(api);
  expect(screen.getByText('Secrets: asked each time')).toBeTruthy();
  await type(field('Password'), 'typed');
  await click(button('Save'));
  await waitFor(() => expect(api.calls('save')).toHaveLength(1));
  expect(api.calls('save')[0]?.[0]).toMatchObject({ password: null, fields: { usesPassword: true } });
});

it('removes a profile after a question that says what goes', async () => {
  const api = await start(new FakeProfilesApi([profileOf()]));
  await click(button('Remove…'));
  await click(button('Remove eu-orders'));
  await waitFor(() => expect(api.calls('remove')).toEqual([['p1']]));
  await screen.findByRole('heading', { name: 'Connect to a queue' });
});

it('tells of a list that cannot be had, and of a file that was put aside', async () => {
  const api = new FakeProfilesApi([profileOf()]);
  api.more = { brokenFile: '/home/ada/profiles.json.broken-1' };
  await start(api);
  expect(screen.getByRole('alert').textContent).toContain('/home/ada/profiles.json.broken-1');
  cleanup();
  const failing = new FakeProfilesApi();
  failing.list = () => Promise.reject(new Error('EACCES'));
  render(StartScreen, { api: failing, time: new TestTime(), version: '1.0' });
  expect((await screen.findByRole('alert')).textContent).toContain('EACCES');
});
