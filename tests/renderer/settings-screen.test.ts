// @vitest-environment jsdom
import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, beforeAll, expect, it } from 'vitest';
import SettingsView from '../../src-renderer/views/settings/SettingsView.svelte';
import { consoleOf } from './fleet';

beforeAll(() => {
  HTMLDialogElement.prototype.showModal = function showModal() {
    this.open = true;
  };
});
afterEach(cleanup);

const KEY = { id: 'k1', name: 'orders', role: 'operator', created_at: '2026-11-22T11:00:00.000Z' };
const route = { view: 'settings', rest: [], query: {} } as const;

it('makes a key that is shown once, and revokes it after asking', async () => {
  const { ui, requests } = await consoleOf(({ method }) => {
    if (method === 'POST') return { status: 201, body: { ...KEY, key: 'mr_secret' } };
    return method === 'DELETE' ? { status: 204 } : { body: { keys: [] } };
  });
  render(SettingsView, { ui, route });
  await screen.findByText('There is no key yet.');
  await fireEvent.click(screen.getByRole('button', { name: /Make a key/ }));
  await fireEvent.input(screen.getByLabelText(/^Name/), { target: { value: 'orders' } });
  await fireEvent.click(screen.getByRole('button', { name: 'Make operator key' }));
  await screen.findByText('mr_secret');
  await fireEvent.click(screen.getByRole('button', { name: 'I have it' }));
  expect(screen.queryByText('mr_secret')).toBeNull();
  await fireEvent.click(screen.getByRole('button', { name: 'Revoke…' }));
  expect(requests.some(({ method }) => method === 'DELETE')).toBe(false);
  await fireEvent.click(screen.getByRole('button', { name: 'Revoke orders' }));
  await screen.findByText('There is no key yet.');
  expect(requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
    'GET /api/keys',
    'POST /api/keys',
    'DELETE /api/keys/k1',
  ]);
});

it('asks for no keys where the caller may not see them, and tells whom it talks to', async () => {
  const { ui, requests } = await consoleOf(() => ({ body: { keys: [] } }), { actor: { name: 'anna', role: 'viewer' } });
  render(SettingsView, { ui, route });
  expect(screen.queryByText('API keys')).toBeNull();
  expect(screen.getByText('anna, viewer')).toBeTruthy();
  expect(screen.getByText('10.0.0.5:6379')).toBeTruthy();
  expect(requests).toEqual([]);
});

it('keeps what is chosen, and forgets the token', async () => {
  const { ui } = await consoleOf(() => ({ body: { keys: [] } }));
  ui.preferences.setToken('secret');
  render(SettingsView, { ui, route });
  await fireEvent.click(screen.getByRole('button', { name: 'Cozy' }));
  expect(ui.preferences.density).toBe('cozy');
  expect(screen.queryByText('secret')).toBeNull();
  await fireEvent.click(screen.getByRole('button', { name: 'Forget it' }));
  await waitFor(() => expect(ui.preferences.token).toBeNull());
});
