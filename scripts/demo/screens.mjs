/**
 * Which pictures there are: a name, the address behind `#/` (text, or made of what the API answers), what is done before
 * the picture is taken, and in which situation: a calm local queue, production in its incident, unlocked or locked.
 */
const text = (value) => (page) => page.getByText(value).first().waitFor();
const row = (page) => page.getByRole('row').nth(1).waitFor();

async function captureGroup(api) {
  const { groups } = await api.get('/api/dlq/groups');
  return groups.find(({ task_type }) => task_type === 'charge.capture').fingerprint;
}

async function deadCapture(api) {
  const { tasks } = await api.get('/api/tasks?status=failed&task_type=charge.capture&limit=1');
  return tasks[0].id;
}

async function worker(api) {
  const { workers } = await api.get('/api/workers');
  const busiest = workers.toSorted((a, b) => b.running.length - a.running.length)[0];
  return encodeURIComponent(busiest.id);
}

async function requeueDialog(page) {
  await row(page);
  await page.keyboard.press('r');
  await page.getByRole('dialog').waitFor();
}

async function palette(page) {
  await row(page);
  await page.keyboard.press('Control+k');
  await page.getByRole('dialog').waitFor();
  await page.keyboard.type('e');
}

async function fillForm(page) {
  await page.getByLabel('Type').first().fill('charge.refund');
  await page.getByLabel('Queue').first().fill('payments');
  const payload = { provider: 'psp-north', order_id: 4711, amount: 46.5, currency: 'EURO' };
  await page.locator('#payload').fill(JSON.stringify(payload, null, 2));
}

const payments = encodeURIComponent('state:failed,retrying queue:payments');

export const SCREENS = [
  { name: 'overview-calm', when: 'calm', documented: true, at: 'overview?range=15m', prepare: row },
  { name: 'first-submit', when: 'calm', at: 'submit' },
  { name: 'overview', when: 'locked', documented: true, at: 'overview?range=15m', prepare: text(/ECONNRESET/) },
  { name: 'queues-read-only', when: 'locked', at: 'queues/payments?range=15m', prepare: row },
  {
    name: 'failures',
    when: 'unlocked',
    documented: true,
    at: async (api) => `failures?order=most&group=${await captureGroup(api)}`,
    prepare: row,
  },
  {
    name: 'requeue',
    when: 'unlocked',
    documented: true,
    at: async (api) => `failures?order=most&group=${await captureGroup(api)}`,
    prepare: requeueDialog,
  },
  { name: 'dead-tasks', when: 'unlocked', at: 'failures/tasks', prepare: row },
  {
    name: 'tasks',
    when: 'unlocked',
    documented: true,
    at: async (api) => `tasks?query=${payments}&id=${await deadCapture(api)}`,
    prepare: row,
  },
  { name: 'task', when: 'unlocked', documented: true, at: async (api) => `tasks/${await deadCapture(api)}` },
  { name: 'queues', when: 'unlocked', documented: true, at: 'queues/payments?range=15m', prepare: row },
  {
    name: 'workers',
    when: 'unlocked',
    documented: true,
    at: async (api) => `workers/${await worker(api)}?tab=processes`,
    prepare: row,
  },
  { name: 'pools', when: 'unlocked', at: 'workers', prepare: row },
  { name: 'submit', when: 'unlocked', at: 'submit', prepare: fillForm },
  { name: 'operations', when: 'unlocked', at: 'operations', prepare: row },
  { name: 'metrics', when: 'unlocked', at: 'metrics?range=15m' },
  { name: 'audit', when: 'unlocked', at: 'audit', prepare: row },
  { name: 'settings', when: 'unlocked', at: 'settings' },
  { name: 'palette', when: 'unlocked', documented: true, at: 'tasks', prepare: palette },
];
